package filestate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
)

func of(s string) digest.Digest { return digest.OfString(s) }

// mustDigest fails the test unless path is seen to hold want.
func mustDigest(t *testing.T, s *State, path, want string) {
	t.Helper()
	got, err := s.Digest(path)
	if err != nil || got != of(want) {
		t.Fatalf("Digest(%s) = %v, %v, want the digest of %q", path, got, err, want)
	}
}

// kinds are file systems of every class, with the coarsest stamps each may have.
var kinds = map[string]struct {
	vol         volume
	granularity int64
}{
	"ns":        {volume{class: local}, 1},
	"tick":      {volume{class: local}, tick},
	"second":    {volume{class: local}, second},
	"twoSecond": {volume{class: local}, 2 * second},
	"remote":    {volume{class: remote}, second},
	"opaque":    {volume{class: opaque}, second},
	"stampless": {volume{class: stampless}, 2 * second},
}

// TestNeverStale edits one file in every way that keeps its size, at every pace,
// and expects the new content to be seen at once.
func TestNeverStale(t *testing.T) {
	edits := map[string]func(f *fakeFS, data string){
		"write": func(f *fakeFS, data string) { f.write("/d/x", data) },
		"write, mtime set back": func(f *fakeFS, data string) {
			was := f.nodes["/d/x"].key.mtime
			f.write("/d/x", data)
			f.chtimes("/d/x", was)
		},
		"replace by rename": func(f *fakeFS, data string) {
			f.write("/d/tmp", data)
			f.rename("/d/tmp", "/d/x")
		},
		"replace, inode reused": func(f *fakeFS, data string) {
			ino := f.nodes["/d/x"].key.ino
			f.remove("/d/x")
			f.write("/d/x", data)
			f.nodes["/d/x"].key.ino = ino
		},
		"write through a hard link": func(f *fakeFS, data string) {
			f.nodes["/d/link"] = f.nodes["/d/x"]
			f.write("/d/link", data)
		},
	}
	for kind, k := range kinds {
		for edit, apply := range edits {
			for _, pace := range []int64{0, 1, tick / 2, tick, 2 * tick, second, 2 * second, 5 * second} {
				if strings.Contains(edit, "back") && k.vol.class == opaque {
					continue // shows no ctime of its own before the first one
				}
				f := newFake(k.vol, k.granularity)
				s := newState(Options{}, f)
				f.write("/d/x", "00")
				for i := range 40 {
					if i%3 == 0 {
						f.advance(pace)
					}
					mustDigest(t, s, "/d/x", string([]byte{byte('0' + i/10), byte('0' + i%10)}))
					if i%2 == 0 {
						f.advance(pace)
					}
					mustDigest(t, s, "/d/x", string([]byte{byte('0' + i/10), byte('0' + i%10)}))
					next := i + 1
					apply(f, string([]byte{byte('0' + next/10), byte('0' + next%10)}))
					if t.Failed() {
						t.Fatalf("%s on %s at pace %d", edit, kind, pace)
					}
				}
			}
		}
	}
}

func TestMemory(t *testing.T) {
	for kind, want := range map[string]int{"ns": 1, "tick": 1, "second": 1, "remote": 2, "stampless": 4} {
		t.Run(kind, func(t *testing.T) {
			k := kinds[kind]
			f := newFake(k.vol, k.granularity)
			s := newState(Options{}, f)
			f.write("/d/x", "x")
			f.advance(10 * second)
			for range 4 {
				mustDigest(t, s, "/d/x", "x")
				f.advance(10 * second)
			}
			if f.reads != want {
				t.Errorf("%d reads, want %d", f.reads, want)
			}
		})
	}
}

func TestOpaqueNeedsCtime(t *testing.T) {
	f := newFake(volume{class: opaque}, 1)
	s := newState(Options{}, f)
	f.write("/d/x", "x")
	f.advance(10 * second)
	for range 4 {
		mustDigest(t, s, "/d/x", "x")
		f.advance(10 * second)
	}
	if f.reads != 4 {
		t.Errorf("%d reads of a file system that has shown no ctime, want 4", f.reads)
	}
	f.write("/d/y", "y")
	f.advance(second)
	f.chtimes("/d/y", 5)
	mustDigest(t, s, "/d/y", "y")
	mustDigest(t, s, "/d/x", "x")
	reads := f.reads
	mustDigest(t, s, "/d/x", "x")
	if f.reads != reads {
		t.Error("read again although the file system keeps a ctime")
	}
}

func TestYoungFileIsReadAgain(t *testing.T) {
	f := newFake(volume{class: local}, tick)
	s := newState(Options{}, f)
	f.write("/d/x", "x")
	mustDigest(t, s, "/d/x", "x")
	mustDigest(t, s, "/d/x", "x")
	if f.reads != 2 {
		t.Errorf("%d reads within the gap, want 2", f.reads)
	}
	f.advance(3 * tick)
	mustDigest(t, s, "/d/x", "x")
	mustDigest(t, s, "/d/x", "x")
	if f.reads != 3 {
		t.Errorf("%d reads after the gap, want 3", f.reads)
	}
}

func TestClockSetBack(t *testing.T) {
	f := newFake(volume{class: local}, second)
	s := newState(Options{}, f)
	f.write("/d/x", "old")
	f.advance(60 * second)
	mustDigest(t, s, "/d/x", "old")
	f.clock.real -= 60 * second // the second in which x was written begins again
	f.write("/d/x", "new")
	mustDigest(t, s, "/d/x", "new")
}

func TestSkewedServer(t *testing.T) {
	for _, lag := range []int64{-3600 * second, 3600 * second} {
		f := newFake(volume{class: remote}, second)
		f.lag = lag
		s := newState(Options{}, f)
		f.write("/d/x", "1")
		mustDigest(t, s, "/d/x", "1")
		f.write("/d/x", "2")
		mustDigest(t, s, "/d/x", "2")
		f.advance(second / 4)
		f.write("/d/x", "3")
		mustDigest(t, s, "/d/x", "3")
	}
}

func TestChangedWhileRead(t *testing.T) {
	f := newFake(volume{class: local}, 1)
	s := newState(Options{}, f)
	f.write("/d/x", "1")
	f.advance(second)
	f.afterRead = func() { f.advance(1); f.write("/d/x", "2") }
	if _, err := s.Digest("/d/x"); !errors.Is(err, ErrUnstable) {
		t.Errorf("file written during every read: %v, want ErrUnstable", err)
	}
	f.afterRead = nil
	mustDigest(t, s, "/d/x", "2")
}

// TestRead checks that bytes and digest belong together, and that the digest is
// known afterwards.
func TestRead(t *testing.T) {
	f := newFake(volume{class: local}, 1)
	s := newState(Options{}, f)
	f.write("/d/x", "1")
	f.advance(second)
	changes := 2
	f.afterRead = func() {
		if changes--; changes >= 0 {
			f.advance(1)
			f.write("/d/x", fmt.Sprint(changes))
			f.advance(second)
		}
	}
	data, d, err := s.Read("/d/x", nil)
	if err != nil || string(data) != "0" || d != digest.Of(data) {
		t.Errorf("read %q, %v, %v", data, d, err)
	}
	reads := f.reads
	mustDigest(t, s, "/d/x", "0")
	if f.reads != reads {
		t.Error("read again for the digest")
	}
	room := []byte("room of somebody else")[:0:21]
	large := make([]byte, 9, 2*bytes.MinRead)
	for _, r := range [][]byte{room, large} {
		data, _, err = s.Read("/d/x", r)
		if inside := &data[0] == &r[:1][0]; err != nil || string(data) != "0" || inside != (cap(r) > bytes.MinRead) {
			t.Errorf("read %q into room for %d, in it: %v, %v", data, cap(r), inside, err)
		}
	}
	changes = 9
	if _, _, err := s.Read("/d/x", large); !errors.Is(err, ErrUnstable) {
		t.Errorf("file written during every read: %v, want ErrUnstable", err)
	}
	if _, _, err := s.Read("/d", nil); !errors.Is(err, ErrNotRegular) {
		t.Errorf("directory: %v", err)
	}
}

func TestDigestErrors(t *testing.T) {
	f := newFake(volume{class: local}, 1)
	s := newState(Options{}, f)
	if _, err := s.Digest("/d/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := s.Digest("/d"); !errors.Is(err, ErrNotRegular) {
		t.Errorf("directory: %v", err)
	}
}

func TestRecord(t *testing.T) {
	f := newFake(volume{class: local, fine: true}, 1)
	s := newState(Options{}, f)
	f.write("/d/tmp", "obj")
	f.advance(1)
	f.rename("/d/tmp", "/d/x.o")
	s.Record("/d/x.o", of("obj"))
	mustDigest(t, s, "/d/x.o", "obj")
	if f.reads != 0 {
		t.Error("own output was read")
	}
	f.advance(1)
	f.write("/d/x.o", "OBJ") // by another, before it is recorded
	s.Record("/d/x.o", of("obj"))
	mustDigest(t, s, "/d/x.o", "OBJ")
}

func TestDigestSince(t *testing.T) {
	for kind, k := range kinds {
		f := newFake(k.vol, k.granularity)
		s := newState(Options{}, f)
		f.write("/d/x", "1")
		f.advance(600 * second)
		m := s.Mark()
		f.advance(tick)
		if d, settled, err := s.DigestSince("/d/x", m); err != nil || d != of("1") || !settled {
			t.Errorf("%s: old file: %v, %v, want settled", kind, settled, err)
		}
		f.write("/d/x", "2")
		if d, settled, err := s.DigestSince("/d/x", m); err != nil || d != of("2") || settled {
			t.Errorf("%s: file written during the compile: %v, %v, want not settled", kind, settled, err)
		}
		f.write("/d/y", "1")
		f.advance(600 * second)
		m = s.Mark()
		f.clock.real -= 300 * second
		if _, settled, _ := s.DigestSince("/d/y", m); settled {
			t.Errorf("%s: settled although the clock was set", kind)
		}
	}
}

func TestXattr(t *testing.T) {
	f := newFake(volume{class: local}, 1)
	s := newState(Options{Xattr: "user.sha256"}, f)
	offered := of("offered")
	for name, value := range map[string]string{"raw": string(offered.Hash[:]), "hex": offered.Hex()} {
		f.create("/d/"+name, &fakeNode{kind: Regular, data: []byte("7 bytes"), xattr: map[string]string{"user.sha256": value}})
		mustDigest(t, s, "/d/"+name, "offered")
	}
	for name, value := range map[string]string{"short": "abcd", "nohex": strings.Repeat("x", 64), "long": strings.Repeat("a", 65)} {
		f.create("/d/"+name, &fakeNode{kind: Regular, data: []byte("own"), xattr: map[string]string{"user.sha256": value}})
		mustDigest(t, s, "/d/"+name, "own")
	}
}

func TestLimit(t *testing.T) {
	f := newFake(volume{class: local}, 1)
	s := newState(Options{Limit: 100}, f)
	for i := range 1000 {
		p := "/d/" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26)
		f.write(p, "x")
		mustDigest(t, s, p, "x")
	}
	if n := len(s.files.rows); n > 100 {
		t.Errorf("%d files remembered, want at most 100", n)
	}
}

func TestSnapshot(t *testing.T) {
	f := newFake(volume{class: local, id: volumeID{1}}, 1)
	s := newState(Options{}, f)
	s.machineID = machineFile(t, strings.Repeat("a", 32))
	f.write("/d/old", "old")
	f.write("/d/edited", "edited")
	f.advance(second)
	f.write("/d/young", "young")
	for _, p := range []string{"old", "edited", "young"} {
		mustDigest(t, s, "/d/"+p, p)
	}
	var saved bytes.Buffer
	if err := s.Snapshot(&saved); err != nil {
		t.Fatal(err)
	}

	restart := func(machine string) *State {
		s := newState(Options{}, f)
		s.machineID = machine
		return s
	}
	f.reads = 0
	f.advance(second)
	f.write("/d/edited", "EDITED")
	for _, n := range f.nodes {
		n.key.dev = 99 // mounted anew
	}
	again := restart(s.machineID)
	if err := again.Load(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	mustDigest(t, again, "/d/old", "old")
	if f.reads != 0 {
		t.Error("a file that the snapshot knows was read")
	}
	mustDigest(t, again, "/d/edited", "EDITED")
	mustDigest(t, again, "/d/young", "young")
	if f.reads != 2 {
		t.Errorf("%d reads, want 2", f.reads)
	}

	f.vol.id = volumeID{2}
	other := restart(s.machineID)
	if err := other.Load(bytes.NewReader(saved.Bytes())); err != nil {
		t.Fatal(err)
	}
	f.reads = 0
	if mustDigest(t, other, "/d/old", "old"); f.reads != 1 {
		t.Error("a digest of another file system was taken")
	}
	if err := restart(machineFile(t, strings.Repeat("b", 32))).Load(bytes.NewReader(saved.Bytes())); !errors.Is(err, ErrSnapshot) {
		t.Errorf("snapshot of another machine: %v, want ErrSnapshot", err)
	}
	for i := range saved.Len() {
		damaged := bytes.Clone(saved.Bytes())
		damaged[i] ^= 0x40
		if err := restart(s.machineID).Load(bytes.NewReader(damaged)); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("byte %d damaged: %v, want ErrSnapshot", i, err)
		}
		if err := restart(s.machineID).Load(bytes.NewReader(saved.Bytes()[:i])); !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut after %d bytes: %v, want ErrSnapshot", i, err)
		}
	}
}
