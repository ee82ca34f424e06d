package pdbsession

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// A journal in memory.
type journal struct {
	mu     sync.Mutex
	values map[string][]byte
}

func (j *journal) Load(key string) ([]byte, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	value, ok := j.values[key]
	return value, ok
}

func (j *journal) Store(key string, value []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.values[key] = bytes.Clone(value)
}

// A rig is a folder with one PDB.
type rig struct {
	testing.TB
	dir      string
	id       Identity
	options  Options
	sessions *Sessions
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, dir: t.TempDir()}
	r.options = Options{
		Journal: &journal{values: map[string][]byte{}}, LockDir: t.TempDir(), Idle: time.Hour,
		Patience: time.Millisecond, Boot: time.Unix(1e9, 0),
	}
	var err error
	if r.id, err = Identify(r.dir, "vc140.pdb", "vc140.pdb"); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(func() { r.sessions.Close() })
	return r
}

// start begins a new process, as after a kill: nothing is sealed.
func (r *rig) start() {
	if r.sessions != nil {
		for _, s := range r.sessions.all() {
			if s.release != nil {
				s.release() // a process's locks end with it
			}
			if s.idle != nil {
				s.idle.Stop()
			}
		}
	}
	r.sessions = New(r.options)
}

// unit returns a member of which n structures are its own.
func (r *rig) unit(name string, n int) *Member {
	r.Helper()
	var guid pdb.GUID
	copy(guid[:], "guid of "+name+" with padding")
	object, private := pdbtest.Fake(r, pdbtest.Unit{Common: 5, Own: n, Name: name, GUID: guid, Path: `Q:\private.pdb`})
	return &Member{
		Object: object, ObjectPath: filepath.Join(r.dir, name+".obj"),
		PDB: func() ([]byte, error) { return private, nil }, PDBKey: name + fmt.Sprint(n),
	}
}

func (r *rig) deliver(m *Member) *Delivery {
	r.Helper()
	d, err := r.sessions.Deliver(r.id, m)
	if err != nil {
		r.Fatal(err)
	}
	return d
}

// merged delivers m and checks that its symbols mean, in the PDB on disk, what they meant.
func (r *rig) merged(m *Member) *Delivery {
	r.Helper()
	d := r.deliver(m)
	if d.Form != Merged {
		r.Fatalf("%s is %s: %s %s", m.ObjectPath, d.Form, d.Reason, d.Detail)
	}
	r.check(m, d.Object)
	return d
}

func (r *rig) check(m *Member, object []byte) {
	r.Helper()
	private, err := m.PDB()
	if err != nil {
		r.Fatal(err)
	}
	r.onDisk().check(m, private, object)
}

// A state is what the PDB on disk holds.
type state struct {
	*rig
	info   pdb.Info
	shapes pdbtest.Shapes
}

func (r *rig) onDisk() *state {
	r.Helper()
	data := r.read()
	p, err := pdb.ReadPrivate(data)
	if err != nil {
		r.Fatal(err)
	}
	return &state{r, p.Info, pdbtest.ShapesOf(r, data)}
}

// check compares what object's symbols mean now with what they meant to the compiler.
func (s *state) check(m *Member, private, object []byte) {
	s.Helper()
	want := pdbtest.SymbolShapes(s, m.Object, pdbtest.ShapesOf(s, private))
	if got := pdbtest.SymbolShapes(s, object, s.shapes); !slices.Equal(got, want) {
		s.Errorf("%s: symbols mean something else", m.ObjectPath)
	}
	c, err := pdb.ParseCompiled(object)
	if err != nil {
		s.Fatal(err)
	}
	if server := c.TypeServer(); server.GUID != s.info.GUID || server.Age > s.info.Age {
		s.Errorf("%s: object wants %s age %d, PDB is %s age %d", m.ObjectPath, server.GUID, server.Age, s.info.GUID, s.info.Age)
	}
}

func (r *rig) read() []byte {
	r.Helper()
	data, err := os.ReadFile(r.id.Path)
	if err != nil {
		r.Fatal(err)
	}
	return data
}

func (r *rig) write(data []byte) {
	r.Helper()
	if err := os.WriteFile(r.id.Path, data, 0o666); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) guid() pdb.GUID {
	r.Helper()
	p, err := pdb.ReadPrivate(r.read())
	if err != nil {
		r.Fatal(err)
	}
	return p.Info.GUID
}

// An object stays valid while the PDB grows, is closed and opened, and passes the size from
// which on it is changed in place.
func TestGrowth(t *testing.T) {
	r := newRig(t)
	r.options.InPlace = 100 << 10
	r.start()
	objects := map[*Member][]byte{}
	var age uint32
	for i := range 30 {
		m := r.unit(fmt.Sprint("unit", i), 20+i)
		objects[m] = r.merged(m).Object
		if i%7 == 6 {
			r.sessions.Close()
		}
		status, err := Verify(r.id.Path)
		if err != nil || status.Age < age || int(status.Age) != 1+i/7 {
			t.Fatalf("after %d: %+v, %v", i, status, err)
		}
		age = status.Age
	}
	if info, err := os.Stat(r.id.Path); err != nil || info.Size() < r.options.InPlace {
		t.Fatalf("%v, %v: never changed in place", info, err)
	}
	for m, object := range objects {
		r.check(m, object)
	}
	if entries, err := os.ReadDir(r.dir); err != nil || len(entries) != 1 {
		t.Errorf("%v: litter, %v", entries, err)
	}
}

// Whatever the order in which members come, and however many at once, the PDB has the
// same types, and each object finds its own.
func TestConcurrentMembers(t *testing.T) {
	var want []pdbtest.Shape
	for seed := range uint64(4) {
		r := newRig(t)
		r.options.InPlace = 64 << 10
		r.start()
		var members []*Member
		for i := range 64 {
			members = append(members, r.unit(fmt.Sprint("unit", i%50), 10+i%50))
		}
		random := rand.New(rand.NewPCG(seed, 1))
		random.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		objects := r.deliverAll(members, 16)
		now := r.onDisk()
		for i, m := range members {
			private, err := m.PDB()
			if err != nil {
				t.Fatal(err)
			}
			now.check(m, private, objects[i])
		}
		if got := now.shapes.Sorted(); want == nil {
			want = got
		} else if !slices.Equal(got, want) {
			t.Errorf("seed %d: another set of types", seed)
		}
		if len(slices.Compact(now.shapes.Sorted())) != len(want) {
			t.Error("a type is there twice")
		}
	}
}

// deliverAll delivers members, width of them at a time.
func (r *rig) deliverAll(members []*Member, width int) [][]byte {
	r.Helper()
	objects := make([][]byte, len(members))
	next := make(chan int)
	var group sync.WaitGroup
	for range width {
		group.Go(func() {
			for i := range next {
				d, err := r.sessions.Deliver(r.id, members[i])
				if err != nil || d.Form != Merged {
					r.Errorf("%+v, %v", d, err)
					continue
				}
				objects[i] = d.Object
			}
		})
	}
	for i := range members {
		next <- i
	}
	close(next)
	group.Wait()
	return objects
}

// A member that was merged before is answered without its PDB being read, in this session
// and in later ones, and the PDB is not written again.
func TestMemo(t *testing.T) {
	r := newRig(t)
	m := r.unit("a", 50)
	first := r.merged(m)
	private, err := m.PDB()
	if err != nil {
		t.Fatal(err)
	}
	before := r.read()
	m.PDB = func() ([]byte, error) { return nil, errors.New("must not be read") }
	if again := r.deliver(m); !bytes.Equal(again.Object, first.Object) {
		t.Error("the same member gives another object")
	}
	if !bytes.Equal(r.read(), before) {
		t.Error("the PDB was written for nothing")
	}
	r.sessions.Close()
	d := r.deliver(m)
	if d.Form != Merged {
		t.Fatalf("%+v", d)
	}
	r.onDisk().check(m, private, d.Object)
}

func TestPlain(t *testing.T) {
	r := newRig(t)
	object := []byte("\x64\x86\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	d := r.deliver(&Member{Object: object})
	if d.Form != Plain || !bytes.Equal(d.Object, object) || d.Reason != "" {
		t.Errorf("%+v", d)
	}
	library := append([]byte("\x00\x00\xff\xff\x00\x00\x64\x86"), make([]byte, 100)...)
	if d := r.deliver(&Member{Object: library}); d.Form != Plain || !bytes.Equal(d.Object, library) || d.Reason != ReasonUnknownRecord {
		t.Errorf("%+v", d)
	}
	if _, err := os.Stat(r.id.Path); !os.IsNotExist(err) {
		t.Error("a PDB was made for an object without types")
	}
}

// private delivers m, expects that it keeps its PDB, and checks that the two belong together
// and to nothing else.
func (r *rig) private(m *Member, reason string) *Delivery {
	r.Helper()
	d := r.deliver(m)
	if d.Form != Private || d.Reason != reason || d.Detail == "" {
		r.Fatalf("%s: %s %q %q, want private %q", m.ObjectPath, d.Form, d.Reason, d.Detail, reason)
	}
	c, err := pdb.ParseCompiled(d.Object)
	if err != nil {
		r.Fatal(err)
	}
	guid := guidIn(r, d.PDB)
	original, err := pdb.ParseCompiled(m.Object)
	if err != nil {
		r.Fatal(err)
	}
	server := c.TypeServer()
	if server.GUID != guid || server.GUID == original.TypeServer().GUID || server.Path != d.PDBPath {
		r.Errorf("object names %s %s, PDB is %s %s", server.GUID, server.Path, guid, d.PDBPath)
	}
	if filepath.Dir(d.PDBPath) != r.dir || !slices.Contains(Reasons(), d.Reason) {
		r.Errorf("%s, %s", d.PDBPath, d.Reason)
	}
	return d
}

// guidIn returns the GUID of a PDB whose records are not looked at.
func guidIn(t testing.TB, data []byte) pdb.GUID {
	t.Helper()
	m, err := pdb.ReadMSF(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	info, err := m.Stream(1)
	if err != nil {
		t.Fatal(err)
	}
	return pdb.GUID(info[12:28])
}

func TestUnknownRecords(t *testing.T) {
	r := newRig(t)
	r.merged(r.unit("a", 1))
	before := r.read()
	unknownType := r.unit("b", 1)
	unknownType.Object, _ = pdbtest.Fake(t, pdbtest.Unit{Name: "b", Common: 1, GUID: pdb.GUID{7}})
	unknownType.PDB = func() ([]byte, error) { return unknownKind(t), nil }
	r.private(unknownType, ReasonUnknownRecord)
	unknownSymbol := r.unit("c", 1)
	at := bytes.Index(unknownSymbol.Object, []byte{0x08, 0x11})
	unknownSymbol.Object[at] = 0x72
	r.private(unknownSymbol, ReasonUnknownRecord)
	if !bytes.Equal(r.read(), before) {
		t.Error("the PDB has changed")
	}
	r.merged(r.unit("d", 1))
}

// unknownKind returns a PDB with a type record of a kind that is not known.
func unknownKind(t *testing.T) []byte {
	t.Helper()
	_, private := pdbtest.Fake(t, pdbtest.Unit{Name: "b", Common: 1, GUID: pdb.GUID{7}})
	at := bytes.Index(private, []byte{0x05, 0x15, 1, 0, 0, 2})
	private[at] = 0xFF
	return private
}

func TestMismatch(t *testing.T) {
	r := newRig(t)
	good, other := r.unit("good", 3), r.unit("other", 3)
	mixed := *good
	mixed.PDB, mixed.PDBKey = other.PDB, ""
	damaged := *good
	damaged.PDB, damaged.PDBKey = func() ([]byte, error) { return []byte("no PDB"), nil }, ""
	young := *good
	young.Object, _ = pdbtest.Fake(t, pdbtest.Unit{Common: 5, Own: 3, Name: "good", GUID: guidOf(t, good), Age: 9})
	young.PDBKey = ""
	missing := *good
	missing.PDBKey, missing.PDB = "", func() ([]byte, error) { return nil, os.ErrNotExist }
	object := *good
	object.Object = good.Object[:60]
	for name, m := range map[string]*Member{"PDB of another": &mixed, "damaged": &damaged, "younger": &young, "object": &object} {
		if d, err := r.sessions.Deliver(r.id, m); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: %+v, %v", name, d, err)
		}
		if err := Check(m.Object, m.PDB); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s: checked: %v", name, err)
		}
	}
	if err := Check(missing.Object, missing.PDB); !errors.Is(err, ErrMismatch) {
		t.Errorf("missing: checked: %v", err)
	}
	if err := Check(good.Object, good.PDB); err != nil {
		t.Errorf("good: checked: %v", err)
	}
	if _, err := r.sessions.Deliver(r.id, &missing); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	r.merged(good)
	mixed.PDBKey, mixed.Object = good.PDBKey, other.Object
	if _, err := r.sessions.Deliver(r.id, &mixed); !errors.Is(err, ErrMismatch) {
		t.Errorf("remembered PDB of another: %v", err)
	}
}

func guidOf(t *testing.T, m *Member) pdb.GUID {
	t.Helper()
	c, err := pdb.ParseCompiled(m.Object)
	if err != nil {
		t.Fatal(err)
	}
	return c.TypeServer().GUID
}

// A PDB that was deleted, within a session or between two, is begun anew with another GUID,
// so that older objects do not find wrong types.
func TestDeleted(t *testing.T) {
	for name, between := range map[string]bool{"open": false, "sealed": true} {
		r := newRig(t)
		r.merged(r.unit("a", 3))
		old := r.guid()
		if between {
			r.sessions.Close()
		}
		if err := os.Remove(r.id.Path); err != nil {
			t.Fatal(err)
		}
		r.merged(r.unit("b", 3))
		if r.guid() == old {
			t.Errorf("%s: the GUID is the old one", name)
		}
	}
}

// A PDB to which others have added is gone on with.
func TestForeignAppend(t *testing.T) {
	for name, between := range map[string]bool{"open": false, "sealed": true} {
		r := newRig(t)
		a := r.unit("a", 3)
		object := r.merged(a).Object
		if between {
			r.sessions.Close()
		}
		appendTo(t, r.id.Path, r.unit("foreign", 4))
		r.merged(r.unit("b", 5))
		r.check(a, object)
		status, err := Verify(r.id.Path)
		if err != nil || status.Types != 3*(5+3+4+5) || status.Age != 3 {
			t.Errorf("%s: %+v, %v", name, status, err)
		}
	}
}

// append_ adds m's types to the PDB at path as a compiler would.
func appendTo(t *testing.T, path string, m *Member) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	store, err := pdb.Open(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := m.PDB()
	if err != nil {
		t.Fatal(err)
	}
	p, err := pdb.ReadPrivate(data)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Merge(p); err != nil {
		t.Fatal(err)
	}
	if err := store.Commit(); err != nil {
		t.Fatal(err)
	}
}

// An intruder is a volume to whose PDB another process adds types while it is being written
// anew.
type intruder struct {
	osVolume
	intrude func() // nil for once it has
}

func (v *intruder) replace(path string, data []byte, durable bool, ready func() error) error {
	if v.intrude != nil {
		v.intrude()
		v.intrude = nil
	}
	return v.osVolume.replace(path, data, durable, ready)
}

// What another process adds while the PDB is being written anew is not lost.
func TestForeignAppendMeanwhile(t *testing.T) {
	r := newRig(t)
	v := &intruder{}
	r.options.volume = v
	r.start()
	a := r.unit("a", 3)
	object := r.merged(a).Object
	v.intrude = func() { appendTo(t, r.id.Path, r.unit("foreign", 4)) }
	b := r.unit("b", 5)
	r.check(b, r.merged(b).Object)
	r.check(a, object)
	if status, err := Verify(r.id.Path); err != nil || status.Types != 3*(5+3+4+5) {
		t.Errorf("%+v, %v", status, err)
	}
}

// A PDB that is touched, as is done when an object is put in place, is the same one; one of
// the same size and superblock, written over it, is not.
func TestTouched(t *testing.T) {
	r := newRig(t)
	a := r.unit("a", 3)
	object := r.merged(a).Object
	for i := range 3 {
		at := time.Unix(2e9+int64(i), 0)
		if err := os.Chtimes(r.id.Path, at, at); err != nil {
			t.Fatal(err)
		}
		r.merged(r.unit(fmt.Sprint("b", i), 3))
	}
	r.check(a, object)
	if list := r.sessions.List(); len(list) != 1 || list[0].Age != 1 || list[0].Members != 4 {
		t.Errorf("%+v: the PDB was opened again", list)
	}
	other, err := pdb.Restamp(r.read(), pdb.GUID{8, 14: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.write(other)
	at := time.Unix(3e9, 0)
	if err := os.Chtimes(r.id.Path, at, at); err != nil {
		t.Fatal(err)
	}
	r.private(r.unit("c", 3), ReasonChanged)
}

// When another PDB is put in the place of the one that is open, members keep their own, for
// as long as the session lasts; the next session goes on with what is there.
func TestReplaced(t *testing.T) {
	r := newRig(t)
	r.merged(r.unit("a", 3))
	_, other := pdbtest.Fake(t, pdbtest.Unit{Common: 2, Name: "other", GUID: pdb.GUID{3, 14: 1}})
	r.write(other)
	r.private(r.unit("b", 3), ReasonChanged)
	r.private(r.unit("c", 3), ReasonChanged)
	if !bytes.Equal(r.read(), other) {
		t.Error("the other PDB was written to")
	}
	r.sessions.Close()
	r.merged(r.unit("d", 3))
	if r.guid() != (pdb.GUID{3, 14: 1}) {
		t.Error("the next session has not gone on with the PDB that is there")
	}
}

// An older state of the PDB that is put back lacks types that objects refer to.
func TestPutBack(t *testing.T) {
	r := newRig(t)
	r.merged(r.unit("a", 3))
	old := r.read()
	guid := r.guid()
	r.merged(r.unit("b", 3))
	r.sessions.Close()
	r.write(old)
	r.merged(r.unit("c", 3))
	if r.guid() == guid {
		t.Error("an older PDB was gone on with")
	}
}

// A PDB that no session knows, well-formed as cl.exe leaves it, is gone on with; what is no
// type server is left alone; what is damaged is begun anew.
func TestFoundAtTheStart(t *testing.T) {
	_, other := pdbtest.Fake(t, pdbtest.Unit{Common: 2, Name: "other", GUID: pdb.GUID{3, 14: 1}})
	t.Run("type server", func(t *testing.T) {
		r := newRig(t)
		r.write(other)
		r.merged(r.unit("a", 3))
		if r.guid() != (pdb.GUID{3, 14: 1}) {
			t.Error("begun anew")
		}
	})
	t.Run("empty", func(t *testing.T) {
		r := newRig(t)
		r.write(nil)
		r.merged(r.unit("a", 3))
	})
	t.Run("damaged", func(t *testing.T) {
		r := newRig(t)
		r.write(other[:len(other)-5000])
		r.merged(r.unit("a", 3))
	})
	for name, data := range map[string][]byte{"text": []byte("no PDB at all, but somebody's text"), "features": withoutFeature(other)} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.write(data)
			r.private(r.unit("a", 3), ReasonForeign)
			if !bytes.Equal(r.read(), data) {
				t.Error("the file was written to")
			}
		})
	}
	t.Run("folder", func(t *testing.T) {
		r := newRig(t)
		if err := os.Mkdir(r.id.Path, 0o777); err != nil {
			t.Fatal(err)
		}
		r.private(r.unit("a", 3), ReasonForeign)
	})
}

// withoutFeature changes VC140 to another feature.
func withoutFeature(data []byte) []byte {
	data = bytes.Clone(data)
	at := bytes.Index(data, []byte{0xDC, 0x51, 0x33, 0x01})
	copy(data[at:], "NOTM")
	return data
}

// After a kill the PDB is gone on with, unless the system has stopped since: then types that
// objects refer to may be lost.
func TestKilled(t *testing.T) {
	for name, rebooted := range map[string]bool{"process": false, "system": true} {
		r := newRig(t)
		a := r.unit("a", 3)
		object := r.merged(a).Object
		guid := r.guid()
		if rebooted {
			r.options.Boot = r.options.Boot.Add(time.Hour)
		}
		r.start()
		r.merged(r.unit("b", 3))
		if anew := r.guid() != guid; anew != rebooted {
			t.Errorf("%s: begun anew %v", name, anew)
		}
		if !rebooted {
			r.check(a, object)
		}
	}
}

// Two servers do not write one PDB.
func TestOtherServer(t *testing.T) {
	r := newRig(t)
	r.merged(r.unit("a", 3))
	mine := r.sessions
	r.sessions = New(r.options)
	r.private(r.unit("b", 3), ReasonOtherServer)
	mine.Close()
	r.merged(r.unit("c", 3))
}

// A flaky volume fails in ways that tests choose.
type flaky struct {
	osVolume
	openError, replaceError error
	calls                   int
	// heals is the number of calls after which there are no errors.
	heals int
}

func (f *flaky) healed() bool {
	f.calls++
	return f.heals > 0 && f.calls > f.heals
}

func (f *flaky) open(path string) (openFile, error) {
	if f.openError != nil && !f.healed() {
		return nil, f.openError
	}
	return f.osVolume.open(path)
}

func (f *flaky) replace(path string, data []byte, durable bool, ready func() error) error {
	if f.replaceError != nil && !f.healed() {
		return f.replaceError
	}
	return f.osVolume.replace(path, data, durable, ready)
}

// A PDB that is in use is waited for; when that takes too long, members keep their own PDB,
// and do not wait again until it is free.
func TestLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		v := &flaky{}
		r.options.volume, r.options.Patience = v, 10*time.Second
		r.start()
		r.merged(r.unit("a", 3))

		v.openError, v.heals, v.calls = lockedError(), 5, 0
		begin := time.Now()
		r.merged(r.unit("b", 3))
		if waited := time.Since(begin); waited == 0 || waited > time.Second {
			t.Errorf("waited %s", waited)
		}
		v.heals, v.calls = 0, 0
		begin = time.Now()
		r.private(r.unit("c", 3), ReasonLocked)
		if waited := time.Since(begin); waited < 10*time.Second || waited > 11*time.Second {
			t.Errorf("waited %s", waited)
		}
		begin = time.Now()
		r.private(r.unit("d", 3), ReasonLocked)
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("waited %s once more", waited)
		}
		v.openError = nil
		r.merged(r.unit("e", 3))
		r.sessions.Close()
	})
}

// A PDB that cannot be written leaves the one before in place.
func TestUnwritable(t *testing.T) {
	r := newRig(t)
	v := &flaky{}
	r.options.volume = v
	r.start()
	a := r.unit("a", 3)
	object := r.merged(a).Object
	v.replaceError = errors.New("disk full")
	r.private(r.unit("b", 3), ReasonUnwritable)
	r.check(a, object)
	v.replaceError = nil
	r.merged(r.unit("c", 3))
	r.check(a, object)
}

// A session without members is sealed after a while; a later member opens it again.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.options.Idle = 30 * time.Second
		r.start()
		a := r.unit("a", 3)
		object := r.merged(a).Object
		<-time.After(29 * time.Second)
		if list := r.sessions.List(); len(list) != 1 || list[0].Path != r.id.Path || list[0].Members != 1 {
			t.Errorf("%+v", list)
		}
		r.merged(r.unit("b", 3))
		<-time.After(31 * time.Second)
		synctest.Wait()
		if list := r.sessions.List(); len(list) != 0 {
			t.Errorf("%+v", list)
		}
		r.merged(r.unit("c", 3))
		r.check(a, object)
		if n := r.sessions.Seal(func(path string) bool { return path == r.id.Path }); n != 1 {
			t.Errorf("%d sealed", n)
		}
		r.sessions.Close()
	})
}

// A gate holds the first write back until it is opened, and counts all.
type gate struct {
	osVolume
	reached, opened chan struct{}
	writes          int
}

func (g *gate) replace(path string, data []byte, durable bool, ready func() error) error {
	if g.writes++; g.writes == 1 {
		close(g.reached)
		<-g.opened
	}
	return g.osVolume.replace(path, data, durable, ready)
}

// Members that come while the PDB is written are written together.
func TestGroup(t *testing.T) {
	r := newRig(t)
	v := &gate{reached: make(chan struct{}), opened: make(chan struct{})}
	r.options.volume = v
	r.start()
	const later = 20
	var group sync.WaitGroup
	deliver := func(m *Member) {
		group.Go(func() {
			if d, err := r.sessions.Deliver(r.id, m); err != nil || d.Form != Merged {
				t.Errorf("%+v, %v", d, err)
			}
		})
	}
	deliver(r.unit("first", 3))
	<-v.reached
	for i := range later {
		deliver(r.unit(fmt.Sprint("later", i), 3))
	}
	for s := r.sessions.session(r.id); s.waiting.Load() < later; {
		runtime.Gosched()
	}
	close(v.opened)
	group.Wait()
	if v.writes != 2 {
		t.Errorf("%d writes for 1 + %d members", v.writes, later)
	}
}

// A PDB that has reached the limits of its format is left as it is.
func TestFull(t *testing.T) {
	r := newRig(t)
	v := &flaky{}
	r.options.volume = v
	r.start()
	r.merged(r.unit("a", 3))
	v.replaceError = pdb.ErrFull
	r.private(r.unit("b", 3), ReasonFull)
}

// A volume that counts what waits for the disk.
type patientDisk struct {
	osVolume
	syncs, replaced int
}

type syncedFile struct {
	openFile
	disk *patientDisk
}

func (d *patientDisk) open(path string) (openFile, error) {
	f, err := d.osVolume.open(path)
	return &syncedFile{f, d}, err
}

func (f *syncedFile) Sync() error {
	f.disk.syncs++
	return f.openFile.Sync()
}

func (d *patientDisk) replace(path string, data []byte, durable bool, ready func() error) error {
	if durable {
		d.replaced++
	}
	return d.osVolume.replace(path, data, durable, ready)
}

// Members wait for the disk when they are asked to, and only then.
func TestDurable(t *testing.T) {
	for _, durable := range []bool{false, true} {
		r := newRig(t)
		v := &patientDisk{}
		r.options.volume, r.options.InPlace, r.options.Durable = v, 1, durable
		r.start()
		for i := range 3 { // the first one writes anew, the others in place
			r.merged(r.unit(fmt.Sprint("unit", i), 30))
		}
		wantReplaced, wantSyncs := 0, 0
		if durable {
			wantReplaced, wantSyncs = 1, 2*2
		}
		if v.replaced != wantReplaced || v.syncs != wantSyncs {
			t.Errorf("durable %v: %d replaced, %d syncs", durable, v.replaced, v.syncs)
		}
	}
}
