// Package materialize prepares outputs on disk: it looks at what stands where
// an output goes, and writes the temp files that the live wrapper then renames.
// It never touches a target itself, so that a server that stalls and wakes up
// later cannot plant an old object. Which outputs there are, and what is in
// them, is the business of localserver/pipeline, its only user.
package materialize

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rexwrap/rexwrap/toolchains"
)

// Target is what stands where an output goes.
type Target uint8

const (
	// Absent: nothing; a rename makes the file.
	Absent Target = iota
	// Plain: a regular file of one name, no symbolic link; a rename
	// replaces it.
	Plain
	// Sink: the null device; what is written to it is gone, and it must
	// stay what it is.
	Sink
	// Special: a symbolic link, a file with several names, a FIFO, a
	// device, a directory. Compilers differ in what they do with these, so
	// the real one has to.
	Special
)

// Look says what stands at path and, for Plain, its permissions.
func Look(path string) (Target, fs.FileMode, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Absent, 0, nil
	case err != nil:
		return Special, 0, err
	case info.Mode().IsRegular() && links(info) == 1:
		return Plain, info.Mode().Perm(), nil
	case isNull(info):
		return Sink, 0, nil
	}
	return Special, 0, nil
}

// Same reports whether a and b lead to one regular file.
func Same(a, b string) bool {
	infoA, err := os.Stat(a)
	if err != nil || !infoA.Mode().IsRegular() {
		return false
	}
	infoB, err := os.Stat(b)
	return err == nil && os.SameFile(infoA, infoB)
}

// KeepsInode reports whether a compiler of the family opens an existing file of
// this role for writing, so that its permissions stay, instead of replacing it.
// The assembler unlinks an object before it makes a new one; clang renames a temp
// file to whatever it makes of the code; everything else is written with O_TRUNC.
func KeepsInode(family string, role toolchains.Role) bool {
	if family == "rustc" { // makes the others in a temporary folder, or a linker does
		return role == toolchains.RoleDepInfo
	}
	switch role {
	case toolchains.RoleObject, toolchains.RoleDwo:
		return false
	case toolchains.RoleAssembly, toolchains.RolePCH:
		return family != "clang" && family != toolchains.FamilyClangCL
	}
	return true
}

// Mode returns the permissions that the compiler would leave on a file that it
// opens where target, with permissions old, stands now (keeps), or that it makes.
func Mode(keeps bool, target Target, old fs.FileMode, umask uint32, executable bool) fs.FileMode {
	if target == Plain && keeps {
		return old
	}
	mode := fs.FileMode(0o666)
	if executable {
		mode = 0o777
	}
	return mode &^ fs.FileMode(umask)
}

// Writable reports whether the compiler could open an existing file for
// writing.
func Writable(path string) bool {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// Creatable reports whether a file that is not there could be made.
func Creatable(path string) bool { return enterable(filepath.Dir(path)) }

// Temp creates the file named temp with the given permissions, whatever the
// server's own umask, and has fill write it. On any error no file remains.
func Temp(temp string, mode fs.FileMode, fill func(*os.File) error) (err error) {
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(fmt.Errorf("prepare output: %w", err), removeIfThere(temp))
		}
	}()
	if err := fill(f); err != nil {
		return err
	}
	return f.Chmod(mode)
}

// Remove removes temp files. Those that are not there are none's concern.
func Remove(temps []string) {
	for _, t := range temps {
		_ = removeIfThere(t)
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, syscall.ENOENT) {
		return err
	}
	return nil
}
