package toolchains

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
)

// An image is what the loader reads of a program or library.
type image struct {
	class          elf.Class
	machine        elf.Machine
	interp         string
	soname         []string // one at most
	needed         []string
	rpath, runpath []string
}

// errNoDynamicSection is for an image that the loader would read by its program
// headers alone, which this reader does not.
var errNoDynamicSection = errors.New("dynamic section without a section header")

func readImage(path string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read program %s: %w", path, err)
	}
	defer f.Close()
	im := &image{class: f.Class, machine: f.Machine}
	dynamic := false
	for _, prog := range f.Progs {
		switch prog.Type {
		case elf.PT_INTERP:
			text := make([]byte, min(prog.Filesz, 4096))
			if _, err := prog.ReadAt(text, 0); err != nil {
				return nil, fmt.Errorf("read interpreter of %s: %w", path, err)
			}
			im.interp = cString(text)
		case elf.PT_DYNAMIC:
			dynamic = true
		}
	}
	if !dynamic {
		return im, nil
	}
	if err := im.readDynamic(f); err != nil {
		return nil, fmt.Errorf("read libraries of %s: %w", path, err)
	}
	return im, nil
}

// readDynamic reads the entries of the dynamic section that name libraries. It
// takes their strings one by one: the string table of a large library has tens of
// megabytes, which is what elf.File's own reader would fetch.
func (im *image) readDynamic(f *elf.File) error {
	section := f.SectionByType(elf.SHT_DYNAMIC)
	if section == nil || int(section.Link) >= len(f.Sections) {
		return errNoDynamicSection
	}
	data, err := section.Data()
	if err != nil {
		return err
	}
	text := f.Sections[section.Link]
	size := 8 // of a tag, and of a value
	if f.Class == elf.ELFCLASS64 {
		size = 16
	}
	for ; len(data) >= size; data = data[size:] {
		tag, value := dynamicEntry(f, data)
		list := im.list(tag)
		if tag == elf.DT_NULL {
			break
		}
		if list == nil {
			continue
		}
		name, err := readString(text, value)
		if err != nil {
			return err
		}
		*list = append(*list, name)
	}
	return nil
}

func dynamicEntry(f *elf.File, data []byte) (elf.DynTag, uint64) {
	if f.Class == elf.ELFCLASS64 {
		return elf.DynTag(f.ByteOrder.Uint64(data)), f.ByteOrder.Uint64(data[8:])
	}
	return elf.DynTag(f.ByteOrder.Uint32(data)), uint64(f.ByteOrder.Uint32(data[4:]))
}

// list is where the strings of a tag go, nil for tags of no interest.
func (im *image) list(tag elf.DynTag) *[]string {
	switch tag {
	case elf.DT_SONAME:
		return &im.soname
	case elf.DT_NEEDED:
		return &im.needed
	case elf.DT_RPATH:
		return &im.rpath
	case elf.DT_RUNPATH:
		return &im.runpath
	}
	return nil
}

// maxString bounds a library's name or search path: Nix has paths of kilobytes.
const maxString = 1 << 20

func readString(section *elf.Section, offset uint64) (string, error) {
	if offset >= section.Size {
		return "", errors.New("string beyond its table")
	}
	for length := uint64(256); ; length *= 8 {
		text := make([]byte, min(length, section.Size-offset))
		if _, err := section.ReadAt(text, int64(offset)); err != nil {
			return "", err
		}
		if before, _, ok := bytes.Cut(text, []byte{0}); ok {
			return string(before), nil
		}
		if uint64(len(text)) < length || length > maxString {
			return "", errors.New("string without an end")
		}
	}
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
