package debsrc

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// A Root is a folder into which packages were unpacked with all that they
// depend on. Its programs run by the loader and the libraries in it, so that
// they can be of a later release than the system, of which nothing changes.
type Root struct{ dir string }

// OpenRoot returns the root of packages of a suite in dir. The first time it
// uses the network. What apt says goes to log.
func OpenRoot(dir, suite string, log io.Writer, packages ...string) (*Root, error) {
	s, err := Open(dir, log)
	if err != nil {
		return nil, err
	}
	unlock, err := s.lock()
	if err != nil {
		return nil, err
	}
	defer unlock()
	r := &Root{s.dir}
	if _, err := os.Stat(r.tree()); err == nil {
		return r, nil
	}
	if err := r.fill(s, suite, packages); err != nil {
		return nil, fmt.Errorf("packages of Debian %s: %w", suite, err)
	}
	return r, nil
}

func (r *Root) tree() string { return filepath.Join(r.dir, "root") }

// fill makes the tree, which is there only when it is complete. Lists that were
// fetched before are of a state that the mirror may no longer have.
func (r *Root) fill(s *Store, suite string, packages []string) error {
	if err := s.fetchList("deb", suite); err != nil {
		return err
	}
	if err := s.apt(append([]string{"--yes", "--download-only", "--no-install-recommends", "install"}, packages...)...); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(r.dir, "cache/archives/*.deb"))
	if err != nil {
		return err
	}
	partial := r.tree() + ".part"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	for _, a := range archives {
		if err := s.run("dpkg-deb", "--extract", a, partial); err != nil {
			return err
		}
	}
	return os.Rename(partial, r.tree())
}

var errNoLoader = errors.New("no loader for this machine")

// Command returns the command line that runs a program of the root's usr/bin.
func (r *Root) Command(program string, args ...string) ([]string, error) {
	loader, lib := "usr/lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu"
	switch runtime.GOARCH {
	case "amd64":
	case "arm64":
		loader, lib = "usr/lib/ld-linux-aarch64.so.1", "usr/lib/aarch64-linux-gnu"
	default:
		return nil, fmt.Errorf("%w: %s", errNoLoader, runtime.GOARCH)
	}
	at := func(name string) string { return filepath.Join(r.tree(), name) }
	return append([]string{at(loader), "--library-path", at(lib), at("usr/bin/" + program)}, args...), nil
}

// Version returns the version of one of the packages.
func (r *Root) Version(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(r.dir, "cache/archives", name+"_*.deb"))
	if err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%d archives of %s", len(found), name)
	}
	return strings.Split(filepath.Base(found[0]), "_")[1], nil
}

// Path returns where a file of the root is.
func (r *Root) Path(name string) string { return filepath.Join(r.tree(), name) }
