package journal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/client/digest"
)

// sum returns the digest of s as changes show it.
func sum(s string) string { return digest.OfString(s).String() }

// compile is a miss of /o/a.o whose key edit has changed.
func compile(m *memory, edit func(*Record)) *Record {
	r := miss("/o/a.o", 1500*time.Millisecond)
	r.Compiler, r.Dir, r.Source = "/usr/bin/gcc", "/src", "a.c"
	programs := ProgramList{{"/usr/bin/as", digest.OfString("as1")}, {"/usr/bin/gcc", digest.OfString("gcc1")}}
	inputs := InputList{
		Files:  []Input{{"a.c", digest.OfString("a1")}, {"inc/a.h", digest.OfString("h1")}, {"inc/b.h", digest.OfString("b1")}},
		Absent: []string{"local/a.h", "new"},
	}
	r.Key = &KeyParts{
		Args: []string{"-c", "-O2", "-DX=1", "a.c"}, Env: []Variable{NewVariable("CPATH", "/x", true), NewVariable("LANG", "", false)},
		Toolchain: digest.OfString("t1"), Programs: m.putBlob(programs.Encode()),
		Source: digest.OfString("a1"), Inputs: m.putBlob(inputs.Encode()),
	}
	if edit != nil {
		edit(r)
	}
	return r
}

func TestExplainCauses(t *testing.T) {
	list := func(files []Input, absent ...string) []byte {
		return (&InputList{Files: files, Absent: absent}).Encode()
	}
	a, h, b := Input{"a.c", digest.OfString("a1")}, Input{"inc/a.h", digest.OfString("h1")}, Input{"inc/b.h", digest.OfString("b1")}
	tests := []struct {
		name    string
		edit    func(m *memory, r *Record)
		cause   Cause
		summary string
		changes []Change
	}{
		{
			"evicted", func(*memory, *Record) {}, CauseEvicted,
			"miss: nothing changed since r1, but its result is no longer in the cache", nil,
		},
		{
			"argument value", func(_ *memory, r *Record) { r.Key.Args = []string{"-c", "-O2", "-DX=2", "a.c"} }, CauseArguments,
			"miss: the arguments changed since r1: -DX=2",
			[]Change{{ChangeArg, "-DX=2", "-DX=1", "-DX=2"}},
		},
		{
			"level", func(_ *memory, r *Record) { r.Key.Args = []string{"-c", "-O3", "-DX=1", "a.c"} }, CauseArguments,
			"miss: the arguments changed since r1: -O3",
			[]Change{{ChangeArg, "-O3", "-O2", "-O3"}},
		},
		{
			"arguments added and removed", func(_ *memory, r *Record) { r.Key.Args = []string{"-c", "-Wall", "-O2", "a.c"} }, CauseArguments,
			"miss: the arguments changed since r1 (2)",
			[]Change{{ChangeArgAdded, "-Wall", "", "-Wall"}, {ChangeArgRemoved, "-DX=1", "-DX=1", ""}},
		},
		{
			"argument order", func(_ *memory, r *Record) { r.Key.Args = []string{"-c", "-DX=1", "-O2", "a.c"} }, CauseArguments,
			"miss: the arguments changed since r1: -DX=1",
			[]Change{{ChangeArgOrder, "-DX=1", "-O2", "-DX=1"}},
		},
		{
			"variable", func(_ *memory, r *Record) { r.Key.Env[0] = NewVariable("CPATH", "/y", true) }, CauseEnvironment,
			"miss: the environment changed since r1: CPATH",
			[]Change{{ChangeVariable, "CPATH", "", ""}},
		},
		{
			"variables set and unset", func(_ *memory, r *Record) {
				r.Key.Env = []Variable{NewVariable("LANG", "C", true)}
			}, CauseEnvironment,
			"miss: the environment changed since r1 (2)",
			[]Change{{ChangeVariableSet, "LANG", "", ""}, {ChangeVariableUnset, "CPATH", "", ""}},
		},
		{
			"directory", func(_ *memory, r *Record) { r.Key.Dir = "/other" }, CauseDirectory,
			"miss: the working directory changed since r1, and it reaches the result",
			[]Change{{ChangeDirectory, "/other", "", "/other"}},
		},
		{
			"source", func(m *memory, r *Record) {
				r.Key.Source = digest.OfString("a2")
				r.Key.Inputs = m.putBlob(list([]Input{{"a.c", digest.OfString("a2")}, h, b}, "local/a.h"))
			}, CauseSource,
			"miss: the source changed since r1",
			[]Change{{ChangeSource, "a.c", sum("a1"), sum("a2")}},
		},
		{
			"header edited", func(m *memory, r *Record) {
				r.Key.Inputs = m.putBlob(list([]Input{a, {"inc/a.h", digest.OfString("h2")}, b}, "local/a.h"))
			}, CauseInputs,
			"miss: other input files since r1: inc/a.h",
			[]Change{{ChangeInput, "inc/a.h", sum("h1"), sum("h2")}},
		},
		{
			"header appeared", func(m *memory, r *Record) {
				r.Key.Inputs = m.putBlob(list([]Input{a, b, {"local/a.h", digest.OfString("l")}}))
			}, CauseInputs,
			"miss: other input files since r1 (2)",
			[]Change{{ChangeInputRemoved, "inc/a.h", sum("h1"), ""}, {ChangeInputAppeared, "local/a.h", "", sum("l")}},
		},
		{
			"folder appeared", func(m *memory, r *Record) {
				r.Key.Inputs = m.putBlob(list([]Input{a, h, b, {"new/x/c.h", digest.OfString("c")}}))
			}, CauseInputs,
			"miss: other input files since r1: new/x/c.h",
			[]Change{{ChangeInputAppeared, "new/x/c.h", "", sum("c")}},
		},
		{
			"header added", func(m *memory, r *Record) {
				r.Key.Inputs = m.putBlob(list([]Input{a, h, b, {"inc/c.h", digest.OfString("c")}}, "local/a.h"))
			}, CauseInputs,
			"miss: other input files since r1: inc/c.h",
			[]Change{{ChangeInputAdded, "inc/c.h", "", sum("c")}},
		},
		{
			"list gone", func(_ *memory, r *Record) { r.Key.Inputs = digest.OfString("gone") }, CauseInputs,
			"miss: other input files since r1", nil,
		},
		{
			"program", func(m *memory, r *Record) {
				r.Key.Toolchain = digest.OfString("t2")
				r.Key.Programs = m.putBlob(ProgramList{{"/usr/bin/as", digest.OfString("as2")}, {"/usr/bin/gcc", digest.OfString("gcc1")}}.Encode())
			}, CauseToolchain,
			"miss: the compiler changed since r1: /usr/bin/as",
			[]Change{{ChangeProgram, "/usr/bin/as", sum("as1"), sum("as2")}},
		},
		{
			"other compiler", func(m *memory, r *Record) {
				r.Key.Toolchain, r.Compiler = digest.OfString("t2"), "/usr/bin/gcc-13"
				r.Key.Programs = m.putBlob(ProgramList{{"/usr/bin/as", digest.OfString("as1")}, {"/usr/bin/gcc-13", digest.OfString("gcc1")}}.Encode())
			}, CauseToolchain,
			"miss: the compiler changed since r1: /usr/bin/gcc-13",
			[]Change{{ChangeCompiler, "/usr/bin/gcc-13", "/usr/bin/gcc", "/usr/bin/gcc-13"}},
		},
		{
			"variant", func(_ *memory, r *Record) { r.Reason = ReasonVariant }, CauseVariant,
			"miss: nothing changed since r1, but the messages are not known for this kind of terminal", nil,
		},
		{
			"recache", func(_ *memory, r *Record) { r.Reason = ReasonRecache }, CauseRecache,
			"miss: the setting recache is on", nil,
		},
		{
			"verify", func(_ *memory, r *Record) { r.Reason = ReasonVerify }, CauseVerify,
			"miss: its result was there, and compiled again to compare, as the setting verify asks", nil,
		},
		{
			"no key", func(_ *memory, r *Record) { r.Key = nil }, CauseUnknown,
			"miss: what changed is not known", nil,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMemory()
			j := open(t, m, Options{})
			j.Add(compile(m, nil))
			j.Add(compile(m, func(r *Record) { tt.edit(m, r) }))
			r := j.Record(j.Last())
			if r.Cause != tt.cause {
				t.Errorf("cause = %s, want %s", r.Cause, tt.cause)
			}
			x := j.Explain(r)
			if x.Summary != tt.summary {
				t.Errorf("summary\n%s\nwant\n%s", x.Summary, tt.summary)
			}
			changes := x.Changes
			if tt.name == "list gone" {
				changes = changes[1:]
				if len(x.Notes) != 1 || !strings.Contains(x.Notes[0], "no longer kept") {
					t.Errorf("notes %q", x.Notes)
				}
			}
			if len(changes)+len(tt.changes) > 0 {
				if diff := cmp.Diff(tt.changes, changes); diff != "" {
					t.Errorf("changes (-want +got):\n%s", diff)
				}
			}
			if x.Earlier == nil || x.Earlier.ID != 1 {
				t.Errorf("earlier = %+v", x.Earlier)
			}
		})
	}
}

func TestExplainOtherOutcomes(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	remote, merged, fell, failed := hit("/a", 0), hit("/a", time.Second), aside("unavailable"), aside("config")
	remote.Outcome, merged.Outcome, fell.Outcome, failed.Outcome = HitRemote, Merged, FellBack, Failed
	step := aside("unknown-option")
	step.Arg = "-fvendor"
	tests := []struct {
		r    *Record
		want string
	}{
		{hit("/a", 1234*time.Millisecond), "hit: taken from the local cache, 1.234s of compiling avoided"},
		{remote, "hit: taken from the remote cache"},
		{merged, "merged: took the result of an equal compile that was under way, 1s of compiling avoided"},
		{step, "stepped aside: the compiler ran unchanged, as unknown-option: -fvendor"},
		{fell, "fell back: the compiler ran here, as unavailable"},
		{failed, "error of rexwrap: the compiler ran uncached, as config"},
		{compile(m, nil), "miss: first compile of this output"},
	}
	for _, tt := range tests {
		j.Add(tt.r)
		if got := j.Explain(j.Record(j.Last())).Summary; got != tt.want {
			t.Errorf("summary\n%s\nwant\n%s", got, tt.want)
		}
	}
}

func TestExplainHints(t *testing.T) {
	j := open(t, newMemory(), Options{})
	j.Add(aside("unknown-argument"))
	j.Add(aside("something-new"))
	if x := j.Explain(j.Record(1)); x.Hint != "no table knows the option; the setting extra_flags can classify it" {
		t.Errorf("hint %q", x.Hint)
	}
	if x := j.Explain(j.Record(2)); x.Hint != "" {
		t.Errorf("hint %q", x.Hint)
	}
}

// TestExplainSkipsKeylessRecords compares with the last record that has a key.
func TestExplainSkipsKeylessRecords(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	j.Add(compile(m, nil))
	j.Add(&Record{Outcome: SteppedAside, Reason: "stalled", Output: "/o/a.o"})
	j.Add(compile(m, func(r *Record) { r.Key.Args = append(r.Key.Args, "-g") }))
	x := j.Explain(j.Record(3))
	if x.Earlier == nil || x.Earlier.ID != 1 || len(x.Changes) != 1 || x.Changes[0].Name != "-g" {
		t.Errorf("earlier %+v, changes %+v", x.Earlier, x.Changes)
	}
}

func TestExplainNotStored(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	failed := func(r *Record) {
		r.Status, r.Reason, r.Key.Inputs = 1, "failed", digest.Digest{}
	}
	j.Add(compile(m, failed))
	j.Add(compile(m, failed))
	x := j.Explain(j.Record(2))
	if x.Cause != "not-stored" || len(x.Notes) != 1 || x.Notes[0] != "the result was not stored: the compiler failed with status 1" {
		t.Errorf("%+v", x)
	}
}

// TestExplainLooksPastFailures: a compile that failed says nothing of its
// inputs, so the one before it is what a later success is compared with.
func TestExplainLooksPastFailures(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	source := func(text string, failed bool) func(*Record) {
		return func(r *Record) {
			r.Key.Source = digest.OfString(text)
			if failed {
				r.Status, r.Reason, r.Key.Inputs = 1, "failed", digest.Digest{}
			}
		}
	}
	j.Add(compile(m, source("good", false)))
	j.Add(compile(m, source("broken", true)))
	j.Add(compile(m, source("good", true))) // a header is broken now
	j.Add(compile(m, source("better", false)))
	for id, want := range map[ID]string{2: "source-changed", 3: "unknown", 4: "source-changed"} {
		x := j.Explain(j.Record(id))
		if x.Cause != want || x.Earlier == nil || x.Earlier.ID != 1 {
			t.Errorf("%s: cause %s since %+v, want %s since r1", id, x.Cause, x.Earlier, want)
		}
	}
}

func TestArgumentsOfManyWords(t *testing.T) {
	var was, is []string
	for i := range 300 {
		was = append(was, fmt.Sprintf("-I%d", i))
		if i%100 != 50 {
			is = append(is, fmt.Sprintf("-I%d", i))
		}
	}
	c := comparison{}
	c.arguments(was, is)
	want := []Change{{ChangeArgRemoved, "-I50", "-I50", ""}, {ChangeArgRemoved, "-I150", "-I150", ""}, {ChangeArgRemoved, "-I250", "-I250", ""}}
	if diff := cmp.Diff(want, c.changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// FuzzArguments applies the changes to the old list and must get the new one.
func FuzzArguments(f *testing.F) {
	f.Add("-c -O2 -DX a.c", "-c -O3 a.c -Wall")
	f.Add("a b c", "c b a")
	f.Add("", "x")
	f.Fuzz(func(t *testing.T, a, b string) {
		was, is := strings.Fields(a), strings.Fields(b)
		c := comparison{}
		c.arguments(was, is)
		counts := map[string]int{}
		for _, w := range was {
			counts[w]++
		}
		for _, change := range c.changes {
			if change.Kind == ChangeArgOrder {
				continue
			}
			if change.Old != "" {
				counts[change.Old]--
			}
			if change.New != "" {
				counts[change.New]++
			}
		}
		for _, w := range is {
			counts[w]--
		}
		for w, n := range counts {
			if n != 0 {
				t.Errorf("%q to %q: %q is off by %d in %v", was, is, w, n, c.changes)
			}
		}
		if (len(c.changes) == 0) != (strings.Join(was, " ") == strings.Join(is, " ")) {
			t.Errorf("%q to %q: %v", was, is, c.changes)
		}
	})
}

func TestBuildByGap(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	start := time.UnixMicro(1e15)
	at := func(r *Record, after time.Duration) *Record { r.Time = start.Add(after); return r }
	long := miss("/long.o", 5*time.Minute)
	for _, r := range []*Record{
		at(miss("/old.o", time.Second), 0),
		at(miss("/a.o", time.Second), 100*time.Second),
		at(hit("/b.o", 3*time.Second), 110*time.Second),
		at(long, 111*time.Second),                        // ends after 411 s
		at(miss("/c.o", 2*time.Second), 420*time.Second), // no gap: long was running
		at(aside("link"), 430*time.Second),
	} {
		j.Add(r)
	}
	b := j.Build("")
	want := &BuildReport{
		Started: start.Add(100 * time.Second).UTC().Format(entryTime), Ended: start.Add(430 * time.Second).UTC().Format(entryTime),
		First: 2, Last: 6, Calls: 5, Hits: 1, Misses: 3, SteppedAside: 1, TimeAvoided: 3, TimeSpent: 303,
		Reasons: map[string]int64{"link": 1},
		Groups: []MissGroup{{
			Cause: "first-compile", Count: 3, Seconds: 303, Examples: []string{"/long.o", "/c.o", "/a.o"},
		}},
	}
	if diff := cmp.Diff(want, b); diff != "" {
		t.Errorf("build (-want +got):\n%s", diff)
	}
}

func TestBuildByID(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	in := func(r *Record, id string) *Record { r.Build = id; return r }
	for _, r := range []*Record{
		aside("link"), in(miss("/a.o", 0), "x"), in(miss("/b.o", 0), "y"), in(hit("/c.o", 0), "x"), in(miss("/d.o", 0), "y"), in(aside("link"), "x"), aside("link"),
	} {
		j.Add(r)
	}
	if b := j.Build("y"); b.Build != "y" || b.Calls != 2 || b.Misses != 2 || b.First != 3 || b.Last != 5 {
		t.Errorf("build y: %+v", b)
	}
	if b := j.Build(""); b.Build != "x" || b.Calls != 3 {
		t.Errorf("last build: %+v", b)
	}
	if b := j.Build("z"); b != nil {
		t.Errorf("build z: %+v", b)
	}
}

// TestBuildBlamesTheSharedInput: three objects miss; all read common.h, which
// changed, and one has a header of its own that changed too.
func TestBuildBlamesTheSharedInput(t *testing.T) {
	m := newMemory()
	j := open(t, m, Options{})
	at := time.UnixMicro(1e15)
	build := func(common, own string) {
		for i, name := range []string{"/a.o", "/b.o", "/c.o"} {
			files := []Input{{"common.h", digest.OfString(common)}}
			if i == 1 {
				files = append([]Input{{"b.h", digest.OfString(own)}}, files...)
			}
			r := miss(name, time.Duration(i+1)*time.Second)
			r.Time = at
			r.Key.Inputs = m.putBlob((&InputList{Files: files}).Encode())
			j.Add(r)
		}
		at = at.Add(time.Hour)
	}
	build("1", "1")
	build("2", "2")
	b := j.Build("")
	want := []MissGroup{{
		Cause: "input-changed", Culprit: "common.h", Count: 3, Seconds: 6, Examples: []string{"/c.o", "/b.o", "/a.o"},
	}}
	if diff := cmp.Diff(want, b.Groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
}

// An output that was compiled more than once is one example.
func TestBuildNamesAnOutputOnce(t *testing.T) {
	j := open(t, newMemory(), Options{})
	at := time.UnixMicro(1e15)
	for i, name := range []string{"/a.o", "/b.o", "/c.o", "/d.o"} {
		for try := range 3 {
			r := miss(name, time.Duration(10-i)*time.Second)
			r.Time, r.Cause = at.Add(time.Duration(try)), CauseRecache
			j.Add(r)
		}
	}
	for _, g := range j.Build("").Groups {
		if seen := slices.Compact(slices.Sorted(slices.Values(g.Examples))); len(seen) != maxExamples || len(g.Examples) != maxExamples {
			t.Errorf("%s: examples %q, want %d outputs", g.Cause, g.Examples, maxExamples)
		}
	}
}

func TestEmptyJournal(t *testing.T) {
	j := open(t, newMemory(), Options{})
	if b := j.Build(""); b != nil {
		t.Errorf("build %+v", b)
	}
	if j.Last() != 0 {
		t.Errorf("last = %s", j.Last())
	}
}
