package pdbsession

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/rexwrap/rexwrap/localserver/pdb"
)

// A volume is the file system as a session needs it. Files are open only for as long as
// one operation lasts: an open file could be neither deleted nor, on some systems, linked
// against.
type volume interface {
	// open opens an existing file for changes.
	open(path string) (openFile, error)
	// replace puts data at path at once, whatever was there, unless ready,
	// which it asks at the last moment, returns an error. If durable, it waits
	// until the disk has it.
	replace(path string, data []byte, durable bool, ready func() error) error
	// stat is os.Stat.
	stat(path string) (os.FileInfo, error)
}

type openFile interface {
	pdb.File
	io.Closer
}

type osVolume struct{}

func (osVolume) open(path string) (openFile, error) { return os.OpenFile(path, os.O_RDWR, 0) }

func (osVolume) stat(path string) (os.FileInfo, error) { return os.Stat(path) }

// replace uses one name for its temporary file, so that a server that was killed leaves at
// most one, which the next write takes.
func (osVolume) replace(path string, data []byte, durable bool, ready func() error) error {
	temp := path + ".rexwrap-new"
	err := writeFile(temp, data, durable)
	if info, failed := os.Stat(path); err == nil && failed == nil {
		err = os.Chmod(temp, info.Mode().Perm())
	}
	if err == nil {
		err = ready()
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		os.Remove(temp)
		return err
	}
	if durable {
		return syncFolder(filepath.Dir(path))
	}
	return nil
}

func writeFile(path string, data []byte, durable bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// headSize is that of the part of a PDB that changes with every commit.
const headSize = 56

// A mark tells whether a file is the one that was left.
type mark struct {
	info os.FileInfo // nil where there was none
	head [headSize]byte
}

// look returns the mark of the file at path.
func look(v volume, path string) (mark, error) {
	info, err := v.stat(path)
	if os.IsNotExist(err) {
		return mark{}, nil
	}
	if err != nil {
		return mark{}, err
	}
	if !info.Mode().IsRegular() {
		return mark{}, fmt.Errorf("%s: %w", path, errForeign)
	}
	m := mark{info: info}
	f, err := v.open(path)
	if err != nil {
		return mark{}, err
	}
	defer f.Close()
	if _, err := f.ReadAt(m.head[:], 0); err != nil && err != io.EOF {
		return mark{}, err
	}
	return m, nil
}

func (m mark) exists() bool { return m.info != nil }

// equal reports whether n is the same file in the same state, but for its time stamp: the
// file is touched when an object is put in place.
func (m mark) equal(n mark) bool {
	if m.info == nil || n.info == nil {
		return m.info == nil && n.info == nil
	}
	return m.head == n.head && m.info.Size() == n.info.Size() && os.SameFile(m.info, n.info)
}

// touched reports whether the time stamps differ.
func (m mark) touched(n mark) bool {
	return m.info != nil && n.info != nil && !m.info.ModTime().Equal(n.info.ModTime())
}
