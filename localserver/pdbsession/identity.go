package pdbsession

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// An Identity names one PDB, however it is spelled. Identities of one PDB are equal.
type Identity struct {
	// Path is absolute, with the spelling that the file system has for what
	// exists of it.
	Path string
	// Key is the same for all spellings: 16 hexadecimal digits.
	Key string
}

// Identify returns the identity of the PDB that cl.exe writes when it runs in dir with the
// value fd of /Fd, empty where the call has none. name is what the compiler calls a PDB by
// itself: "vc140.pdb".
func Identify(dir, fd, name string) (Identity, error) {
	path := fd
	switch {
	case fd == "" || os.IsPathSeparator(fd[len(fd)-1]):
		path += name
	case filepath.Ext(fd) == "":
		path += ".pdb"
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	path, err := truePath(filepath.Clean(path))
	if err != nil {
		return Identity{}, fmt.Errorf("resolve %s: %w", path, err)
	}
	sum := sha256.Sum256([]byte("pdbsession/VC140\x00" + foldPath(path)))
	return Identity{Path: path, Key: hex.EncodeToString(sum[:8])}, nil
}

// truePath returns path with the existing part as the file system spells it, links
// resolved.
func truePath(path string) (string, error) {
	var missing []string
	for existing := path; ; {
		real, err := resolve(existing)
		if err == nil {
			for i := len(missing) - 1; i >= 0; i-- {
				real = filepath.Join(real, missing[i])
			}
			return real, nil
		}
		parent := filepath.Dir(existing)
		if !os.IsNotExist(err) || parent == existing {
			return path, err
		}
		missing = append(missing, filepath.Base(existing))
		existing = parent
	}
}

// privateName returns the name, beside the object, of a PDB that one object keeps, and the
// digest that it is made of.
func privateName(object string, content []byte) (path string, sum [sha256.Size]byte) {
	h := sha256.New()
	fmt.Fprintf(h, "pdbsession/private\x00%s\x00", foldPath(object))
	stem := strings.TrimSuffix(filepath.Base(object), filepath.Ext(object))
	place := h.Sum(nil)
	h.Write(content)
	path = filepath.Join(filepath.Dir(object), fmt.Sprintf("%s.%x.pdb", stem, place[:4]))
	return path, [sha256.Size]byte(h.Sum(nil))
}
