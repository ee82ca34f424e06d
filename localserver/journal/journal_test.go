package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/client/digest"
)

func open(t *testing.T, m *memory, o Options) *Journal {
	t.Helper()
	j := Open(m, m, o)
	t.Cleanup(j.Close)
	return j
}

func miss(output string, wall time.Duration) *Record {
	return &Record{
		Outcome: ExecutedLocal, Output: output, Time: time.UnixMicro(1e15),
		Spent: Cost{Wall: wall}, Bytes: 100, Key: &KeyParts{Args: []string{"-c"}, Source: digest.OfString(output), Inputs: digest.OfString("none")},
	}
}

func hit(output string, saved time.Duration) *Record {
	r := miss(output, 0)
	r.Outcome, r.Saved = HitLocal, Cost{Wall: saved, MaxRSS: 1 << 20}
	return r
}

func aside(reason string) *Record { return &Record{Outcome: SteppedAside, Reason: reason} }

func ids(j *Journal) []string {
	var out []string
	for r := range j.Down() {
		out = append(out, r.ID.String())
	}
	return out
}

func TestAddGivesPlaces(t *testing.T) {
	j := open(t, newMemory(), Options{})
	for _, r := range []*Record{miss("/a.o", time.Second), aside("link"), miss("/b.o", 0), hit("/a.o", time.Second)} {
		j.Add(r)
	}
	if got := j.Last(); got != 4 {
		t.Errorf("last = %s", got)
	}
	if diff := cmp.Diff([]string{"r4", "r3", "r2", "r1"}, ids(j)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if r := j.Find("/a.o"); r == nil || r.ID != 4 || r.Earlier != 1 {
		t.Errorf("Find(/a.o) = %+v", r)
	}
	if r := j.Record(1); r == nil || r.Earlier != 0 || r.Cause != CauseFirst {
		t.Errorf("Record(1) = %+v", r)
	}
	if j.Record(5) != nil || j.Record(0) != nil || j.Find("/c.o") != nil {
		t.Error("found what is not there")
	}
}

func TestFindBySource(t *testing.T) {
	j := open(t, newMemory(), Options{})
	r := miss("/b/a.o", 0)
	r.Dir, r.Source = "/s", "a.c"
	j.Add(r)
	if got := j.Find("/s/a.c"); got == nil || got.ID != 1 {
		t.Errorf("Find(/s/a.c) = %+v", got)
	}
}

func TestRestart(t *testing.T) {
	m := newMemory()
	j := Open(m, m, Options{})
	first := miss("/a.o", time.Second)
	j.Add(first)
	j.Add(aside("link"))
	j.Close()

	j = open(t, m, Options{})
	if s := j.Stats(); s.Calls != 2 || s.Misses != 1 || s.Reasons["link"] != 1 {
		t.Errorf("stats after restart: %+v", s)
	}
	j.Add(hit("/a.o", time.Second))
	r := j.Find("/a.o")
	if r == nil || r.ID != 3 || r.Earlier != 1 {
		t.Fatalf("Find = %+v", r)
	}
	if diff := cmp.Diff(first, j.Record(1)); diff != "" {
		t.Errorf("record 1 after restart (-want +got):\n%s", diff)
	}
}

// TestKilled loses the ring's state, which is written last.
func TestKilled(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	for range 5 {
		j.Add(miss("/a.o", 0))
	}
	j.Sync()
	m.DeleteMeta(bucketState, "ring")
	m.DeleteMeta(bucketState, "counters")
	j = open(t, m, Options{})
	j.Add(miss("/a.o", 0))
	if got := j.Last(); got != 6 {
		t.Errorf("last = %s, want r6", got)
	}
}

func TestGarbageIsMissing(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	j.Add(miss("/a.o", 0))
	j.Add(miss("/b.o", 0))
	j.Sync()
	for key := range m.values {
		m.values[key] = []byte{0xff, 1, 2}
	}
	j = open(t, m, Options{})
	if got := ids(j); len(got) != 0 {
		t.Errorf("records %v", got)
	}
	j.Add(miss("/a.o", 0))
	if r := j.Find("/a.o"); r == nil || r.ID != 3 || r.Cause != CauseFirst {
		t.Errorf("Find = %+v", r)
	}
}

func TestRingByCount(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{MaxRecords: 64})
	for i := range 1000 {
		j.Add(miss(fmt.Sprintf("/%d.o", i), 0))
		if i%10 == 0 {
			j.Sync()
		}
	}
	j.Sync()
	if n := len(m.keys(bucketRecords, "")); n > 64 || n < 32 {
		t.Errorf("%d records are kept", n)
	}
	if n := len(m.keys(bucketOutputs, "")); n > 64 {
		t.Errorf("%d outputs are remembered", n)
	}
	if j.Find("/999.o") == nil || j.Record(1000) == nil {
		t.Error("the latest record is gone")
	}
}

func TestRingByBytes(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{MaxBytes: 64 << 10})
	for range 500 {
		r := miss("/a.o", 0)
		r.Key.Args = []string{strings.Repeat("x", 1000)}
		j.Add(r)
		j.Sync()
	}
	total := 0
	for _, data := range m.EachMeta(bucketRecords, "") {
		total += len(data)
	}
	if total > 64<<10 || total < 48<<10 {
		t.Errorf("%d bytes are kept", total)
	}
	if r := j.Find("/a.o"); r == nil || r.ID != 500 || r.Earlier != 499 {
		t.Errorf("Find = %+v", r)
	}
}

func TestRecordLargerThanRing(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{MaxBytes: 100})
	for range 3 {
		r := miss("/a.o", 0)
		r.Key.Args = []string{strings.Repeat("x", 1000)}
		j.Add(r)
		j.Sync()
	}
	if n := len(m.keys(bucketRecords, "")); n > 1 {
		t.Errorf("%d records are kept", n)
	}
	if got := j.Last(); got != 3 {
		t.Errorf("last = %s", got)
	}
}

func TestReadOnlyBackend(t *testing.T) {
	m := newMemory()
	m.readOnly = true
	j := open(t, m, Options{MaxRecords: 10})
	for range 400 {
		j.Add(miss("/a.o", time.Second))
		j.Sync()
	}
	if s := j.Stats(); s.Misses != 400 {
		t.Errorf("stats: %+v", s)
	}
	if r := j.Find("/a.o"); r == nil || r.ID != 400 || r.Earlier != 399 {
		t.Errorf("Find = %+v", r)
	}
}

func TestStats(t *testing.T) {
	now := time.Unix(1000, 0)
	j := open(t, newMemory(), Options{Now: func() time.Time { return now }})
	merged, remote, fell, failed := hit("/a.o", time.Second), hit("/a.o", time.Second), aside("unavailable"), aside("config")
	merged.Outcome, remote.Outcome, fell.Outcome, failed.Outcome = Merged, HitRemote, FellBack, Failed
	notStored := miss("/c.o", time.Second)
	notStored.Reason, notStored.Status = "failed", 1
	executed := miss("/d.o", 4*time.Second)
	executed.Outcome = ExecutedRemote
	again := miss("/a.o", 10*time.Second)
	again.Key.Source = digest.OfString("edited")
	for _, r := range []*Record{
		miss("/a.o", 2*time.Second), hit("/a.o", 2*time.Second), merged, remote, fell, failed,
		aside("link"), aside("link"), notStored, executed, again,
	} {
		j.Add(r)
	}
	j.Verified(false)
	j.Verified(true)
	want := &Stats{
		SchemaVersion: 1, Since: 1000, Calls: 11, HitsLocal: 1, HitsRemote: 1, Merged: 1, Misses: 4,
		ExecutedLocal: 3, ExecutedRemote: 1, SteppedAside: 2, FellBack: 1, Errors: 1, BytesStored: 300,
		Reasons:     map[string]int64{"link": 2, "unavailable": 1, "config": 1},
		NotStored:   map[string]int64{"failed": 1},
		TimeAvoided: 4, TimeSpent: 17, VerifyRuns: 2, VerifyDifferences: 1,
		MissCauses: []CauseCount{{CauseSource, 1, 10}, {CauseFirst, 3, 7}}, Warnings: []string{},
	}
	if diff := cmp.Diff(want, j.Stats()); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	now = time.Unix(2000, 0)
	j.Zero()
	want = &Stats{SchemaVersion: 1, Since: 2000, Reasons: map[string]int64{}, NotStored: map[string]int64{}, MissCauses: []CauseCount{}, Warnings: []string{}}
	if diff := cmp.Diff(want, j.Stats()); diff != "" {
		t.Errorf("zeroed stats (-want +got):\n%s", diff)
	}
}

// pass lets time go by in a synctest bubble.
func pass(d time.Duration) { <-time.After(d) }

func TestBatchesAreWrittenAfterDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		j := Open(m, m, Options{Delay: time.Second})
		defer j.Close()
		j.Add(miss("/a.o", 0))
		pass(999 * time.Millisecond)
		synctest.Wait()
		if n := len(m.keys(bucketRecords, "")); n != 0 {
			t.Errorf("%d records were written at once", n)
		}
		pass(2 * time.Millisecond)
		synctest.Wait()
		if n := len(m.keys(bucketRecords, "")); n != 1 {
			t.Errorf("%d records were written after the delay", n)
		}
	})
}

func TestTail(t *testing.T) {
	j := open(t, newMemory(), Options{})
	for range 5 {
		j.Add(aside("link"))
	}
	var got []ID
	each := func(r *Record) error { got = append(got, r.ID); return nil }
	if err := j.Tail(t.Context(), 3, false, each); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]ID{3, 4, 5}, got); diff != "" {
		t.Errorf("tail (-want +got):\n%s", diff)
	}
	stop := errors.New("stop")
	if err := j.Tail(t.Context(), 3, false, func(*Record) error { return stop }); err != stop {
		t.Errorf("error %v", err)
	}
}

func TestTailFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		j := Open(m, m, Options{})
		defer j.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var got []ID
		var done sync.WaitGroup
		j.Add(aside("link"))
		j.Add(aside("link"))
		done.Go(func() {
			err := j.Tail(ctx, 1, true, func(r *Record) error { got = append(got, r.ID); return nil })
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		for range 600 { // more than stay in memory
			j.Add(aside("link"))
		}
		pass(time.Second)
		synctest.Wait()
		cancel()
		done.Wait()
		if len(got) != 601 || got[0] != 2 || got[600] != 602 {
			t.Errorf("%d records, %v…", len(got), got[:min(3, len(got))])
		}
	})
}

func TestConcurrentUse(t *testing.T) {
	j := open(t, newMemory(), Options{MaxRecords: 100, Delay: time.Millisecond})
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 100 {
				j.Add(miss(fmt.Sprintf("/%d/%d.o", w, i%7), 0))
				if i%25 == 0 {
					_ = j.Stats()
					j.Find(fmt.Sprintf("/%d/0.o", w))
				}
			}
		})
	}
	all.Wait()
	if s := j.Stats(); s.Misses != 800 || j.Last() != 800 {
		t.Errorf("misses %d, last %s", s.Misses, j.Last())
	}
}

func BenchmarkAdd(b *testing.B) {
	m := newMemory()
	j := Open(m, m, Options{})
	defer j.Close()
	for b.Loop() {
		j.Add(hit("/some/where/out.o", time.Second))
	}
}
