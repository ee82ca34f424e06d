//go:build unix

package pdbsession

import (
	"errors"
	"os"
	"path/filepath"
)

func resolve(path string) (string, error) { return filepath.EvalSymlinks(path) }

// foldPath returns what is equal for paths of one file: here names differ by case.
func foldPath(path string) string { return path }

// syncFolder makes the disk have the names in dir.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
