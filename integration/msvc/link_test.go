package msvc

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// A bench is a folder in which the same command line links different forms of the same
// objects: their names reach the PDB.
type bench struct {
	*testing.T
	tools *pdbtest.Tools
	dir   string
	units []string
	embed map[string][]byte // the objects as compiled, with their types inside
	args  []string          // for the linker
}

// newBench compiles sources with flags.
func newBench(t *testing.T, sources map[string]string, units []string, flags ...string) *bench {
	t.Helper()
	return newBenchIn(t, t.TempDir(), sources, units, flags...)
}

// newBenchIn is newBench in a folder. Each object has its absolute name there.
func newBenchIn(t *testing.T, dir string, sources map[string]string, units []string, flags ...string) *bench {
	t.Helper()
	b := &bench{T: t, tools: pdbtest.FindTools(t), dir: dir, units: units, embed: map[string][]byte{}}
	for name, text := range sources {
		pdbtest.Write(t, dir, name, []byte(text))
	}
	for _, unit := range units {
		own := append([]string{"-Xclang", "-object-file-name=" + filepath.Join(dir, object(unit))}, flags...)
		b.embed[unit] = b.tools.Compile(t, dir, unit, own...)
	}
	return b
}

func object(unit string) string { return "x/" + strings.TrimSuffix(unit, filepath.Ext(unit)) + ".obj" }

// link writes objects and links them.
func (b *bench) link(objects map[string][]byte) (exe, debug []byte) {
	b.Helper()
	args := append([]string{}, b.args...)
	for _, unit := range b.units {
		pdbtest.Write(b, b.dir, object(unit), objects[unit])
		args = append(args, object(unit))
	}
	return b.tools.Link(b, b.dir, args...)
}

// guid returns GUIDs that differ.
func guid(n int) pdb.GUID {
	var g pdb.GUID
	copy(g[:], fmt.Sprintf("guid %03d of tests", n))
	return g
}

// save commits store, writes what is in memory to path and lets llvm-pdbutil read it.
func (b *bench) save(store *pdb.Store, memory *pdb.Memory, path string) {
	b.Helper()
	if err := store.Commit(); err != nil {
		b.Fatal(err)
	}
	pdbtest.Write(b, b.dir, path, memory.Bytes())
	if out := b.tools.Check(b, filepath.Join(b.dir, path)); !strings.Contains(out, "Has Types: true") {
		b.Errorf("%s:\n%s", path, out[:min(len(out), 2000)])
	}
}

// private gives every object a type server of its own, beside it, as cl.exe /Zi with a
// private /Fd does. The record names the place where the compiler ran.
func (b *bench) private() map[string][]byte {
	b.Helper()
	objects := map[string][]byte{}
	for i, unit := range b.units {
		memory := pdb.NewMemory(nil)
		store := pdb.Create(memory, guid(i))
		split, err := pdbtest.Split(b.embed[unit], store, `Q:\far\away\`+filepath.Base(object(unit))+".pdb")
		if err != nil {
			b.Fatalf("%s: %v", unit, err)
		}
		objects[unit] = split
		b.save(store, memory, object(unit)+".pdb")
	}
	return objects
}

// merged puts the private type servers of objects into one, in the order of the units.
func (b *bench) merged(objects map[string][]byte) map[string][]byte {
	b.Helper()
	memory := pdb.NewMemory(nil)
	store := pdb.Create(memory, guid(500))
	path := filepath.Join(b.dir, "vc140.pdb")
	out := map[string][]byte{}
	for _, unit := range b.units {
		out[unit] = b.join(store, objects[unit], pdbtest.Read(b, b.dir, object(unit)+".pdb"), path)
	}
	b.save(store, memory, "vc140.pdb")
	return out
}

// join merges one private type server and returns the renumbered object.
func (b *bench) join(store *pdb.Store, object, private []byte, path string) []byte {
	b.Helper()
	p, err := pdb.ReadPrivate(private)
	if err != nil {
		b.Fatal(err)
	}
	m, err := store.Merge(p)
	if err != nil {
		b.Fatal(err)
	}
	c, err := pdb.ParseCompiled(object)
	if err != nil {
		b.Fatal(err)
	}
	if c.TypeServer().GUID != p.Info.GUID {
		b.Fatalf("object of %s, PDB is %s", c.TypeServer().GUID, p.Info.GUID)
	}
	out, err := c.Renumbered(m, pdb.TypeServer{GUID: store.GUID(), Age: store.Age(), Path: path})
	if err != nil {
		b.Fatal(err)
	}
	return out
}

// same links objects and compares with what a link of the embedded form gave.
func (b *bench) same(what string, objects map[string][]byte) {
	b.Helper()
	wantExe, wantDebug := b.link(b.embed)
	exe, debug := b.link(objects)
	if !bytes.Equal(exe, wantExe) {
		b.Errorf("%s: the program differs from that of /Z7", what)
	}
	if !bytes.Equal(debug, wantDebug) {
		b.Errorf("%s: the PDB differs from that of /Z7 (%d bytes, %d)", what, len(debug), len(wantDebug))
	}
}

func TestLinkIsTheOneOfEmbeddedTypes(t *testing.T) {
	for _, optimise := range []string{"/Od", "/O2"} {
		for _, debug := range []string{"-debug:noghash", "-debug:ghash"} {
			t.Run(optimise[1:]+debug, func(t *testing.T) {
				b := newBench(t, pdbtest.Sources(), pdbtest.Units(), optimise)
				b.args = []string{debug}
				private := b.private()
				b.same("private", private)
				b.same("merged", b.merged(private))
			})
		}
	}
}

// A merged type server of objects that were compiled by 16,000 functions into 32,000
// sections.
func TestBigObject(t *testing.T) {
	sources := pdbtest.Sources()
	sources["many.cpp"] = pdbtest.ManySections(17000)
	b := newBench(t, sources, append(pdbtest.Units(), "many.cpp"), "/bigobj", "/Od")
	if !bytes.HasPrefix(b.embed["many.cpp"], []byte("\x00\x00\xff\xff")) {
		t.Fatal("many.cpp is a plain object")
	}
	b.args = []string{"-debug:ghash"}
	private := b.private()
	b.same("private", private)
	b.same("merged", b.merged(private))
}

// Wherever the record says that the PDB lies, or which GUID it has, the link is the same.
func TestPatchedAndRestamped(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/O2")
	b.args = []string{"-debug:noghash"}
	private := b.private()
	patched := map[string][]byte{}
	for i, unit := range b.units {
		c, err := pdb.ParseCompiled(private[unit])
		if err != nil {
			t.Fatal(err)
		}
		data, err := pdb.Restamp(pdbtest.Read(t, b.dir, object(unit)+".pdb"), guid(200+i))
		if err != nil {
			t.Fatal(err)
		}
		path := fmt.Sprintf("elsewhere/%d.pdb", i)
		pdbtest.Write(t, b.dir, path, data)
		pdbtest.Write(t, b.dir, object(unit)+".pdb", []byte("no PDB"))
		server := pdb.TypeServer{GUID: guid(200 + i), Age: c.TypeServer().Age, Path: filepath.Join(b.dir, path)}
		if patched[unit], err = c.WithTypeServer(server); err != nil {
			t.Fatal(err)
		}
	}
	b.same("patched", patched)
}

// Reproducible compilers give every PDB the same GUID: the names tell them apart.
func TestEqualGUIDs(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/Od")
	b.args = []string{"-debug:ghash"}
	private := b.private()
	same := map[string][]byte{}
	for _, unit := range b.units {
		c, err := pdb.ParseCompiled(private[unit])
		if err != nil {
			t.Fatal(err)
		}
		data, err := pdb.Restamp(pdbtest.Read(t, b.dir, object(unit)+".pdb"), guid(300))
		if err != nil {
			t.Fatal(err)
		}
		pdbtest.Write(t, b.dir, object(unit)+".pdb", data)
		server := c.TypeServer()
		server.GUID = guid(300)
		if same[unit], err = c.WithTypeServer(server); err != nil {
			t.Fatal(err)
		}
	}
	b.same("private", same)
	b.same("merged", b.merged(same))
}

// An object that a compiler added to a PDB that others had been added to, in the same
// process or in later ones, which raise the age.
func TestSharedTypeServerGrows(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/Od")
	b.args = []string{"-debug:noghash"}
	memory := pdb.NewMemory(nil)
	store := pdb.Create(memory, guid(1))
	objects := map[string][]byte{}
	for i, unit := range b.units {
		var err error
		if objects[unit], err = pdbtest.Split(b.embed[unit], store, filepath.Join(b.dir, "shared.pdb")); err != nil {
			t.Fatal(err)
		}
		b.save(store, memory, "shared.pdb")
		if i == 1 || i == 2 {
			if store, err = pdb.Open(memory); err != nil {
				t.Fatal(err)
			}
		}
	}
	if store.Age() != 3 {
		t.Errorf("age %d", store.Age())
	}
	b.same("shared", objects)
}

// As with a precompiled header: every unit's PDB begins as a copy of one and the same,
// its GUID included.
func TestFanOut(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/Od")
	b.args = []string{"-debug:ghash"}
	base := pdb.NewMemory(nil)
	first := pdb.Create(base, guid(1))
	objects := map[string][]byte{}
	for i, unit := range b.units {
		memory, store := base, first
		if i > 0 {
			memory = pdb.NewMemory(bytes.Clone(base.Bytes()))
			var err error
			if store, err = pdb.Open(memory); err != nil {
				t.Fatal(err)
			}
		}
		split, err := pdbtest.Split(b.embed[unit], store, `Q:\private\`+filepath.Base(object(unit))+".pdb")
		if err != nil {
			t.Fatal(err)
		}
		objects[unit] = split
		b.save(store, memory, object(unit)+".pdb")
	}
	b.same("merged", b.merged(objects))
}

// Objects in a static library find the session's PDB from any folder.
func TestStaticLibrary(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/O2")
	merged := b.merged(b.private())
	members := b.units[1:]
	link := func(objects map[string][]byte) (exe, debug []byte) {
		var names []string
		for _, unit := range b.units {
			pdbtest.Write(t, b.dir, object(unit), objects[unit])
		}
		for _, unit := range members {
			names = append(names, object(unit))
		}
		pdbtest.Write(t, b.dir, "lib/x", nil)
		b.tools.Library(t, b.dir, "lib/units.lib", names...)
		return b.tools.Link(t, b.dir, "-debug:ghash", object(b.units[0]), "-wholearchive:lib/units.lib")
	}
	wantExe, wantDebug := link(b.embed)
	exe, debug := link(merged)
	if !bytes.Equal(exe, wantExe) || !bytes.Equal(debug, wantDebug) {
		t.Error("program or PDB differs from that of /Z7")
	}
}

// The comparisons can fail: with one number of one symbol changed, the PDB is another
// one; and without its PDB an object has no types, of which the linker warns.
func TestDifferencesShow(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/Od")
	b.args = []string{"-debug:noghash"}
	merged := b.merged(b.private())
	_, want := b.link(merged)
	changed := map[string][]byte{}
	maps.Copy(changed, merged)
	changed["b.cpp"] = confused(t, merged["b.cpp"])
	if _, debug := b.link(changed); bytes.Equal(debug, want) {
		t.Error("a confused object gives the same PDB")
	}
	if err := os.Remove(filepath.Join(b.dir, "vc140.pdb")); err != nil {
		t.Fatal(err)
	}
	if out := b.tools.LinkWarns(t, b.dir, "-debug", object("main.cpp"), object("b.cpp"), object("c.cpp"), object("d.c")); !strings.Contains(out, "LNK4099") {
		t.Errorf("no warning of a PDB that is missing:\n%s", out)
	}
}

// confused returns object with the type of one of its symbols replaced by another one.
func confused(t *testing.T, object []byte) []byte {
	t.Helper()
	o, err := pdb.ParseObject(object)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range o.Sections() {
		if s.Name != ".debug$S" {
			continue
		}
		data, done := bytes.Clone(s.Data), false
		err := pdb.VisitSymbolNumbers(data, func(space pdb.Space, field []byte) error {
			if space == pdb.Types && !done && field[1] >= 0x10 {
				field[0], done = field[0]^1, true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !done {
			continue
		}
		out, err := o.Replace(map[int][]byte{i: data})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	t.Fatal("no symbol with a type")
	return nil
}

// llvm-pdbutil sees wrong hashes and finds any record by its number.
func TestHashesAreSeen(t *testing.T) {
	b := newBench(t, pdbtest.Sources(), pdbtest.Units(), "/Od")
	b.merged(b.private())
	path := filepath.Join(b.dir, "vc140.pdb")
	out := b.tools.Check(t, path)
	if strings.Contains(out, "our hash") || !strings.Contains(out, "hash = 0x") {
		t.Errorf("hashes differ, or are not shown:\n%.2000s", out)
	}
	data := pdbtest.Read(t, b.dir, "vc140.pdb")
	at := bytes.Index(data, []byte("OnlyB\x00"))
	if at < 0 {
		t.Fatal("OnlyB is not in the PDB")
	}
	data[at] = 'P'
	pdbtest.Write(t, b.dir, "bad.pdb", data)
	if out := b.tools.Check(t, filepath.Join(b.dir, "bad.pdb")); !strings.Contains(out, "our hash") {
		t.Error("a wrong hash is not seen")
	}
}

// The streams of records, and the hashes, are, byte for byte, those that lld writes for the
// same records. mspdb lists the records that begin behind a multiple of 8 KiB, and so do we;
// lld lists those that end there.
func TestStreamsAreThoseOfTheLinker(t *testing.T) {
	sources, units := manyUnits(12)
	b := newBench(t, sources, units, "/Od")
	b.args = []string{"-debug:noghash"}
	_, debug := b.link(b.embed)
	linked, err := pdb.ReadPrivate(debug)
	if err != nil {
		t.Fatal(err)
	}
	memory := pdb.NewMemory(nil)
	store := pdb.Create(memory, guid(1))
	if _, err := store.Merge(linked); err != nil {
		t.Fatal(err)
	}
	b.save(store, memory, "again.pdb")
	for _, stream := range []int{2, 4} { // TPI, IPI
		want, got := typeStream(t, debug, stream), typeStream(t, memory.Bytes(), stream)
		for i, what := range []string{"records", "hashes"} {
			if at := difference(got[i], want[i]); at >= 0 {
				t.Errorf("%s of stream %d: %d bytes, by lld %d, the first difference at %d", what, stream, len(got[i]), len(want[i]), at)
			}
		}
		if len(want[0]) < 6<<10 {
			t.Errorf("stream %d has only %d bytes", stream, len(want[0]))
		}
	}
}

// difference returns the first place where a and b differ, -1 for none.
func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return min(len(a), len(b))
	}
	return -1
}

// typeStream returns a stream of records, without the number of its hash stream and where in
// there its adjusters would lie, of which it has none, and the hashes of its records.
func typeStream(t *testing.T, data []byte, number int) [2][]byte {
	t.Helper()
	m, err := pdb.ReadMSF(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	records, err := m.Stream(number)
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := m.Stream(int(binary.LittleEndian.Uint16(records[20:])))
	if err != nil {
		t.Fatal(err)
	}
	count := binary.LittleEndian.Uint32(records[12:]) - uint32(pdb.FirstIndex)
	clear(records[20:22])
	clear(records[48:52])
	return [2][]byte{records, hashes[:4*count]}
}
