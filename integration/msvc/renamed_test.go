package msvc

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
)

// What was compiled in one folder and is delivered to another links as what was compiled
// there, to the byte: objects have their names, and debug information those of the files.
func TestLinkOfOtherFolder(t *testing.T) {
	build := t.TempDir()
	sources, units := manyUnits(1)
	// The folders' names differ in length, so that everything moves.
	for name, worker := range map[string]string{"shorter": filepath.Join(build, "w"), "longer": filepath.Join(build, strings.Repeat("worker", 9))} {
		t.Run(name, func(t *testing.T) {
			here := newBenchIn(t, filepath.Join(build, "build"+name), sources, units, "/O2")
			there := newBenchIn(t, worker, sources, units, "/O2")
			here.args = []string{"-debug:noghash"}
			id, err := pdbsession.Identify(here.dir, "vc140.pdb", "vc140.pdb")
			if err != nil {
				t.Fatal(err)
			}
			x := pdbsession.New(pdbsession.Options{LockDir: t.TempDir()})
			t.Cleanup(x.Close)
			objects := map[string][]byte{}
			for i, unit := range units {
				database := filepath.Join(there.dir, object(unit)+".pdb")
				memory := pdb.NewMemory(nil)
				store := pdb.Create(memory, guid(i))
				split, err := pdbtest.Split(there.embed[unit], store, database)
				if err != nil {
					t.Fatal(err)
				}
				if err := store.Commit(); err != nil {
					t.Fatal(err)
				}
				d, err := x.Deliver(id, &pdbsession.Member{
					Object: split, ObjectPath: filepath.Join(here.dir, object(unit)), PDBKey: unit,
					PDB:    func() ([]byte, error) { return memory.Bytes(), nil },
					Origin: &pdbsession.Origin{Below: "/" + object(unit) + ".pdb", Root: here.dir},
				})
				if err != nil || d.Form != pdbsession.Merged {
					t.Fatalf("%+v, %v", d, err)
				}
				objects[unit] = d.Object
			}
			here.same(name, objects)
		})
	}
}
