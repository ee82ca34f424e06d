package pdbsession

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"
)

// errKilled is what everything ends in once the process is dead.
var errKilled = errors.New("killed")

// A doomed volume belongs to a process that is killed at its nth write: a block of a PDB
// that is changed in place, a temporary file or its renaming.
type doomed struct {
	osVolume
	writes int // that are left
}

func (d *doomed) write() error {
	if d.writes--; d.writes < 0 {
		return errKilled
	}
	return nil
}

func (d *doomed) open(path string) (openFile, error) {
	if d.writes < 0 {
		return nil, errKilled
	}
	f, err := d.osVolume.open(path)
	return &doomedFile{f, d}, err
}

func (d *doomed) replace(path string, data []byte, durable bool, ready func() error) error {
	temp := path + ".rexwrap-new"
	if d.write() != nil {
		return errors.Join(errKilled, os.WriteFile(temp, data[:len(data)/2], 0o666))
	}
	if d.write() != nil {
		return errors.Join(errKilled, os.WriteFile(temp, data, 0o666))
	}
	return d.osVolume.replace(path, data, durable, ready)
}

type doomedFile struct {
	openFile
	volume *doomed
}

func (f *doomedFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.volume.write(); err != nil {
		return 0, err
	}
	return f.openFile.WriteAt(p, at)
}

func (f *doomedFile) Truncate(size int64) error {
	if err := f.volume.write(); err != nil {
		return err
	}
	return f.openFile.Truncate(size)
}

// A server killed at any write, of a PDB that is written anew or changed in place, leaves
// one in which every object that was delivered finds its types, and which the next server
// goes on with. An object is delivered only when its types are there.
func TestKilledAtEachWrite(t *testing.T) {
	for name, inPlace := range map[string]int64{"anew": 1 << 30, "in place": 1, "both": 60 << 10} {
		t.Run(name, func(t *testing.T) {
			for kill := 0; ; kill++ {
				if !survives(t, inPlace, kill) {
					if kill < 4 {
						t.Errorf("only %d writes", kill)
					}
					return
				}
			}
		})
	}
}

// survives runs a server that is killed at a write, then another one, and reports whether
// the first one came to its end.
func survives(t *testing.T, inPlace int64, kill int) (killed bool) {
	t.Helper()
	r := newRig(t)
	r.options.InPlace = inPlace
	r.start()
	objects := map[*Member][]byte{}
	first := r.unit("first", 100)
	objects[first] = r.merged(first).Object
	guid := r.guid()

	r.options.volume = &doomed{writes: kill}
	r.start()
	for i := range 3 {
		m := r.unit(fmt.Sprint("doomed", i), 100+i)
		d, err := r.sessions.Deliver(r.id, m)
		if err != nil {
			t.Fatal(err)
		}
		if d.Form == Merged {
			objects[m] = d.Object
			continue
		}
		killed = true
		if !bytes.Contains([]byte(d.Detail), []byte("killed")) {
			t.Fatalf("%+v", d)
		}
		break
	}

	r.options.volume = nil
	r.start()
	last := r.unit("last", 7)
	objects[last] = r.merged(last).Object
	for m, object := range objects {
		r.check(m, object)
	}
	if r.guid() != guid {
		t.Errorf("write %d: the PDB was begun anew", kill)
	}
	if entries, err := os.ReadDir(r.dir); err != nil || len(entries) != 1 {
		t.Errorf("write %d: %v, %v", kill, entries, err)
	}
	return killed
}

// BootTime does not change while the system runs.
func TestBootTime(t *testing.T) {
	a, b := BootTime(), BootTime()
	if a.IsZero() || !sameBoot(a.Unix(), b) || a.After(time.Now()) {
		t.Errorf("%s, %s", a, b)
	}
	if sameBoot(a.Unix(), b.Add(time.Hour)) || sameBoot(time.Time{}.Unix(), time.Time{}) {
		t.Error("different starts are the same")
	}
}
