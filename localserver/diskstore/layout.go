package diskstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// formatDir is the folder of this format's version.
const formatDir = "v1"

const cacheTag = `Signature: 8a477f597d28d172789f06886806bc55
# This directory is a cache. Its content can be deleted at any time.
`

// A layout names the files of a store. Its methods that make them leave alone what
// exists.
type layout struct{ root string } // DIR/v1

func newLayout(dir string) layout { return layout{filepath.Join(dir, formatDir)} }

// make makes the directories.
func (l layout) make() error {
	if err := os.MkdirAll(filepath.Join(l.root, "blobs"), 0o700); err != nil {
		return typed(err)
	}
	tag := filepath.Join(filepath.Dir(l.root), "CACHEDIR.TAG")
	if _, err := os.Stat(tag); errors.Is(err, fs.ErrNotExist) {
		return typed(os.WriteFile(tag, []byte(cacheTag), 0o600))
	}
	return nil
}

// lock takes the store's lock, which ends with the returned file.
func (l layout) lock() (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(l.root, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, typed(err)
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock %s: %w", l.root, err)
	}
	return f, nil
}

// blob returns the path of a blob's file.
func (l layout) blob(hash [digest.Size]byte, f form) string {
	hex := digest.Digest{Hash: hash}.Hex()
	path := filepath.Join(l.root, "blobs", hex[:2], hex)
	if f == formFileZstd {
		path += ".zst"
	}
	return path
}

// current returns the directory of the index in use and its number; 0 for none.
func (l layout) current() (dir string, n int) {
	b, err := os.ReadFile(filepath.Join(l.root, "CURRENT"))
	if err != nil {
		return "", 0
	}
	name := strings.TrimSpace(string(b))
	n, err = strconv.Atoi(strings.TrimPrefix(name, "index-"))
	if err != nil || n <= 0 || name != filepath.Base(l.index(n)) {
		return "", 0
	}
	return l.index(n), n
}

func (l layout) index(n int) string {
	return filepath.Join(l.root, "index-"+strconv.Itoa(n))
}

// indexes returns the numbers of all index directories.
func (l layout) indexes() []int {
	paths, _ := filepath.Glob(filepath.Join(l.root, "index-*")) // the pattern is good
	var all []int
	for _, p := range paths {
		if n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(p), "index-")); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// setCurrent makes index n the one in use, in one step.
func (l layout) setCurrent(n int) error {
	path := filepath.Join(l.root, "CURRENT")
	if err := os.WriteFile(path+".tmp", []byte(filepath.Base(l.index(n))+"\n"), 0o600); err != nil {
		return typed(err)
	}
	return typed(rename(path+".tmp", path))
}
