package rustdeps

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// errNoMetadata is for a file that holds no metadata that can be read.
var errNoMetadata = errors.New("no metadata")

// Metadata of a crate names every crate that was loaded for it, the indirect ones
// included, each with its extra filename as plain text. What stands before and
// after it depends on the version, so the text is looked for, not parsed: names
// is every run of bytes that can be an extra filename of cargo's ("-" and 16 hex
// digits). It finds too many at worst.

// A names holds what one metadata mentions.
type names struct {
	extras map[string]bool // "-0123456789abcdef"
	// path is where all of the text is read when extras do not suffice.
	path string
	text []byte
}

// mentions reports whether the crate whose file is lib STEM .rlib may be among
// those that were loaded.
func (n *names) mentions(stem string) bool {
	i := strings.IndexByte(stem, '-')
	switch {
	case i < 0:
		return n.contains(stem)
	case isExtra(stem[i:]):
		return n.extras[stem[i:]]
	}
	return n.contains(stem[i:]) || n.contains(stem[:i]) // the extra filename can be a part of that
}

// contains reports whether word stands in the text; one that cannot be read any
// more may hold it.
func (n *names) contains(word string) bool {
	if n.text == nil {
		text, err := metadata(n.path)
		if err != nil {
			return true
		}
		n.text = text
	}
	return bytes.Contains(n.text, []byte(word))
}

const extraLength = 17

func isExtra(s string) bool {
	if len(s) != extraLength || s[0] != '-' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !isHex(s[i]) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// assemblerMark stands among extras where the metadata hold a macro or a function by
// which the assembler reads a file.
const assemblerMark = ".incbin"

func extras(text []byte) map[string]bool {
	out := map[string]bool{}
	if assembles(text) {
		out[assemblerMark] = true
	}
	for rest := text; ; {
		i := bytes.IndexByte(rest, '-')
		if i < 0 || len(rest)-i < extraLength {
			return out
		}
		if word := rest[i : i+extraLength]; isExtra(string(word)) {
			out[string(word)] = true
		}
		rest = rest[i+1:]
	}
}

// maxMemo bounds the metadata whose names are remembered.
const maxMemo = 4096

// A memo remembers by content the extras of metadata, and nil for a procedural
// macro. It is safe for concurrent use.
type memo struct {
	mu    sync.Mutex
	known map[digest.Digest]map[string]bool
}

func (m *memo) get(d digest.Digest) (extras map[string]bool, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	extras, ok = m.known[d]
	return extras, ok
}

func (m *memo) put(d digest.Digest, e map[string]bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known == nil || len(m.known) >= maxMemo {
		m.known = map[digest.Digest]map[string]bool{}
	}
	m.known[d] = e
}

// read returns the names in the metadata of a crate's file.
func (m *memo) read(path string, d digest.Digest) (*names, error) {
	if e, ok := m.get(d); ok && e != nil {
		return &names{extras: e, path: path}, nil
	}
	text, err := metadata(path)
	if err != nil {
		return nil, err
	}
	n := &names{extras: extras(text), path: path, text: text}
	m.put(d, n.extras)
	return n, nil
}

// metadata returns the metadata in an .rmeta or an .rlib.
func metadata(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, len(archiveMagic))
	if _, err := io.ReadFull(f, head); err != nil {
		return nil, errNoMetadata
	}
	if string(head) == archiveMagic {
		return archiveMember(f, "lib.rmeta", "rust.metadata.bin")
	}
	rest, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	text := append(head, rest...)
	// Newer versions wrap metadata in an object file; compressed ones begin so.
	if bytes.HasPrefix(text, []byte("rust\x00\x00\x00")) || bytes.HasPrefix(text, []byte("\x7fELF")) {
		return text, nil
	}
	return nil, errNoMetadata
}

const (
	archiveMagic  = "!<arch>\n"
	archiveHeader = 60
	// maxMember bounds a member, in bytes; the largest metadata has some tens
	// of megabytes.
	maxMember = 1 << 30
)

// archiveMember returns the first member of one of the given names. The reader
// stands behind the magic.
func archiveMember(f io.ReadSeeker, wanted ...string) ([]byte, error) {
	var text []byte
	err := members(f, func(name string, size int64) (bool, error) {
		if slices.Contains(wanted, name) {
			text = make([]byte, size)
			_, err := io.ReadFull(f, text)
			return false, err
		}
		return true, nil
	})
	if err == nil && text == nil {
		err = errNoMetadata
	}
	return text, err
}

// members calls visit at the start of each member, which says whether to go on.
// Names are those that fit the header, or of the GNU table of long ones.
func members(f io.ReadSeeker, visit func(name string, size int64) (bool, error)) error {
	var long []byte
	head := make([]byte, archiveHeader)
	for offset := int64(len(archiveMagic)); ; {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return err
		}
		if _, err := io.ReadFull(f, head); err == io.EOF {
			return nil
		} else if err != nil {
			return errNoMetadata
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(head[48:58])), 10, 64)
		if err != nil || size < 0 || size > maxMember {
			return errNoMetadata
		}
		name := strings.TrimRight(string(head[:16]), " ")
		if name == "//" {
			long = make([]byte, size)
			if _, err := io.ReadFull(f, long); err != nil {
				return errNoMetadata
			}
		}
		if more, err := visit(memberName(name, long), size); !more || err != nil {
			return err
		}
		offset += archiveHeader + size + size&1
	}
}

func memberName(name string, long []byte) string {
	if len(name) > 1 && name[0] == '/' && name[1] >= '0' && name[1] <= '9' {
		if at, err := strconv.Atoi(name[1:]); err == nil && at < len(long) {
			end := bytes.IndexByte(long[at:], '\n')
			if end < 0 {
				end = len(long) - at
			}
			name = string(long[at : at+end])
		}
	}
	if name == "/" || name == "//" {
		return name
	}
	return strings.TrimSuffix(name, "/")
}
