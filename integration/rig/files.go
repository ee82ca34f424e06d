package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// Epoch is the modification time that Write gives to what it writes. A file
// with another one was written by the command under test.
func Epoch() time.Time { return time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC) }

// Write makes dir anew with the files of archives, of which later ones win. All
// files and directories get Epoch as their modification time.
func Write(dir string, archives ...*txtar.Archive) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, a := range archives {
		for _, f := range a.Files {
			name := filepath.Join(dir, filepath.FromSlash(f.Name))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(name, f.Data, 0o644); err != nil {
				return err
			}
		}
	}
	return Age(dir)
}

// Age sets the modification time of everything below dir to Epoch, symbolic
// links left alone.
func Age(dir string) error {
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.Type()&os.ModeSymlink != 0 {
			return err
		}
		return os.Chtimes(name, Epoch(), Epoch())
	})
	if err != nil {
		return fmt.Errorf("age files: %w", err)
	}
	return nil
}
