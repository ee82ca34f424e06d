//go:build amd64 || arm64

package trace_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/seccomp"
	"github.com/rexwrap/rexwrap/localserver/trace"
)

// The test's own program is the tracer, and the compiler.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case trace.Verb:
			os.Exit(trace.Main(os.Args[2:]))
		case "compile":
			os.Exit(compile(os.Args[2:]))
		case "under-filter":
			os.Exit(underFilter(os.Args[2:]))
		}
	}
	os.Exit(m.Run())
}

// compile does what its words say, one after the other. What goes wrong is said on
// stderr, and is no failure.
func compile(words []string) int {
	for _, word := range words {
		verb, arg, _ := strings.Cut(word, ":")
		if err := act(verb, arg); err != nil {
			fmt.Fprintln(os.Stderr, word, err)
		}
	}
	return 0
}

func act(verb, arg string) error {
	switch verb {
	case "read":
		_, err := os.ReadFile(arg)
		return err
	case "list":
		_, err := os.ReadDir(arg)
		return err
	case "stat":
		_, err := os.Stat(arg)
		return err
	case "link":
		_, err := os.Readlink(arg)
		return err
	case "write":
		return os.WriteFile(arg, nil, 0o600)
	case "dir":
		return os.Mkdir(arg, 0o700)
	case "cd":
		return os.Chdir(arg)
	case "run":
		return exec.Command(arg).Run()
	case "dial":
		c, err := net.Dial("tcp", arg)
		if err == nil {
			err = c.Close()
		}
		return err
	case "uname":
		return unix.Uname(&unix.Utsname{})
	case "say":
		fmt.Println(arg)
	case "copy": // from the descriptor that a jobserver could have
		_, err := io.Copy(os.Stdout, os.NewFile(3, "pipe"))
		return err
	case "die":
		unblocked := map[string]syscall.Signal{"kill": syscall.SIGKILL, "term": syscall.SIGTERM}
		_ = syscall.Kill(syscall.Getpid(), unblocked[arg])
		select {}
	case "exit":
		os.Exit(3)
	case "await":
		ch := make(chan os.Signal, 1)
		signal.Notify(ch, syscall.SIGTERM)
		fmt.Println("ready")
		<-ch
		os.Exit(7)
	case "leave": // a process that looks for a file when all others have ended
		cmd := exec.Command(os.Args[0], "compile", "copy", "read:"+arg, "write:"+arg+".read")
		cmd.ExtraFiles = []*os.File{os.NewFile(3, "pipe")}
		return cmd.Start()
	}
	return nil
}

// underFilter runs a command under a filter that has a listener.
func underFilter(argv []string) int {
	runtime.LockOSThread()
	fd, err := seccomp.Install(&seccomp.Filter{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer syscall.Close(fd)
	pid, err := syscall.ForkExec(argv[0], argv, &syscall.ProcAttr{Env: os.Environ(), Files: []uintptr{0, 1, 2}})
	if err != nil {
		return 1
	}
	var status syscall.WaitStatus
	_, _ = syscall.Wait4(pid, &status, 0, nil)
	return status.ExitStatus()
}

// A bench is a folder to compile in.
type bench struct {
	*testing.T
	dir, report string
}

func newBench(t *testing.T) *bench {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t, dir, filepath.Join(dir, "report")}
	for name, text := range map[string]string{"so/libm.so": "", "x/a": "a", "x/b": "b"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// command is a compile that does what words say, with DIR for the folder.
func (b *bench) command(words ...string) *exec.Cmd {
	b.Helper()
	tracer := trace.New()
	if tracer == nil {
		b.Fatal("this system cannot trace")
	}
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	for i := range words {
		words[i] = strings.ReplaceAll(words[i], "DIR", b.dir)
	}
	argv, ok := tracer.Argv(&trace.Plan{
		Report: b.report, DepInfo: filepath.Join(b.dir, "x.d"), Folders: []string{filepath.Join(b.dir, "so")},
		Program: self, Argv: append([]string{self, "compile"}, words...),
	})
	if !ok {
		b.Fatal("not traced")
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = b.dir
	return cmd
}

// macro traces what a macro does, and returns the report.
func (b *bench) macro(words ...string) *rustdeps.Trace {
	b.Helper()
	cmd := b.command(slices.Concat([]string{"read:DIR/so/librustc.so", "stat:DIR/x/a", "read:DIR/so/libm.so"}, words, []string{"write:DIR/x.d", "stat:DIR/x/b", "run:/bin/true"})...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	got := trace.ReadReport(b.report)
	if got == nil {
		b.Fatal("no report")
	}
	// What Go's runtime looks for is not of interest.
	got.Lookups = slices.DeleteFunc(got.Lookups, func(l rustdeps.Lookup) bool {
		return !strings.HasPrefix(l.Path, b.dir+"/") || strings.HasPrefix(l.Path, b.dir+"/so/")
	})
	return got
}

func TestLookups(t *testing.T) {
	b := newBench(t)
	for name, target := range map[string]string{"up": "x/..", "to-a": "x/a", "nowhere": "none/at/all"} {
		if err := os.Symlink(target, filepath.Join(b.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	got := b.macro("read:x/a", "stat:DIR/x/b", "stat:x/../x/c", "read:none/at/all", "list:DIR/x", "read:up/to-a", "stat:nowhere", "cd:x", "read:b",
		"link:a", "stat:DIR/x/a/what")
	link := func(name, target string) depscan.Symlink {
		return depscan.Symlink{Path: filepath.Join(b.dir, name), Target: target}
	}
	in := func(act rustdeps.Act, kind rustdeps.Kind, name string, links ...depscan.Symlink) rustdeps.Lookup {
		return rustdeps.Lookup{Act: act, Path: filepath.Join(b.dir, name), Kind: kind, Links: links}
	}
	listed := in(rustdeps.Opened, rustdeps.Folder, "x")
	listed.Listing = rustdeps.FolderListing(filepath.Join(b.dir, "x")).Hex()
	want := []rustdeps.Lookup{
		in(rustdeps.Opened, rustdeps.File, "x/a"),
		in(rustdeps.Asked, rustdeps.File, "x/b"),
		in(rustdeps.Asked, rustdeps.Missing, "x/c"),
		in(rustdeps.Opened, rustdeps.Missing, "none"),
		listed,
		in(rustdeps.Opened, rustdeps.File, "x/a", link("up", "x/.."), link("to-a", "x/a")),
		in(rustdeps.Asked, rustdeps.Missing, "none", link("nowhere", "none/at/all")),
		in(rustdeps.Opened, rustdeps.File, "x/b"),
		in(rustdeps.Asked, rustdeps.File, "x/a", link("x/a", "")),
		in(rustdeps.Asked, rustdeps.File, "x/a"),
	}
	if got.Barred != "" {
		t.Errorf("barred: %s %s", got.Barred, got.Arg)
	}
	if a, b := fmt.Sprintf("%+v", got.Lookups), fmt.Sprintf("%+v", want); a != b {
		t.Errorf("got\n%s\nwant\n%s", strings.ReplaceAll(a, "} {", "}\n{"), strings.ReplaceAll(b, "} {", "}\n{"))
	}
}

func TestBarred(t *testing.T) {
	for word, want := range map[string]string{
		"run:/bin/true": "proc-macro-exec", "dial:127.0.0.1:1": "proc-macro-network", "uname": "proc-macro-system-call", "stat:x/a": "",
	} {
		if got := newBench(t).macro(word); got.Barred != want {
			t.Errorf("%s: barred %q %s, want %q", word, got.Barred, got.Arg, want)
		}
	}
	for word, name := range map[string]string{"write:DIR/y": "y", "dir:DIR/z": "z"} {
		b := newBench(t)
		got := b.macro(word)
		if !slices.ContainsFunc(got.Lookups, func(l rustdeps.Lookup) bool {
			return l.Act == rustdeps.Changed && l.Path == filepath.Join(b.dir, name)
		}) {
			t.Errorf("%s: %+v", word, got.Lookups)
		}
	}
}

// TestEnds checks that a compile ends as without the tracer.
func TestEnds(t *testing.T) {
	for word, want := range map[string]string{
		"say:x": "exit status 0", "exit": "exit status 3", "die:kill": "signal: killed", "die:term": "signal: terminated",
	} {
		b := newBench(t)
		cmd := b.command(word)
		_ = cmd.Run()
		if got := cmd.ProcessState.String(); got != want {
			t.Errorf("%s: %s, want %s", word, got, want)
		}
		if trace.ReadReport(b.report) != nil {
			t.Errorf("%s: a report although no macro was loaded", word)
		}
	}
}

func TestSignalsArePassedOn(t *testing.T) {
	cmd := newBench(t).command("await")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, len("ready\n"))); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 7 {
		t.Error(cmd.ProcessState)
	}
}

// TestDescriptors checks that the compiler has the descriptors of its caller.
func TestDescriptors(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("token"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	cmd := newBench(t).command("copy")
	cmd.ExtraFiles = []*os.File{r}
	if out, err := cmd.Output(); err != nil || string(out) != "token" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestLeftBehind checks that what a compiler leaves behind can look for files when
// compiler and tracer have ended.
func TestLeftBehind(t *testing.T) {
	b := newBench(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := filepath.Join(b.dir, "x/a.read")
	if err := syscall.Mkfifo(done, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := b.command("leave:DIR/x/a")
	cmd.ExtraFiles = []*os.File{r}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.Close() // it begins
	if _, err := os.ReadFile(done); err != nil {
		t.Error(err)
	}
}

// TestWithoutFilter checks that the compiler just runs where it cannot be traced.
func TestWithoutFilter(t *testing.T) {
	b := newBench(t)
	cmd := b.command("read:DIR/so/libm.so", "say:done", "exit")
	argv := append([]string{"under-filter"}, cmd.Args...)
	under := exec.Command(cmd.Path, argv...)
	var stderr bytes.Buffer
	under.Dir, under.Stderr = b.dir, &stderr
	out, _ := under.Output()
	if under.ProcessState.ExitCode() != 3 || string(out) != "done\n" || stderr.Len() > 0 {
		t.Errorf("%v: %s%s", under.ProcessState, out, &stderr)
	}
	if trace.ReadReport(b.report) != nil {
		t.Error("a report of a run that was not traced")
	}
}
