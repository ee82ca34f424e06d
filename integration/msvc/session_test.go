package msvc

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
)

// manyUnits adds units of which each has types of its own, all of which use shapes.h, to a
// program.
func manyUnits(n int) (sources map[string]string, units []string) {
	sources, units = pdbtest.Sources(), pdbtest.Units()
	for i := range n {
		name := fmt.Sprintf("unit%d.cpp", i)
		sources[name] = fmt.Sprintf(`#include "shapes.h"
namespace { struct Hidden { geo::Buffer<Hidden *, %[1]d> all; }; }
struct Unit%[1]d { geo::Buffer<int, %[2]d> own; Unit%[1]d *next; enum Colour { Red = %[1]d, Blue } colour; };
int use_unit%[1]d(int x) { Unit%[1]d u = {}; Hidden h = {}; auto f = [&](int a, int b) { return a + b + x; };
  return u.own.fold(f) + geo::twice(u.colour) + (h.all.data[0] != nullptr); }
`, i+1, i%4+1)
		units = append(units, name)
	}
	return sources, units
}

// A session is all members of one bench on their way into one PDB.
type session struct {
	*bench
	sessions *pdbsession.Sessions
	id       pdbsession.Identity
	private  map[string][]byte
}

func newSession(b *bench, inPlace int64) *session {
	b.Helper()
	id, err := pdbsession.Identify(b.dir, "vc140.pdb", "vc140.pdb")
	if err != nil {
		b.Fatal(err)
	}
	x := pdbsession.New(pdbsession.Options{LockDir: b.TempDir(), InPlace: inPlace})
	b.Cleanup(x.Close)
	return &session{b, x, id, b.private()}
}

func (s *session) deliver(unit string) []byte {
	s.Helper()
	d, err := s.sessions.Deliver(s.id, &pdbsession.Member{
		Object: s.private[unit], ObjectPath: filepath.Join(s.dir, object(unit)), PDBKey: unit,
		PDB: func() ([]byte, error) { return os.ReadFile(filepath.Join(s.dir, object(unit)+".pdb")) },
	})
	if err != nil || d.Form != pdbsession.Merged {
		s.Errorf("%s: %+v, %v", unit, d, err)
		return nil
	}
	return d.Object
}

// Members that come one after the other, in any order, while the PDB is closed and opened
// and passes over to changes in place, link as with /Z7 in that order.
func TestSessionInAnyOrder(t *testing.T) {
	sources, units := manyUnits(8)
	b := newBench(t, sources, units, "/Od")
	b.args = []string{"-debug:noghash"}
	s := newSession(b, 48<<10)
	for seed := range uint64(2) {
		random := rand.New(rand.NewPCG(seed, 7))
		random.Shuffle(len(b.units), func(i, j int) { b.units[i], b.units[j] = b.units[j], b.units[i] })
		objects := map[string][]byte{}
		for i, unit := range b.units {
			objects[unit] = s.deliver(unit)
			if i == len(b.units)/2 {
				s.sessions.Close()
			}
		}
		b.same(fmt.Sprint("order ", seed), objects)
		if info, err := os.Stat(s.id.Path); err != nil || info.Size() < 48<<10 {
			t.Errorf("%v, %v: not changed in place", info, err)
		}
		s.sessions.Close()
		if err := os.Remove(s.id.Path); err != nil {
			t.Fatal(err)
		}
	}
}

// Sixteen members at a time, in random order: the PDB is one that llvm-pdbutil finds no
// fault with, every object's symbols mean what they meant, and the link has the same types
// as that of /Z7, if in another order.
func TestSessionOfConcurrentMembers(t *testing.T) {
	sources, units := manyUnits(28)
	b := newBench(t, sources, units, "/O2")
	b.args = []string{"-debug:ghash"}
	s := newSession(b, 64<<10)
	objects := s.deliverAll(16)
	s.sessions.Close()
	if out := b.tools.Check(t, s.id.Path); bytes.Contains([]byte(out), []byte("our hash")) {
		t.Error("llvm-pdbutil has other hashes")
	}
	checkOffsets(b, s.id.Path)
	merged := pdbtest.ShapesOf(t, pdbtest.Read(t, b.dir, "vc140.pdb"))
	for _, unit := range b.units {
		private := pdbtest.ShapesOf(t, pdbtest.Read(t, b.dir, object(unit)+".pdb"))
		want := pdbtest.SymbolShapes(t, s.private[unit], private)
		if got := pdbtest.SymbolShapes(t, objects[unit], merged); !slices.Equal(got, want) || len(want) == 0 {
			t.Errorf("%s: %d symbols mean something else, of %d", unit, len(got), len(want))
		}
	}
	_, embedded := b.link(b.embed)
	_, got := b.link(objects)
	if a, b := pdbtest.ShapesOf(t, embedded), pdbtest.ShapesOf(t, got); !slices.Equal(a.Sorted(), b.Sorted()) {
		t.Errorf("the link has %d types and items, that of /Z7 %d, or others", len(b.Sorted()), len(a.Sorted()))
	}
	if a, b := lengths(t, embedded), lengths(t, got); !slices.Equal(a, b) {
		t.Errorf("streams have %v bytes, with /Z7 %v", b, a)
	}
}

// checkOffsets lets llvm-pdbutil look records up by their numbers, from the list of offsets
// on.
func checkOffsets(b *bench, path string) {
	b.Helper()
	status, err := pdbsession.Verify(path)
	if err != nil || status.Types < 300 {
		b.Fatalf("%+v, %v", status, err)
	}
	for _, i := range []int{0, 1, status.Types / 3, status.Types / 2, status.Types - 1} {
		index := int(pdb.FirstIndex) + i
		if out := b.tools.Type(b, path, index); !strings.Contains(out, fmt.Sprintf("0x%X | LF_", index)) {
			b.Errorf("type %#x: %s", index, out)
		}
	}
}

func (s *session) deliverAll(width int) map[string][]byte {
	s.Helper()
	order := slices.Clone(s.units)
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	next := make(chan string)
	objects := map[string][]byte{}
	var mu sync.Mutex
	var group sync.WaitGroup
	for range width {
		group.Go(func() {
			for unit := range next {
				data := s.deliver(unit)
				mu.Lock()
				objects[unit] = data
				mu.Unlock()
			}
		})
	}
	for _, unit := range order {
		next <- unit
	}
	close(next)
	group.Wait()
	return objects
}

func lengths(t *testing.T, data []byte) []int64 {
	t.Helper()
	m, err := pdb.ReadMSF(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	list := make([]int64, m.Streams())
	for i := range list {
		list[i] = m.Length(i)
	}
	return list
}
