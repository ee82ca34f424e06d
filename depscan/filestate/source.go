package filestate

import "io"

// A source is where a State takes the state of files and the time from. Paths are
// absolute and end in a zero byte. Tests supply their own.
type source interface {
	// stat tells what path leads to. Where fresh is set, it asks the file
	// system and not the kernel's memory of it.
	stat(path string, fresh bool, st *info)
	// lstat is stat without following path's last component.
	lstat(path string, st *info)
	// open opens a regular file for reading.
	open(path string) (file, error)
	// volume describes the file system that path is on.
	volume(path string) volume
	// list gives the names in a directory to add, which returns false to stop;
	// the bytes are valid during the call. It reports whether all were given.
	list(path string, add func(name []byte) bool) bool
	// readlink returns the target of a symbolic link in buf's space, nil where
	// there is none.
	readlink(path string, buf []byte) []byte
	now() instant
}

// A file is an open file of a source.
type file interface {
	io.ReadCloser
	stat(st *info) error
	volume() volume
	// xattr returns the value of an extended attribute in buf's space.
	xattr(name string, buf []byte) []byte
}
