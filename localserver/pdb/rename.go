package pdb

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// What an object and its PDB say of files, beside types:
//
//	objname   = length:u16 1101:u16 signature:u32 name NUL {NUL}      in F1
//	strings   = {name NUL}                                            F3
//	file      = name:u32 size:u8 kind:u8 checksum[size] pad to 4      in F4, name in F3
//	string    = length:u16 1605:u16 item:u32 name NUL pad             an item
const symObjName = 0x1101

// Names are other names for the files of which an object and its PDB speak.
type Names struct {
	// Object is the object's name for itself. It counts where the object has an
	// absolute one.
	Object string
	// File returns the name of another file.
	File func(name string) string
}

// ObjectName returns the name that the object has for itself, empty for none.
func (c *Compiled) ObjectName() string {
	name := ""
	for _, s := range c.object.Sections() {
		if s.Name != symbolsSection || name != "" {
			continue
		}
		_ = eachSubsection(s.Data, func(b debugPart) error {
			if b.kind == subsectionSymbols && name == "" {
				name, _, _ = objectName(b.data)
			}
			return nil
		})
	}
	return name
}

// Named returns the object with other names. Nothing else of it changes.
func (c *Compiled) Named(n Names) (*Compiled, error) {
	content, moved := map[int][]byte{}, map[int]shifts{}
	for i, s := range c.object.Sections() {
		if s.Name != symbolsSection {
			continue
		}
		data, by, err := n.section(s.Data)
		if err != nil {
			return nil, err
		}
		if data != nil {
			content[i], moved[i] = data, by
		}
	}
	if len(content) == 0 {
		return c, nil
	}
	data, err := c.object.replace(content, moved)
	if err != nil {
		return nil, err
	}
	return ParseCompiled(data)
}

// A debugPart is one subsection of a .debug$S.
type debugPart struct {
	kind  uint32
	data  []byte
	start int // of data in the section
	end   int // of its padding
}

func eachSubsection(section []byte, f func(debugPart) error) error {
	if _, err := codeView(section); err != nil {
		return err
	}
	for at := 4; at < len(section); {
		if len(section)-at < 8 {
			return malformed("subsection")
		}
		b := debugPart{kind: binary.LittleEndian.Uint32(section[at:]), start: at + 8}
		end := uint64(b.start) + uint64(binary.LittleEndian.Uint32(section[at+4:]))
		if end > uint64(len(section)) {
			return malformed("subsection %#x", b.kind)
		}
		b.data, b.end = section[b.start:end], int(min(uint64(len(section)), (end+3)&^3))
		if err := f(b); err != nil {
			return err
		}
		at = b.end
	}
	return nil
}

// section returns a .debug$S with other names and what has moved in it, nil where none of
// its names changes.
func (n Names) section(old []byte) (now []byte, moved shifts, err error) {
	files, err := n.files(old)
	if err != nil {
		return nil, nil, err
	}
	changed := len(files.added) > 0
	now = bytes.Clone(old[:4])
	err = eachSubsection(old, func(b debugPart) error {
		data := b.data
		switch b.kind {
		case subsectionSymbols:
			name, from, to := objectName(b.data)
			if !isAbsolute(name) || name == n.Object {
				break
			}
			record := n.objName(b.data[from:to])
			data = bytes.Join([][]byte{b.data[:from], record, b.data[to:]}, nil)
			moved = append(moved, shift{b.start + from, b.start + to, len(record) - (to - from)})
			changed = true
		case subsectionStrings:
			data = append(bytes.Clone(b.data), files.added...)
		case subsectionFiles:
			data = files.renamed(b.data)
		}
		now = append(appendNumbers(now, []uint32{b.kind, uint32(len(data))}), data...)
		now = append(now, make([]byte, -len(now)&3)...)
		if b.kind == subsectionStrings {
			moved = append(moved, shift{b.end, b.end, (len(data)+3)&^3 - (b.end - b.start)})
		}
		return nil
	})
	if err != nil || !changed {
		return nil, nil, err
	}
	return now, moved, nil
}

// objectName returns what an object is called by its symbols, and where they say it.
func objectName(symbols []byte) (name string, from, to int) {
	for at := 0; at+recordHeader <= len(symbols); at += recordSize(symbols[at:]) {
		size := recordSize(symbols[at:])
		if size < recordHeader || at+size > len(symbols) {
			break
		}
		if kindOf(symbols[at:]) == symObjName && size > recordHeader+4 {
			text, _, _ := bytes.Cut(symbols[at+recordHeader+4:at+size], []byte{0})
			return string(text), at, at + size
		}
	}
	return "", 0, 0
}

// objName returns the record with another name, of a size that leaves what follows as
// aligned as it was.
func (n Names) objName(old []byte) []byte {
	record := append(append(bytes.Clone(old[:recordHeader+4]), n.Object...), 0)
	record = append(record, make([]byte, (len(old)-len(record))&3)...)
	binary.LittleEndian.PutUint16(record, uint16(len(record)-2))
	return record
}

// fileNames are the names of a section's files that change.
type fileNames struct {
	added []byte            // to its strings
	at    map[uint32]uint32 // where a name is among the strings
}

// renamed returns the list of files with other names.
func (f *fileNames) renamed(list []byte) []byte {
	now := bytes.Clone(list)
	for at := range fileEntries(list) {
		if to, ok := f.at[binary.LittleEndian.Uint32(list[at:])]; ok {
			binary.LittleEndian.PutUint32(now[at:], to)
		}
	}
	return now
}

// fileEntries yields where each file of a list begins.
func fileEntries(list []byte) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for at := 0; at+6 <= len(list); at += (6 + int(list[at+4]) + 3) &^ 3 {
			if !yield(at) {
				return
			}
		}
	}
}

// files finds out which names of files change: they are added to the strings, where others
// may refer to the old ones.
func (n Names) files(section []byte) (*fileNames, error) {
	var table, list []byte
	err := eachSubsection(section, func(b debugPart) error {
		switch {
		case b.kind == subsectionStrings && table == nil:
			table = b.data
		case b.kind == subsectionFiles && list == nil:
			list = b.data
		case b.kind == subsectionStrings || b.kind == subsectionFiles:
			return &UnsupportedError{What: "second subsection", Kind: b.kind}
		}
		return nil
	})
	f := &fileNames{at: map[uint32]uint32{}}
	if err != nil || table == nil {
		return f, err
	}
	for at := range fileEntries(list) {
		offset := binary.LittleEndian.Uint32(list[at:])
		if _, known := f.at[offset]; known || uint64(offset) >= uint64(len(table)) {
			continue
		}
		name, _, _ := bytes.Cut(table[offset:], []byte{0})
		if now := n.File(string(name)); now != string(name) {
			f.at[offset] = uint32(len(table) + len(f.added))
			f.added = append(append(f.added, now...), 0)
		}
	}
	return f, nil
}

// isAbsolute holds for names that no working directory is needed for, on any system.
func isAbsolute(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, `\`) || len(name) > 2 && name[1] == ':'
}

// Named returns the PDB with other names in its items, as text returns them: those of
// files, and command lines. Numbers stay.
func (p *Private) Named(text func(string) string) *Private {
	named, changed := *p, false
	items := make([]byte, 0, len(p.Items))
	for _, record := range p.Items.All() {
		if kindOf(record) == leafStringID && len(record) > recordHeader+4 {
			old, _, _ := bytes.Cut(record[recordHeader+4:], []byte{0})
			now := text(string(old))
			if size := recordHeader + 4 + len(now) + 1; now != string(old) && size < 1<<16-8 {
				items = append(items, seal(append(append(bytes.Clone(record[:recordHeader+4]), now...), 0))...)
				changed = true
				continue
			}
		}
		items = append(items, record...)
	}
	if !changed {
		return p
	}
	named.Items = items
	return &named
}
