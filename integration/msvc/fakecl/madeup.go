package main

import (
	"crypto/sha256"
	"fmt"
	"os"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// madeUp returns what a source has instead of code, nil for code.
func (l *line) madeUp(s *source) *pdbtest.Unit {
	text, err := os.ReadFile(s.name)
	if err != nil {
		return nil
	}
	u := &pdbtest.Unit{Name: stem(s.name), Path: l.pdb()}
	if n, _ := fmt.Sscanf(string(text), "// made-up %d %d", &u.Own, &u.Common); n != 2 {
		return nil
	}
	sum := sha256.Sum256([]byte(u.Path))
	u.GUID = pdb.GUID(sum[:16])
	return u
}

// makeUp writes object and database of a made-up source. The database must be its own.
func (l *line) makeUp(s *source, u *pdbtest.Unit, target string) error {
	object, database, err := u.Make()
	if err != nil {
		return err
	}
	if err := os.WriteFile(u.Path, database, 0o666); err != nil {
		return fail("C1041: cannot open program database '%s'", u.Path)
	}
	if l.depends != "" {
		if err := l.listDependencies(s, []string{}); err != nil {
			return err
		}
	}
	return os.WriteFile(target, object, 0o666)
}
