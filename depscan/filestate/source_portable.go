//go:build !linux

package filestate

import (
	"io"
	"os"
	"time"
)

// kernel is the source of the running system.
type kernel struct{ start time.Time }

func newSource() source { return &kernel{start: time.Now()} }

func (k *kernel) stat(path string, _ bool, st *info) {
	fi, err := os.Stat(path[:len(path)-1])
	k.set(path, fi, err, st)
}

func (k *kernel) lstat(path string, st *info) {
	fi, err := os.Lstat(path[:len(path)-1])
	k.set(path, fi, err, st)
}

func (k *kernel) set(path string, fi os.FileInfo, err error, st *info) {
	switch {
	case isMissing(err):
		st.kind = Missing
		return
	case err != nil:
		*st = info{kind: Other}
		return
	}
	st.kind = kindOf(fi.Mode())
	if !identify(path[:len(path)-1], fi, &st.key) && st.kind == Regular {
		st.kind = Other
	}
}

func kindOf(m os.FileMode) Kind {
	switch {
	case m.IsRegular():
		return Regular
	case m.IsDir():
		return Directory
	}
	return Other
}

func (k *kernel) open(path string) (file, error) {
	f, err := os.Open(path[:len(path)-1])
	if err != nil {
		return nil, err
	}
	return &kernelFile{k, f}, nil
}

// kernelFile is an open file of kernel.
type kernelFile struct {
	k *kernel
	*os.File
}

func (f *kernelFile) stat(st *info) error {
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	st.kind = kindOf(fi.Mode())
	if !identify(f.Name(), fi, &st.key) {
		return io.ErrUnexpectedEOF
	}
	return nil
}

func (f *kernelFile) volume() volume { return f.k.volume(f.Name() + "\x00") }

func (f *kernelFile) xattr(string, []byte) []byte { return nil }

func (k *kernel) list(string, func([]byte) bool) bool { return false }

func (k *kernel) readlink(path string, _ []byte) []byte {
	target, err := os.Readlink(path[:len(path)-1])
	if err != nil {
		return nil
	}
	return []byte(target)
}

func (k *kernel) now() instant {
	now := time.Now()
	return instant{real: now.UnixNano(), mono: int64(now.Sub(k.start))}
}
