//go:build unix

package pdbsession

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// own makes this process the only server that writes the PDB with key, by a lock on a file
// in dir. It returns errOwned where another one is.
func own(dir, key string) (release func(), err error) {
	path := filepath.Join(dir, "pdb-"+key+".lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("own PDB: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errOwned
		}
		return nil, fmt.Errorf("own PDB: %w", err)
	}
	// The file stays: removing it would let two servers lock two files of one name.
	return func() { f.Close() }, nil
}
