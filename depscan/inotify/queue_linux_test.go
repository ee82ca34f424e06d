package inotify

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func newQueue(t *testing.T) *Queue {
	t.Helper()
	q := New()
	if q == nil {
		t.Fatal("the system gives no inotify")
	}
	t.Cleanup(q.Close)
	return q
}

func TestDrainTellsWhatHasHappened(t *testing.T) {
	q, dir := newQueue(t), t.TempDir()
	wd, err := q.Add(dir, unix.IN_CREATE|unix.IN_DELETE_SELF)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "new"), 0o755); err != nil {
		t.Fatal(err)
	}
	var names []string
	note := func(ev Event) bool {
		if ev.WD != wd || ev.Mask&unix.IN_CREATE == 0 {
			t.Errorf("%+v", ev)
		}
		names = append(names, string(ev.Name))
		return true
	}
	if !q.Drain(note) || len(names) != 1 || names[0] != "new" {
		t.Errorf("names %q", names)
	}
	if !q.Drain(note) || len(names) != 1 {
		t.Errorf("an event was told twice: %q", names)
	}
}

func TestLostEvents(t *testing.T) {
	q, dir := newQueue(t), t.TempDir()
	if _, err := q.Add(dir, unix.IN_ATTRIB|unix.IN_DELETE_SELF|unix.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("/proc/sys/fs/inotify/max_queued_events")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40_000 { // two names, so that equal events are not merged
		if err := os.Chmod(dir, 0o700+os.FileMode(i%2)); err != nil {
			t.Fatal(err)
		}
		if f, err := os.Open(dir); err == nil {
			f.Close()
		}
	}
	if q.Drain(func(Event) bool { return true }) {
		t.Errorf("more than %s events were told", data)
	}
	if !q.Restart() || !q.Drain(func(ev Event) bool { t.Errorf("%+v after a new start", ev); return true }) {
		t.Error("no new start")
	}
}

func TestRemovedWatchesCountNoMore(t *testing.T) {
	q := newQueue(t)
	q.Limit(2)
	var dirs [3]string
	for i := range dirs {
		dirs[i] = filepath.Join(t.TempDir(), "d")
		if err := os.Mkdir(dirs[i], 0o755); err != nil {
			t.Fatal(err)
		}
	}
	add := func(i int) (int32, error) { return q.Add(dirs[i], unix.IN_DELETE_SELF) }
	first, err := add(0)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := add(0); err != nil || again != first {
		t.Errorf("the same directory: %d and %d, %v", first, again, err)
	}
	if _, err := add(1); err != nil {
		t.Error(err)
	}
	if _, err := add(2); !errors.Is(err, ErrFull) {
		t.Errorf("the third: %v", err)
	}
	q.Remove(first)
	if _, err := add(2); err != nil {
		t.Error(err)
	}
	if err := os.Remove(dirs[1]); err != nil {
		t.Fatal(err)
	}
	if !q.Drain(func(Event) bool { return true }) {
		t.Error("all is to begin anew")
	}
	if _, err := add(0); err != nil {
		t.Error(err)
	}
}

func TestIsLocal(t *testing.T) {
	q := newQueue(t)
	for path, want := range map[string]bool{"/proc": false, "/sys": false, "/dev/shm": true} {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			t.Fatal(err)
		}
		if got := q.IsLocal(path, st.Dev); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
}
