//go:build !linux

package main

import "os"

// A volume is what doctor says of the file system of a folder.
type volume struct {
	kind    string
	network bool
	foreign bool  // the folder belongs to another user
	free    int64 // bytes for us
}

// volumeOf does not know how to ask this system.
func volumeOf(dir string) (volume, error) {
	_, err := os.Stat(dir)
	return volume{kind: "a file system that doctor does not know", free: 1 << 62}, err
}

// clones reports whether dir can be written; whether files can share their
// blocks is not asked on this system.
func clones(dir string) (bool, error) {
	f, err := os.CreateTemp(dir, ".doctor")
	if err != nil {
		return false, err
	}
	_, _ = f.Close(), os.Remove(f.Name())
	return false, nil
}
