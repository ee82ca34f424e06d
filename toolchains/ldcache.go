package toolchains

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// The loader's cache, /etc/ld.so.cache, as glibc has written it since 2.2
// (sysdeps/generic/dl-cache.h), in the machine's byte order. It says what
// ldconfig found in the folders of /etc/ld.so.conf; the loader looks at it, never
// at that file.
//
//	cache  = [old] header entry* strings
//	old    = the format before 2.2, ends where the magic of header begins
//	header = "glibc-ld.so.cache1.1" count:u32 length:u32 flags:u8 pad:u8[3]
//	         extension:u32 unused:u32[3]
//	entry  = flags:i32 key:u32 value:u32 osversion:u32 hwcap:u64
//
// key and value are offsets of NUL-terminated strings from the start of header.
// The second byte of flags is the architecture's.
const (
	cacheMagic      = "glibc-ld.so.cache1.1"
	cacheHeaderSize = 48
	cacheEntrySize  = 24
)

// A cachedLibrary is one entry.
type cachedLibrary struct {
	path  string
	flags uint32
}

// fits reports whether the loader of a program for machine would take c. Libraries
// of architectures that are not listed are told apart by their headers.
func (c cachedLibrary) fits(machine elf.Machine) bool {
	switch architecture := c.flags & 0xff00; machine {
	case elf.EM_X86_64:
		return architecture == 0x0300
	case elf.EM_AARCH64:
		return architecture == 0x0a00
	case elf.EM_386:
		return architecture == 0x0000
	}
	return true
}

// parseLoaderCache returns the entries by name, in the cache's order. What is
// malformed is left out: such libraries are then not found, and the toolchain is
// not used.
func parseLoaderCache(data []byte) map[string][]cachedLibrary {
	start := bytes.Index(data, []byte(cacheMagic))
	if start < 0 || len(data)-start < cacheHeaderSize {
		return nil
	}
	data = data[start:]
	count := int(binary.NativeEndian.Uint32(data[len(cacheMagic):]))
	libraries := map[string][]cachedLibrary{}
	for i := range count {
		at := cacheHeaderSize + i*cacheEntrySize
		if at+cacheEntrySize > len(data) {
			break
		}
		entry := data[at : at+cacheEntrySize]
		name := stringAt(data, binary.NativeEndian.Uint32(entry[4:]))
		path := stringAt(data, binary.NativeEndian.Uint32(entry[8:]))
		if name != "" && path != "" {
			library := cachedLibrary{path: path, flags: binary.NativeEndian.Uint32(entry)}
			libraries[name] = append(libraries[name], library)
		}
	}
	return libraries
}

func stringAt(data []byte, offset uint32) string {
	if uint64(offset) >= uint64(len(data)) {
		return ""
	}
	end := bytes.IndexByte(data[offset:], 0)
	if end < 0 {
		return ""
	}
	return string(data[offset : int(offset)+end])
}
