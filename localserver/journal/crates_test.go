package journal

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCrates(t *testing.T) {
	j := open(t, newMemory(), Options{})
	of := func(r *Record, crate, reason string) *Record {
		r.Crate, r.Reason = crate, reason
		return r
	}
	for _, r := range []*Record{
		of(miss("/libsyn-1.rlib", time.Second), "syn (rlib)", "compile-failed"),
		of(miss("/libsyn-2.rlib", 2*time.Second), "syn (rlib)", ""),
		of(miss("/libold.rlib", time.Second), "old (rlib)", ""),
		of(hit("/libold.rlib", time.Second), "old (rlib)", ""),
		of(aside("rust-incremental"), "my-app", "rust-incremental"),
		miss("/x.o", time.Second),
	} {
		j.Add(r)
	}
	want := []CrateLine{
		{ID: 2, Crate: "syn (rlib)", Outcome: ExecutedLocal, Why: CauseFirst.String(), Seconds: 2},
		{ID: 1, Crate: "syn (rlib)", Outcome: ExecutedLocal, Why: "compile-failed", Seconds: 1},
		{ID: 5, Crate: "my-app", Outcome: SteppedAside, Why: "rust-incremental"},
	}
	if diff := cmp.Diff(want, j.Crates(time.Time{})); diff != "" {
		t.Errorf("crates (-want +got):\n%s", diff)
	}
	if late := j.Crates(time.Now()); len(late) > 0 {
		t.Errorf("crates of compiles before: %v", late)
	}
	for name, id := range map[string]ID{"syn": 2, "old": 4, "my_app": 5, "sy": 0} {
		got := ID(0)
		if r := j.FindCrate(name); r != nil {
			got = r.ID
		}
		if got != id {
			t.Errorf("%s: %s, want %s", name, got, id)
		}
	}
}
