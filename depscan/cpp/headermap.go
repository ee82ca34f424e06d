package cpp

import (
	"encoding/binary"
	"os"
	"strings"
)

// A headerMap is a file that clang accepts in place of a search directory
// (Xcode writes them).
//
//	file   = header bucket* strings
//	header = magic:u32 version:u16 reserved:u16 strings:u32 entries:u32 buckets:u32 longest:u32
//	bucket = key:u32 prefix:u32 suffix:u32          offsets in strings, key 0 is empty
//
// All numbers have the byte order in which magic reads 'hmap'. Keys compare
// without case.
type headerMap struct{ to map[string]string }

const (
	headerMapMagic  = 'h'<<24 | 'm'<<16 | 'a'<<8 | 'p'
	headerMapHeader = 24
)

// readHeaderMap returns nil for a file that is no header map.
func readHeaderMap(path string) *headerMap {
	data, err := os.ReadFile(path)
	if err != nil || len(data) < headerMapHeader {
		return nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if order.Uint32(data) != headerMapMagic {
		order = binary.BigEndian
	}
	if order.Uint32(data) != headerMapMagic || order.Uint16(data[4:]) != 1 {
		return nil
	}
	strs := int(order.Uint32(data[8:]))
	m := &headerMap{to: make(map[string]string)}
	for i := range int(order.Uint32(data[16:])) {
		at := headerMapHeader + 12*i
		if at+12 > len(data) {
			return nil
		}
		text := func(k int) string { return cString(data, strs+int(order.Uint32(data[at+4*k:]))) }
		if order.Uint32(data[at:]) != 0 {
			m.to[strings.ToLower(text(0))] = text(1) + text(2)
		}
	}
	return m
}

func cString(data []byte, at int) string {
	if at < 0 || at >= len(data) {
		return ""
	}
	s, _, _ := strings.Cut(string(data[at:]), "\x00")
	return s
}

func (m *headerMap) lookup(name string) (string, bool) {
	to, ok := m.to[strings.ToLower(name)]
	return to, ok
}
