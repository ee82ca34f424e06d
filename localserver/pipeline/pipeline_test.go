package pipeline

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
)

// outcome runs argv and checks how it was answered and that the object is the
// bare compiler's.
func (r *rig) outcome(want journal.Outcome, dir string, argv ...string) ending {
	r.t.Helper()
	end := r.call(dir, argv...)
	if rec := r.last(); rec.Outcome != want {
		r.t.Errorf("%s in %s: %v (%s %s), want %v", strings.Join(argv, " "), filepath.Base(dir), rec.Outcome, rec.Reason, rec.Arg, want)
	}
	return end
}

const hello = "#include \"h.h\"\nint f(void) { return H; }\n"

func TestMissThenHit(t *testing.T) {
	for rigName, makeRig := range map[string]func(testing.TB) *rig{"scanned": newRig, "asked": newAskingRig} {
		for _, cc := range []string{"gcc", "clang"} {
			t.Run(rigName+"/"+cc, func(t *testing.T) { missThenHit(t, makeRig(t), cc) })
		}
	}
}

func missThenHit(t *testing.T, r *rig, cc string) {
	for _, flags := range [][]string{nil, {"-MD"}, {"-MD", "-MP", "-g"}, {"-O2", "-Wall"}} {
		dir := t.TempDir()
		object := filepath.Join(dir, "x.o")
		write(t, dir, "x.c", hello, "h.h", "#define H 3\n")
		argv := append([]string{cc, "-c", "x.c", "-o", object}, flags...)
		r.outcome(journal.ExecutedLocal, dir, argv...)
		first := read(t, object)
		if err := os.Remove(object); err != nil {
			t.Fatal(err)
		}
		r.outcome(journal.HitLocal, dir, argv...)
		if read(t, object) != first {
			t.Errorf("%v: the object of the hit differs", flags)
		}
		write(t, dir, "h.h", "#define H 4\n")
		r.outcome(journal.ExecutedLocal, dir, argv...)
		if read(t, object) == first {
			t.Errorf("%v: the header was edited and the object is the old one", flags)
		}
	}
}

// A blindScanner does not see one header.
type blindScanner struct{ depscan.Scanner }

func (b blindScanner) Scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	in, err := b.Scanner.Scan(ctx, c)
	if err == nil {
		wrong := *in
		wrong.Files = slices.DeleteFunc(slices.Clone(in.Files), func(f depscan.File) bool { return f.Path == "h.h" })
		in = &wrong
	}
	return in, err
}

// What the scanner finds is held against what the compiler says it has read.
func TestWrongScanIsFound(t *testing.T) {
	r := newRig(t)
	r.o.Scanner = blindScanner{r.o.Scanner}
	dir := t.TempDir()
	write(t, dir, "x.c", hello, "h.h", "#define H 3\n")
	argv := []string{"gcc", "-c", "x.c", "-MD", "-o", "x.o"}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	rec := r.last()
	if rec.Reason != "scan-difference" || rec.Arg != "h.h" || rec.Key == nil || !slices.Contains(rec.Key.Args, "x.c") {
		t.Errorf("record %+v", rec)
	}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	if rec := r.last(); rec.Reason != "" {
		t.Errorf("the second call was not stored: %s %s", rec.Reason, rec.Arg)
	}
	r.outcome(journal.HitLocal, dir, argv...)
	write(t, dir, "h.h", "#define H 4\n")
	r.outcome(journal.ExecutedLocal, dir, argv...)
}

func TestShadowingHeaderIsAMiss(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "#include <h.h>\nint f(void) { return H; }\n", "a/other.h", "", "b/h.h", "#define H 1\n")
	argv := []string{"gcc", "-c", "x.c", "-Ia", "-Ib"}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	r.outcome(journal.HitLocal, dir, argv...)
	write(t, dir, "a/h.h", "#define H 2\n")
	r.outcome(journal.ExecutedLocal, dir, argv...)
}

// lateScanner does something between the scan and the run.
type lateScanner struct {
	depscan.Scanner
	late func()
}

func (s lateScanner) Scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	in, err := s.Scanner.Scan(ctx, c)
	s.late()
	return in, err
}

// What the compiler has read by a header that appeared after the scan is no entry of
// the one that was there before.
func TestHeaderAppearsBeforeTheRun(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "#include <h.h>\nint f(void) { return H; }\n", "a/other.h", "", "b/h.h", "#define H 1\n")
	argv := []string{"gcc", "-c", "x.c", "-Ia", "-Ib"}
	scanner := r.o.Scanner
	r.o.Scanner = lateScanner{scanner, func() { write(t, dir, "a/h.h", "#define H 2\n") }}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	if rec := r.last(); rec.Reason != "modified-during-compile" || filepath.Base(rec.Arg) != "h.h" {
		t.Errorf("record %+v", rec)
	}
	r.o.Scanner = scanner
	if err := os.Remove(filepath.Join(dir, "a/h.h")); err != nil {
		t.Fatal(err)
	}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	r.outcome(journal.HitLocal, dir, argv...)
}

// A run during which the toolchain was replaced may be a mixture of both.
func TestAssemblerReplacedBeforeTheEnd(t *testing.T) {
	path, err := exec.LookPath("as")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	install := func(data []byte) {
		t.Helper()
		for _, step := range []error{
			os.WriteFile(filepath.Join(bin, "new"), data, 0o755),
			os.Rename(filepath.Join(bin, "new"), filepath.Join(bin, "as")),
		} {
			if step != nil {
				t.Fatal(step)
			}
		}
	}
	install(program)
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	scanner := r.o.Scanner
	r.o.Scanner = lateScanner{scanner, func() { install(append(slices.Clone(program), 0)) }}
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	if rec := r.last(); rec.Reason != "modified-during-compile" || filepath.Base(rec.Arg) != "gcc" {
		t.Errorf("record %+v", rec)
	}
	r.o.Scanner = scanner
	install(program)
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
}

func TestCheckoutsShareWithoutDebugInformation(t *testing.T) {
	r, top := newRig(t), t.TempDir()
	for _, name := range []string{"one", "two"} {
		write(t, filepath.Join(top, name), "src/x.c", hello, "inc/h.h", "#define H 3\n", ".git/HEAD", "")
	}
	one, two := filepath.Join(top, "one", "src"), filepath.Join(top, "two", "src")
	compile := func(want journal.Outcome, dir string, flags ...string) {
		t.Helper()
		inc := filepath.Join(filepath.Dir(dir), "inc")
		argv := append([]string{"gcc", "-c", filepath.Join(dir, "x.c"), "-I", inc, "-o", "x.o", "-MD"}, flags...)
		r.outcome(want, dir, argv...)
		if text := read(t, filepath.Join(dir, "x.d")); !strings.Contains(text, inc) {
			t.Errorf("dep-file in %s is %s", dir, text)
		}
	}
	compile(journal.ExecutedLocal, one)
	compile(journal.HitLocal, two)
	compile(journal.ExecutedLocal, one, "-g")
	compile(journal.ExecutedLocal, two, "-g")
	for _, dir := range []string{"one", "two"} {
		write(t, filepath.Join(top, dir), "inc/h.h", "#define H __FILE__[0]\n")
	}
	compile(journal.ExecutedLocal, one)
	compile(journal.ExecutedLocal, two)
	compile(journal.HitLocal, one)
}

func TestDiagnosticsAreReplayed(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "#warning careful\nint x;\n")
	first := r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	second := r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
	if first != second || !strings.Contains(first.stderr, "careful") {
		t.Errorf("first %+v, then %+v", first, second)
	}
}

func TestDiagnosticsStayAtTheirPlace(t *testing.T) {
	r, top := newRig(t), t.TempDir()
	for _, name := range []string{"one", "two"} {
		dir := filepath.Join(top, name)
		write(t, dir, "x.c", "#warning careful\n", ".git/HEAD", "")
		end := r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", filepath.Join(dir, "x.c"))
		if !strings.Contains(end.stderr, dir) {
			t.Errorf("in %s: %s", dir, end.stderr)
		}
	}
}

func TestRecordedCommandLineIsKeyed(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-frecord-gcc-switches", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-frecord-gcc-switches", "-c", "x.c")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-frecord-gcc-switches", "-pipe", "-c", "x.c")
}

func TestExtraInputs(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n", "extra", "1")
	r.settings.ExtraInputs = []string{filepath.Join(dir, "extra")}
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
	write(t, dir, "extra", "2")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.settings.ExtraInputs = []string{filepath.Join(dir, "none")}
	r.outcome(journal.SteppedAside, dir, "gcc", "-c", "x.c")
}

func TestYoungSourceIsStored(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "")
	for i := range 5 {
		if err := os.WriteFile(filepath.Join(dir, "x.c"), fmt.Appendf(nil, "int x%d;\n", i), 0o644); err != nil {
			t.Fatal(err)
		}
		r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
		r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
	}
}

func TestFailureIsNotStored(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int f(void) { return y; }\n")
	for range 2 {
		if end := r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c"); end.status != 1 {
			t.Errorf("status %d, want 1", end.status)
		}
		if r.last().Reason != "compile-failed" {
			t.Errorf("reason %q", r.last().Reason)
		}
	}
	if len(r.store.results) != 0 {
		t.Error("a failure was stored")
	}
}

func TestTimeMacros(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "date.c", "const char *d = __DATE__;\n", "time.c", "const char *t = __TIME__;\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "date.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "date.c")
	r.now = func() time.Time { return time.Now().Add(24 * time.Hour) }
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "date.c")
	r.now = time.Now
	for range 2 {
		r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "time.c")
	}
	write(t, dir, "plain.c", "int x;\n")
	epoch := []string{"SOURCE_DATE_EPOCH=1000000000"}
	r.callEnv(dir, epoch, "gcc", "-c", "date.c")
	if got := r.last().Outcome; got != journal.ExecutedLocal {
		t.Errorf("with SOURCE_DATE_EPOCH newly set: %v, want a miss", got)
	}
	r.callEnv(dir, epoch, "gcc", "-c", "plain.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "plain.c")
	r.callEnv(dir, epoch, "gcc", "-c", "time.c")
	r.callEnv(dir, epoch, "gcc", "-c", "time.c")
	if got := r.last().Outcome; got != journal.HitLocal {
		t.Errorf("under SOURCE_DATE_EPOCH: %v, want a hit", got)
	}
}

func TestTimeZoneIsKeyedWhereItCounts(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "stamp.c", "const char *s = __TIMESTAMP__;\n", "plain.c", "int x;\n")
	for source, want := range map[string]journal.Outcome{"stamp.c": journal.ExecutedLocal, "plain.c": journal.HitLocal} {
		r.callEnv(dir, []string{"TZ=UTC"}, "gcc", "-c", source)
		r.callEnv(dir, []string{"TZ=Asia/Tokyo"}, "gcc", "-c", source)
		if got := r.last().Outcome; got != want {
			t.Errorf("%s in another time zone: %v, want %v", source, got, want)
		}
	}
}

func TestFilesNamedByArgumentsAreKeyed(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int f(int *p) { return *p; }\n", "list", "fun:other\n")
	argv := []string{"clang", "-fsanitize=address", "-fsanitize-ignorelist=list", "-c", "x.c"}
	r.outcome(journal.ExecutedLocal, dir, argv...)
	r.outcome(journal.HitLocal, dir, argv...)
	write(t, dir, "list", "fun:f\n")
	r.outcome(journal.ExecutedLocal, dir, argv...)
}

func TestSourcesThatNeedNoPreprocessor(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.i", "int x;\n", "x.s", ".globl x\nx:\n", "x.ii", "int x;\n")
	for _, argv := range [][]string{{"gcc", "-c", "x.i"}, {"gcc", "-c", "x.s"}, {"g++", "-c", "x.ii"}, {"clang", "-c", "x.s"}} {
		r.outcome(journal.ExecutedLocal, dir, argv...)
		if r.last().Reason != "" {
			t.Errorf("%v: not stored: %s %s", argv, r.last().Reason, r.last().Arg)
		}
		r.outcome(journal.HitLocal, dir, argv...)
	}
}

func TestPrecompiledHeaders(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "h.h", "#define H 3\n", "x.c", hello)
	settle := func() { write(t, dir, "settle", "") }
	for _, argv := range [][]string{
		{"clang", "-x", "c-header", "h.h", "-o", "h.pch"},
		{"clang", "-include-pch", "h.pch", "-c", "x.c"},
		{"gcc", "-c", "x.c", "-o", "before.o"},
		{"gcc", "-x", "c-header", "h.h", "-o", "h.h.gch"},
		{"gcc", "-c", "x.c"},
		{"gcc", "-O2", "-c", "x.c"}, // the .gch does not fit
	} {
		settle()
		r.outcome(journal.ExecutedLocal, dir, argv...)
		r.outcome(journal.HitLocal, dir, argv...)
	}
}

func TestClangPCHKeepsModificationTimes(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "h.h", "#define H 3\n", "x.c", hello)
	create := []string{"clang", "-x", "c-header", "h.h", "-o", "h.pch"}
	r.outcome(journal.ExecutedLocal, dir, create...)
	touched := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "h.h"), touched, touched); err != nil {
		t.Fatal(err)
	}
	r.outcome(journal.ExecutedLocal, dir, create...)
	if end := r.call(dir, "clang", "-include-pch", "h.pch", "-c", "x.c"); end.status != 0 {
		t.Errorf("the precompiled header is refused: %s", end.stderr)
	}
}

func TestOutputsThatAreOneFileStepAside(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n", "a", "")
	if err := os.Link(filepath.Join(dir, "a"), filepath.Join(dir, "b")); err != nil {
		t.Fatal(err)
	}
	for _, argv := range [][]string{
		{"gcc", "-MD", "-c", "x.c", "-o", "x.o", "-MF", "./x.o"}, {"gcc", "-MD", "-c", "x.c", "-o", "a", "-MF", "b"},
	} {
		r.outcome(journal.SteppedAside, dir, argv...)
		if r.last().Reason != "same-output" {
			t.Errorf("%v: reason %q", argv, r.last().Reason)
		}
	}
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-MD", "-c", "x.c")
}

func TestOtherOutputNameHits(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", hello, "h.h", "#define H 3\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-MD", "-c", "x.c", "-o", "x.o")
	r.outcome(journal.HitLocal, dir, "gcc", "-MD", "-c", "x.c", "-o", "y.o", "-MF", "z.d")
	bare := t.TempDir()
	write(t, bare, "x.c", hello, "h.h", "#define H 3\n")
	cmd := exec.Command("gcc", "-MD", "-c", "x.c", "-o", "y.o", "-MF", "z.d")
	cmd.Dir = bare
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, want := read(t, filepath.Join(dir, "z.d")), read(t, filepath.Join(bare, "z.d")); got != want {
		t.Errorf("dep-file %q, want %q", got, want)
	}
}

func TestLinksStepAside(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int main(void) { return 0; }\n")
	if end := r.outcome(journal.SteppedAside, dir, "gcc", "x.c", "-o", "x"); end.aside == "" || end.status != 0 {
		t.Errorf("%+v", end)
	}
}

func TestLostBlobIsAMiss(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	clear(r.store.blobs)
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
}

func TestCorruptEntriesAreMisses(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	for d := range r.store.results {
		r.store.results[d] = []byte("garbage")
	}
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	for d := range r.store.manifests {
		r.store.manifests[d] = []byte("garbage")
	}
	r.Forget()
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
}

func TestFullStoreCostsOnlyTheEntry(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.store.putErr = diskstore.ErrFull
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	if r.last().Reason != "cache-full" {
		t.Errorf("reason %q, want cache-full", r.last().Reason)
	}
	r.store.putErr = nil
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
}

func TestSettings(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.settings.ReadOnly = true
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.settings.ReadOnly = false
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.settings.Recache = true
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.settings.Recache = false
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
	r.settings.Disable = true
	r.outcome(journal.SteppedAside, dir, "gcc", "-c", "x.c")
}

func TestVerifyFindsADifference(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "int x;\n")
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.settings.Verify = 1
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	if r.last().Reason != journal.ReasonVerify {
		t.Errorf("an equal object was reported as %q", r.last().Reason)
	}
	wrong, err := r.store.PutBlob([]byte("not an object"))
	if err != nil {
		t.Fatal(err)
	}
	for d, data := range r.store.results {
		res, err := DecodeResult(data)
		if err != nil {
			t.Fatal(err)
		}
		res.Outputs[0].Digest = wrong
		r.store.results[d] = res.encode()
	}
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	if r.last().Reason != "verify-difference" {
		t.Errorf("reason %q, want verify-difference", r.last().Reason)
	}
	r.settings.Verify = 0
	r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c")
	r.outcome(journal.HitLocal, dir, "gcc", "-c", "x.c")
}

func TestEqualCallsAreMerged(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "#include <stdio.h>\nint x;\n")
	const n = 4
	done := make(chan struct{})
	for i := range n {
		go func() {
			defer func() { done <- struct{}{} }()
			r.call(dir, "gcc", "-c", "x.c", "-o", filepath.Join(dir, string(rune('a'+i))+".o"))
		}()
	}
	for range n {
		<-done
	}
	ran := 0
	for _, rec := range r.records {
		if rec.Outcome == journal.ExecutedLocal {
			ran++
		}
	}
	if ran != 1 {
		t.Errorf("%d of %d equal calls ran a compiler, want 1 (the first: %q)", ran, n, r.records[0].Reason+" "+r.records[0].Arg)
	}
}

// TestEqualCallThatEndsMeanwhile ends an equal call after another has found nothing and
// before it leads.
func TestEqualCallThatEndsMeanwhile(t *testing.T) {
	r, dir := newRig(t), t.TempDir()
	write(t, dir, "x.c", "#include <stdio.h>\nint x;\n")
	r.store.noManifest = func() { r.outcome(journal.ExecutedLocal, dir, "gcc", "-c", "x.c") }
	r.outcome(journal.Merged, dir, "gcc", "-c", "x.c")
}
