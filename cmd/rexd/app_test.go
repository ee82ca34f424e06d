package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// fake is a server's Service with canned answers; a nil one is not found.
type fake struct {
	status   *admin.Status
	stats    *journal.Stats
	explain  *journal.Explanation
	build    *journal.BuildReport
	entries  []*journal.Entry
	scan     *admin.ScanReply
	headers  *journal.HeaderReport
	action   *admin.ActionReply
	verified *admin.CacheVerified
	calls    []string
	sessions *admin.SessionList
	request  any
}

func orNotFound[T any](v *T) (*T, error) {
	if v == nil {
		return nil, admin.Errorf(admin.ErrNotFound, "nothing here")
	}
	return v, nil
}

func (f *fake) note(call string, req any) { f.calls, f.request = append(f.calls, call), req }

func (f *fake) Status(context.Context) (*admin.Status, error) { return orNotFound(f.status) }
func (f *fake) Stop(context.Context) error                    { f.note("stop", nil); return nil }
func (f *fake) Zero(context.Context) error                    { f.note("zero", nil); return nil }
func (f *fake) Stats(context.Context) (*journal.Stats, error) { return orNotFound(f.stats) }
func (f *fake) Flush(context.Context) (*admin.Flushed, error) {
	f.note("flush", nil)
	return &admin.Flushed{}, nil
}

func (f *fake) Explain(_ context.Context, req *admin.ExplainRequest) (*journal.Explanation, error) {
	f.note("explain", req)
	return orNotFound(f.explain)
}

func (f *fake) ExplainBuild(_ context.Context, req *admin.ExplainBuildRequest) (*journal.BuildReport, error) {
	f.note("explain.build", req)
	return orNotFound(f.build)
}

func (f *fake) Log(_ context.Context, req *admin.LogRequest, emit func(*journal.Entry) error) error {
	f.note("log", req)
	for _, e := range f.entries {
		if err := emit(e); err != nil {
			return err
		}
	}
	return nil
}

func (f *fake) CacheSize(context.Context) (*admin.CacheSize, error) {
	return &admin.CacheSize{Bytes: 3 << 30, Limit: 10 << 30, Index: 5 << 20, Entries: 1234, Blobs: 5678, Dir: "/home/u/.cache/rexwrap"}, nil
}

func (f *fake) CacheClear(context.Context, func(admin.Progress) error) (*admin.Removed, error) {
	f.note("clear", nil)
	return &admin.Removed{Entries: 1, Bytes: 1 << 20}, nil
}

func (f *fake) CacheVerify(context.Context, func(admin.Progress) error) (*admin.CacheVerified, error) {
	return orNotFound(f.verified)
}

func (f *fake) CacheEvict(_ context.Context, req *admin.EvictRequest, _ func(admin.Progress) error) (*admin.Removed, error) {
	f.note("evict", req)
	return &admin.Removed{Entries: 20, Bytes: 5 << 30}, nil
}

func (f *fake) CacheFlush(context.Context, func(admin.Progress) error) (*admin.Flushed, error) {
	return &admin.Flushed{Pending: 3}, nil
}

func (f *fake) SessionList(context.Context) (*admin.SessionList, error) {
	return orNotFound(f.sessions)
}

func (f *fake) SessionSeal(_ context.Context, req *admin.SealRequest) (*admin.Sealed, error) {
	f.note("seal", req)
	return &admin.Sealed{Sessions: 2}, nil
}

func (f *fake) Scan(_ context.Context, req *admin.CallRequest) (*admin.ScanReply, error) {
	f.note("scan", req)
	return orNotFound(f.scan)
}

func (f *fake) Headers(_ context.Context, req *admin.HeadersRequest) (*journal.HeaderReport, error) {
	f.note("headers", req)
	return orNotFound(f.headers)
}

func (f *fake) Action(_ context.Context, req *admin.ActionRequest) (*admin.ActionReply, error) {
	f.note("action", req)
	return orNotFound(f.action)
}

// bench is an app over a fake server, nil for none.
type bench struct {
	*app
	out, err bytes.Buffer
	started  bool // the verb would have started a server
}

func newBench(t *testing.T, f *fake) *bench {
	t.Helper()
	b := &bench{}
	home := t.TempDir()
	b.app = &app{
		version: "v1.2.3", dir: filepath.Join(home, "src"),
		env:    toolchains.Environ{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + home},
		stdout: &printer{w: &b.out}, stderr: &printer{w: &b.err},
	}
	b.serve = func(context.Context) error { return errors.New("no server in tests") }
	b.connect = func(start bool) admin.Dialer {
		return func(context.Context) (io.ReadWriteCloser, error) {
			b.started = b.started || start
			if f == nil {
				return nil, admin.ErrNoServer
			}
			return pipeTo(t, admin.NewHandler(f)), nil
		}
	}
	return b
}

func pipeTo(t *testing.T, h admin.Handler) net.Conn {
	near, far := net.Pipe()
	go func() {
		defer func() { _ = far.Close() }()
		_, payload, err := wire.NewReader(far).Next()
		var req wire.Admin
		if err == nil && wire.Decode(payload, &req) == nil {
			_ = h.Handle(t.Context(), req.Verb, req.Body, func(r *wire.AdminReply) error { return wire.Write(far, r) })
		}
	}()
	return near
}

// try runs a verb and returns its exit code.
func (b *bench) try(t *testing.T, args ...string) int {
	t.Helper()
	b.out.Reset()
	b.err.Reset()
	return b.run(t.Context(), args)
}

// golden compares text with testdata/NAME and checks that it fits a terminal.
func golden(t *testing.T, name, text string) {
	t.Helper()
	narrow(t, name, text)
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func narrow(t *testing.T, name, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > maxColumns {
			t.Errorf("%s: %d columns: %s", name, n, line)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	tests := []struct {
		args []string
		want string // in the message
	}{
		{[]string{"frobnicate"}, "no verb frobnicate; rexwrap help lists them"},
		{[]string{"explian"}, "did you mean explain?"},
		{[]string{"stats", "x"}, `one argument too many: "x"`},
		{[]string{"stats", "--jsn"}, "no such option: --jsn"},
		{[]string{"explain", "a", "b"}, `one argument too many: "b"`},
		{[]string{"explain", "--last", "a"}, "--last stands alone"},
		{[]string{"explain", "--last", "--build"}, "--last stands alone"},
		{[]string{"log", "-n", "x"}, "invalid value"},
		{[]string{"log", "-n", "-1"}, "must not be negative"},
		{[]string{"config", "trsut"}, "did you mean config trust?"},
		{[]string{"config", "trust"}, "needs a folder"},
		{[]string{"links"}, "needs a folder"},
		{[]string{"server"}, "needs one of start, stop, status, run"},
		{[]string{"server", "strat"}, "did you mean server start?"},
		{[]string{"server", "stop", "now"}, "one argument too many"},
		{[]string{"cache"}, "needs one of size, clear, verify, evict, flush"},
		{[]string{"cache", "evict"}, "needs --older-than or --to"},
		{[]string{"cache", "evict", "--to", "1G", "--older-than", "1d"}, "needs --older-than or --to"},
		{[]string{"cache", "evict", "--to", "much"}, "must be a size"},
		{[]string{"cache", "evict", "--older-than", "long"}, "must be a duration"},
		{[]string{"exec"}, "exec needs a command"},
		{[]string{"exec", "--"}, "exec needs a command"},
		{[]string{"exec", "-j8", "make"}, "exec has no options"},
		{[]string{"scan"}, "scan needs a compiler call"},
		{[]string{"scan", "--json"}, "scan needs a compiler call"},
		{[]string{"scan", "-c", "x.c"}, "scan needs a compiler call"},
		{[]string{"scan", "--headers", "a", "b"}, "takes one directory"},
		{[]string{"scan", "--headers", "--", "gcc"}, "takes one directory"},
		{[]string{"action"}, "action needs a digest"},
		{[]string{"completion", "csh"}, "bash, zsh or fish"},
		{[]string{"completion"}, "bash, zsh or fish"},
		{[]string{"help", "nothing"}, "no verb nothing"},
		{[]string{"help", "cache", "siez"}, "did you mean cache size?"},
		{[]string{"--nonsense"}, "no such option: --nonsense"},
	}
	for _, tt := range tests {
		b := newBench(t, &fake{})
		if code := b.try(t, tt.args...); code != exitUsage {
			t.Errorf("%v: exit code %d", tt.args, code)
		}
		if text := b.err.String(); !strings.HasPrefix(text, "rexwrap: ") || !strings.Contains(text, tt.want) || strings.Count(text, "\n") != 1 {
			t.Errorf("%v: stderr %q, want one line with %q", tt.args, text, tt.want)
		}
		if b.out.Len() > 0 {
			t.Errorf("%v: stdout %q", tt.args, &b.out)
		}
		if b.started {
			t.Errorf("%v: started a server", tt.args)
		}
	}
}

func TestNoArgumentsShowHelp(t *testing.T) {
	b := newBench(t, nil)
	if code := b.try(t); code != exitUsage || !strings.Contains(b.err.String(), "Verbs:") {
		t.Errorf("exit code %d, stderr %q", code, &b.err)
	}
}

func TestExitCodes(t *testing.T) {
	tests := []struct {
		name string
		f    *fake
		args []string
		want int
	}{
		{"no record", &fake{}, []string{"explain"}, exitNotFound},
		{"no build", &fake{}, []string{"explain", "--build"}, exitNotFound},
		{"no action", &fake{}, []string{"action", "x"}, exitNotFound},
		{"no server", nil, []string{"server", "status"}, exitNotFound},
		{"nothing to stop", nil, []string{"server", "stop"}, 0},
		{"no project file", &fake{}, []string{"config", "trust", "."}, exitNotFound},
		{"not flushed", &fake{}, []string{"cache", "flush"}, exitFailed},
		{"run fails", &fake{}, []string{"server", "run"}, exitFailed},
		{"scanned", &fake{scan: &admin.ScanReply{}}, []string{"scan", "--", "sh", "-c", "x"}, 0},
		{"asked", &fake{scan: &admin.ScanReply{Fallbacks: []string{"x"}}}, []string{"scan", "--", "sh", "-c", "x"}, exitFellBack},
		{"no such compiler", &fake{}, []string{"scan", "--", "no-such-compiler"}, exitNotFound},
	}
	for _, tt := range tests {
		b := newBench(t, tt.f)
		b.dir = t.TempDir()
		if code := b.try(t, tt.args...); code != tt.want {
			t.Errorf("%s: exit code %d, want %d; stderr %q", tt.name, code, tt.want, &b.err)
		}
	}
}

// TestVerbsThatStartNothing look at a server or end it.
func TestVerbsThatStartNothing(t *testing.T) {
	for _, args := range [][]string{{"server", "status"}, {"server", "stop"}, {"doctor"}, {"config"}, {"version"}, {"help"}} {
		b := newBench(t, nil)
		b.try(t, args...)
		if b.started {
			t.Errorf("%v: started a server", args)
		}
	}
}

func TestSpellingsOfOtherCaches(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-s", "stats"},
		{"--show-stats", "stats"},
		{"-z", "zero"},
		{"--zero-stats", "zero"},
		{"-C", "clear"},
		{"--clear", "clear"},
		{"stats --zero", "zero"},
		{"stats -z", "zero"},
	} {
		f := &fake{stats: &journal.Stats{}}
		b := newBench(t, f)
		if code := b.try(t, strings.Fields(tt.args)...); code != 0 {
			t.Errorf("%s: exit code %d, %s", tt.args, code, &b.err)
		}
		if tt.want == "stats" {
			if !strings.Contains(b.out.String(), "Compiles:") {
				t.Errorf("%s: stdout %q", tt.args, &b.out)
			}
		} else if diff := cmp.Diff([]string{tt.want}, f.calls); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", tt.args, diff)
		}
	}
	for _, spelling := range []string{"-V", "--version", "version"} {
		b := newBench(t, nil)
		if code := b.try(t, spelling); code != 0 || b.out.String() != "rexwrap v1.2.3\n" {
			t.Errorf("%s: exit code %d, stdout %q", spelling, code, &b.out)
		}
	}
	for _, spelling := range []string{"-h", "--help", "help"} {
		b := newBench(t, nil)
		if code := b.try(t, spelling); code != 0 || !strings.Contains(b.out.String(), "Verbs:") {
			t.Errorf("%s: exit code %d, stdout %q", spelling, code, &b.out)
		}
	}
	b := newBench(t, &fake{status: &admin.Status{PID: 7}})
	if code := b.try(t, "--start-server"); code != 0 || b.out.String() != "a server is running already, process 7\n" {
		t.Errorf("--start-server: exit code %d, stdout %q", code, &b.out)
	}
	b = newBench(t, nil)
	if code := b.try(t, "--stop-server"); code != 0 || b.out.String() != "no server is running\n" {
		t.Errorf("--stop-server: exit code %d, stdout %q", code, &b.out)
	}
}

// walk calls each for every command that help shows.
func walk(path string, commands []*cli.Command, each func(path string, c *cli.Command)) {
	for _, c := range commands {
		if !c.Hidden {
			each(path+c.Name, c)
			walk(path+c.Name+" ", c.Subcommands, each)
		}
	}
}

func TestHelp(t *testing.T) {
	b := newBench(t, nil)
	if code := b.try(t, "help"); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	golden(t, "help.golden", b.out.String())
	walk("", b.program().Commands, func(path string, c *cli.Command) {
		if code := b.try(t, append([]string{"help"}, strings.Fields(path)...)...); code != 0 {
			t.Errorf("help %s: exit code %d, %s", path, code, &b.err)
		}
		text := b.out.String()
		narrow(t, "help "+path, text)
		if !strings.HasPrefix(text, "rexwrap "+path+": "+c.Usage) {
			t.Errorf("help %s: %s", path, text)
		}
		if path == "help" {
			return
		}
		if code := b.try(t, append(strings.Fields(path), "--help")...); code != 0 || b.out.String() != text {
			t.Errorf("%s --help: exit code %d, differs from help %s:\n%s", path, code, path, cmp.Diff(text, b.out.String()))
		}
	})
}

// TestDocuments: every verb, option and setting is in the manual, and every verb
// in the completions.
func TestDocuments(t *testing.T) {
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	manual := strings.NewReplacer(`\-`, "-", `\fR`, "", `\fB`, "", `\fI`, "").Replace(read("man/rexwrap.1"))
	shells := map[string]string{}
	for _, name := range []string{"rexwrap.bash", "_rexwrap", "rexwrap.fish"} {
		shells[name] = read("completion/" + name)
	}
	b := newBench(t, nil)
	walk("", b.program().Commands, func(path string, c *cli.Command) {
		name := c.Name
		if !strings.Contains(manual, name) {
			t.Errorf("rexwrap.1 does not mention %s", path)
		}
		for _, f := range c.Flags {
			if long := f.Names()[0]; len(long) > 1 && !strings.Contains(manual, "--"+long) {
				t.Errorf("rexwrap.1 does not mention --%s of %s", long, path)
			}
		}
		for shell, text := range shells {
			if !strings.Contains(text, name) {
				t.Errorf("%s does not complete %s", shell, path)
			}
		}
	})
	for _, k := range config.Keys() {
		if !strings.Contains(manual, k.Name) {
			t.Errorf("rexwrap.1 does not mention the setting %s", k.Name)
		}
		if k.Server && !strings.Contains(read("man/rexd.8"), k.Name) {
			t.Errorf("rexd.8 does not mention the setting %s", k.Name)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		b := newBench(t, nil)
		if code := b.try(t, "completion", shell); code != 0 || !strings.Contains(b.out.String(), "explain") {
			t.Errorf("%s: exit code %d, %d bytes", shell, code, b.out.Len())
		}
	}
}

func TestInterspersed(t *testing.T) {
	b := newBench(t, nil)
	for _, tt := range []struct{ in, want string }{
		{"explain a.o --json", "explain --json a.o"},
		{"log --follow -n 5", "log --follow -n 5"},
		{"cache evict --to 1G --json", "cache evict --to 1G --json"},
		{"explain -- --json", "explain -- --json"},
		{"exec make --json", "exec make --json"},
		{"scan -- gcc -c x.c --json", "scan -- gcc -c x.c --json"},
		{"config trust . --json", "config trust --json ."},
	} {
		got := strings.Join(interspersed(b.program().Commands, strings.Fields(tt.in)), " ")
		if got != tt.want {
			t.Errorf("%s becomes %s, want %s", tt.in, got, tt.want)
		}
	}
}
