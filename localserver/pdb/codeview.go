package pdb

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// CodeView sections of an object:
//
//	.debug$T   = 4:u32 record                 a type server, nothing else
//	           | 4:u32 record*                the types themselves (/Z7)
//	typeserver = length:u16 1515:u16 GUID[16] age:u32 path NUL pad
//	.debug$S   = 4:u32 subsection*
//	subsection = kind:u32 length:u32 data pad to 4
//	symbols    = F1: record*
//	inlinees   = F6: form:u32 (0: line | 1: line n:u32 file:u32{n})*
//	line       = item:u32 file:u32 line:u32
//
// Numbers of types and items stand only in F1 and F6. F2 (lines), F3 (strings), F4
// (checksums of files) and F5 (frame data) have none.
const (
	typesSection    = ".debug$T"
	symbolsSection  = ".debug$S"
	precompiledName = ".debug$P"
	hashesSection   = ".debug$H"

	codeViewSignature = 4

	subsectionSymbols  = 0xF1
	subsectionLines    = 0xF2
	subsectionStrings  = 0xF3
	subsectionFiles    = 0xF4
	subsectionFrames   = 0xF5
	subsectionInlinees = 0xF6
)

// A GUID tells PDBs apart.
type GUID [16]byte

// String returns the 32 hexadecimal digits in the order of the bytes.
func (g GUID) String() string { return hex.EncodeToString(g[:]) }

// A TypeServer is what an object says of the PDB that holds its types. The PDB
// matches when its GUID is the same and its age is not less.
type TypeServer struct {
	GUID GUID
	Age  uint32
	Path string // absolute, as the compiler wrote it
}

// maxPath is what all readers have room for, with a wide margin.
const maxPath = 1 << 12

// Section returns the content of a .debug$T that names ts.
func (ts TypeServer) Section() ([]byte, error) {
	if len(ts.Path) > maxPath || strings.ContainsRune(ts.Path, 0) {
		return nil, malformed("type server path of %d bytes", len(ts.Path))
	}
	record := make([]byte, recordHeader, recordHeader+20+len(ts.Path)+4)
	binary.LittleEndian.PutUint16(record[2:], leafTypeServer2)
	record = append(record, ts.GUID[:]...)
	record = binary.LittleEndian.AppendUint32(record, ts.Age)
	record = append(append(record, ts.Path...), 0)
	return append(binary.LittleEndian.AppendUint32(nil, codeViewSignature), seal(record)...), nil
}

// seal pads a record and sets its length.
func seal(record []byte) []byte {
	for pad := -len(record) & 3; pad > 0; pad-- {
		record = append(record, 0xF0|byte(pad))
	}
	binary.LittleEndian.PutUint16(record, uint16(len(record)-2))
	return record
}

// readTypeServer returns what the content of a .debug$T names. It reports false for
// one that holds the types themselves.
func readTypeServer(section []byte) (ts TypeServer, ok bool, err error) {
	records, err := codeView(section)
	if err != nil {
		return ts, false, err
	}
	if len(records) < recordHeader || kindOf(records) != leafTypeServer2 {
		return ts, false, nil
	}
	size := recordSize(records)
	if size != len(records) || size < recordHeader+20 {
		return ts, false, malformed("type server record of %d bytes", size)
	}
	content := records[recordHeader:]
	path, _, terminated := bytes.Cut(content[20:], []byte{0})
	if !terminated {
		return ts, false, malformed("type server without a path")
	}
	ts = TypeServer{GUID: GUID(content[:16]), Age: binary.LittleEndian.Uint32(content[16:]), Path: string(path)}
	return ts, true, nil
}

// codeView returns what follows the signature.
func codeView(section []byte) ([]byte, error) {
	if len(section) < 4 || binary.LittleEndian.Uint32(section) != codeViewSignature {
		return nil, malformed("CodeView signature")
	}
	return section[4:], nil
}

// VisitSymbolNumbers calls f with the four bytes of every number of a type or item in the
// content of a .debug$S. A symbol or subsection of unknown kind is an UnsupportedError.
func VisitSymbolNumbers(section []byte, f func(space Space, field []byte) error) error {
	rest, err := codeView(section)
	for err == nil && len(rest) > 0 {
		if len(rest) < 8 {
			return malformed("subsection")
		}
		kind, size := binary.LittleEndian.Uint32(rest), uint64(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if size > uint64(len(rest)) {
			return malformed("subsection %#x of %d bytes", kind, size)
		}
		err = eachSubsectionNumber(kind, rest[:size], f)
		rest = rest[min(uint64(len(rest)), (size+3)&^3):]
	}
	return err
}

func eachSubsectionNumber(kind uint32, data []byte, f func(Space, []byte) error) error {
	switch kind {
	case subsectionLines, subsectionStrings, subsectionFiles, subsectionFrames:
		return nil
	case subsectionSymbols:
		return eachRecordNumber(data, f)
	case subsectionInlinees:
		return eachInlinee(data, f)
	}
	return &UnsupportedError{What: "subsection", Kind: kind}
}

func eachRecordNumber(data []byte, f func(Space, []byte) error) error {
	var list []Reference
	for len(data) > 0 {
		if len(data) < recordHeader || recordSize(data) < recordHeader || recordSize(data) > len(data) {
			return malformed("symbol record")
		}
		record := data[:recordSize(data)]
		data = data[len(record):]
		var err error
		if list, err = SymbolReferences(list[:0], record); err != nil {
			return err
		}
		for _, r := range list {
			if err := f(r.Space, record[r.At:r.At+4]); err != nil {
				return err
			}
		}
	}
	return nil
}

func eachInlinee(data []byte, f func(Space, []byte) error) error {
	if len(data) < 4 || binary.LittleEndian.Uint32(data) > 1 {
		return malformed("inlinee lines")
	}
	withFiles := binary.LittleEndian.Uint32(data) == 1
	data = data[4:]
	for len(data) > 0 {
		if len(data) < 12 {
			return malformed("inlinee line")
		}
		if err := f(Items, data[:4]); err != nil {
			return err
		}
		data = data[12:]
		if !withFiles {
			continue
		}
		if len(data) < 4 || uint64(binary.LittleEndian.Uint32(data))*4 > uint64(len(data)-4) {
			return malformed("files of an inlinee line")
		}
		data = data[4+4*binary.LittleEndian.Uint32(data):]
	}
	return nil
}
