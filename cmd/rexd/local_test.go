//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
)

// script writes an executable file.
func script(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// machine is a PATH of two folders with compilers and one with rexwrap.
type machine struct {
	*bench
	root    string
	rexwrap string
}

func newMachine(t *testing.T, f *fake) *machine {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{bench: newBench(t, f), root: root}
	m.rexwrap = script(t, m.in("bin/rexwrap"), "echo wrapped \"$0\" \"$@\"\n")
	for _, name := range []string{"one/gcc", "one/g++-12", "one/gcc-ar", "one/ld", "two/gcc", "two/cc", "two/x86_64-linux-gnu-gcc", "two/clang++"} {
		script(t, m.in(name), "echo real\n")
	}
	m.setPath("one", "two", "bin", "missing")
	return m
}

func (m *machine) in(name string) string { return filepath.Join(m.root, name) }

func (m *machine) setPath(dirs ...string) {
	list := []string{}
	for _, d := range dirs {
		list = append(list, m.in(d))
	}
	list = append(list, "/bin", "relative")
	m.env = m.env.With("PATH="+strings.Join(list, ":"), "REXWRAP_CACHE_DIR="+m.in("cache"))
}

func TestSearch(t *testing.T) {
	m := newMachine(t, nil)
	s := newSearch(strings.Join([]string{m.in("one"), m.in("two"), m.in("bin")}, ":"), m.rexwrap)
	want := []string{"cc", "clang++", "g++-12", "gcc", "x86_64-linux-gnu-gcc"}
	if diff := cmp.Diff(want, s.compilers()); diff != "" {
		t.Errorf("compilers (-want +got):\n%s", diff)
	}
	if got := s.find("gcc"); got != m.in("one/gcc") {
		t.Errorf("gcc is %s", got)
	}
	if err := os.Symlink(m.rexwrap, m.in("bin/gcc")); err != nil {
		t.Fatal(err)
	}
	s = newSearch(m.in("bin")+":"+m.in("two"), m.rexwrap)
	if got := s.find("gcc"); got != m.in("two/gcc") {
		t.Errorf("gcc is %s, which is ours", got)
	}
}

func TestCompilerNames(t *testing.T) {
	pattern := compilerNames()
	for name, want := range map[string]bool{
		"gcc": true, "g++": true, "cc": true, "c++": true, "clang": true, "clang++-14": true, "gcc-12": true, "gcc-4.8": true,
		"x86_64-linux-gnu-g++-12": true, "arm-none-eabi-gcc": true, "gcc-ar": false, "gccgo": false, "clang-format": false,
		"gcc-ranlib-12": false, "clangd": false, "rexwrap": false, "c++filt": false, "tcc": false,
	} {
		if got := pattern.MatchString(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	m := newMachine(t, nil)
	dir := m.in("links")
	for range 2 { // the second time nothing changes
		if code := m.try(t, "links", dir); code != 0 {
			t.Fatalf("exit code %d, %s", code, &m.err)
		}
	}
	for _, name := range []string{"gcc", "cc", "g++-12", "clang++", "x86_64-linux-gnu-gcc"} {
		if target, err := os.Readlink(filepath.Join(dir, name)); err != nil || target != m.rexwrap {
			t.Errorf("%s links to %s, %v", name, target, err)
		}
	}
	narrow(t, "links", strings.ReplaceAll(m.out.String(), m.root, ""))
	script(t, filepath.Join(dir, "my-gcc"), "")
	script(t, m.in("one/my-gcc"), "")
	if code := m.try(t, "links", dir); code != exitFailed || !strings.Contains(m.err.String(), "my-gcc is there already and is no link") {
		t.Errorf("exit code %d, stderr %q", code, &m.err)
	}
}

func TestLinksWithoutCompilers(t *testing.T) {
	m := newMachine(t, nil)
	m.env = m.env.With("PATH=" + m.in("bin"))
	if code := m.try(t, "links", m.in("links")); code != exitFailed || !strings.Contains(m.err.String(), "no compiler is on PATH") {
		t.Errorf("exit code %d, stderr %q", code, &m.err)
	}
}

func TestBuildEnv(t *testing.T) {
	m := newMachine(t, nil)
	env, err := m.buildEnv("b1")
	if err != nil {
		t.Fatal(err)
	}
	folder, rest, _ := strings.Cut(env.Value("PATH"), ":")
	if rest != m.env.Value("PATH") || !strings.HasPrefix(folder, m.in("cache")+"/links-") {
		t.Errorf("PATH = %s", env.Value("PATH"))
	}
	for _, name := range []string{"CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER", "RUSTC_WRAPPER"} {
		if got := env.Value(name); got != m.rexwrap {
			t.Errorf("%s = %s", name, got)
		}
	}
	if env.Value("REXWRAP_BUILD") != "b1" {
		t.Errorf("REXWRAP_BUILD = %s", env.Value("REXWRAP_BUILD"))
	}
	m.env = m.env.With("RUSTC_WRAPPER=sccache")
	if env, err = m.buildEnv("b2"); err != nil || env.Value("RUSTC_WRAPPER") != "sccache" {
		t.Errorf("RUSTC_WRAPPER = %s, %v", env.Value("RUSTC_WRAPPER"), err)
	}
	if again, _, _ := strings.Cut(env.Value("PATH"), ":"); again != folder {
		t.Errorf("another folder for the same compilers: %s", again)
	}
}

func TestExec(t *testing.T) {
	f := &fake{build: &journal.BuildReport{Build: "b1", Hits: 2, TimeAvoided: 3}}
	m := newMachine(t, f)
	result := m.in("result")
	if code := m.try(t, "exec", "--", "/bin/sh", "-c", "gcc -c x.c >"+result+"; exit 7"); code != 7 {
		t.Errorf("exit code %d, stderr %q", code, &m.err)
	}
	text, err := os.ReadFile(result)
	if err != nil || !strings.HasPrefix(string(text), "wrapped ") || !strings.HasSuffix(string(text), "/gcc -c x.c\n") {
		t.Errorf("the build called %q, %v", text, err)
	}
	want := "rexwrap: 2 compiles: 2 hits (100 %), 0 misses\nrexwrap: no misses\n" +
		"rexwrap: 3.0 s of compiling avoided; see rexwrap explain --build b1\n"
	if m.err.String() != want {
		t.Errorf("stderr %q, want %q", &m.err, want)
	}
	req := f.request.(*admin.ExplainBuildRequest)
	if !slices.Contains(f.calls, "flush") || len(req.Build) != 9 {
		t.Errorf("calls %v, build %q", f.calls, req.Build)
	}
	if m.started {
		t.Error("exec started a server by itself")
	}
}

func TestExecWithoutServer(t *testing.T) {
	m := newMachine(t, nil)
	if code := m.try(t, "exec", "true"); code != 0 || !strings.Contains(m.err.String(), "no compile reached the cache") {
		t.Errorf("exit code %d, stderr %q", code, &m.err)
	}
	m = newMachine(t, &fake{})
	if code := m.try(t, "exec", "true"); code != 0 || !strings.Contains(m.err.String(), "no compile reached the cache") {
		t.Errorf("exit code %d, stderr %q", code, &m.err)
	}
}

func TestExecAnswersAsAShell(t *testing.T) {
	m := newMachine(t, nil)
	for _, file := range []string{"plain", "one/readme"} {
		if err := os.WriteFile(m.in(file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]int{"no-such-program": 127, m.in("missing"): 127, m.in("plain"): 126, "readme": 126} {
		if code := m.try(t, "exec", "--", name); code != want || strings.Count(m.err.String(), "\n") != 1 {
			t.Errorf("%s: exit code %d, want %d; stderr %q", name, code, want, &m.err)
		}
	}
}

// TestExecOfACompiler goes through rexwrap like every compiler of a build.
func TestExecOfACompiler(t *testing.T) {
	m := newMachine(t, nil)
	env, err := m.buildEnv("b1")
	if err != nil {
		t.Fatal(err)
	}
	got, err := lookPath("gcc", env.Value("PATH"))
	if err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(got); err != nil || target != m.rexwrap {
		t.Errorf("gcc is %s, a link to %q, %v", got, target, err)
	}
}

func TestRunBuildTellsSignals(t *testing.T) {
	end, err := runBuild([]string{"/bin/sh", "-c", "kill -KILL $$"}, toolchains.Environ{"PATH=/bin"})
	if err != nil || !end.Signaled() || end.Signal() != syscall.SIGKILL {
		t.Errorf("ended %v, %v", end, err)
	}
}

// TestRunBuildPassesSignalsOn: the build tells this process to end.
func TestRunBuildPassesSignalsOn(t *testing.T) {
	const build = "trap 'exit 5' TERM; kill -TERM $PPID; while :; do sleep 0.01; done"
	end, err := runBuild([]string{"/bin/sh", "-c", build}, toolchains.Environ{"PATH=/bin"})
	if err != nil || end.Signaled() || end.ExitStatus() != 5 {
		t.Errorf("ended %v, %v", end, err)
	}
}

func TestServerEnv(t *testing.T) {
	b := newBench(t, nil)
	b.dir = "/here"
	b.env = toolchains.Environ{
		"HOME=/h", "PATH=/bin", "LD_PRELOAD=/evil.so", "MAKEFLAGS=-j --jobserver-auth=3,4", "SECRET=x", "XDG_CACHE_HOME=/c",
		"REXWRAP_CACHE_DIR=rel", "REXWRAP_SOCKET=sock", "REXWRAP_GUARD=/x", "REXWRAP_BUILD=b1", "REXWRAP_LOG=debug",
	}
	want := toolchains.Environ{
		"HOME=/h", "PATH=/bin", "REXWRAP_CACHE_DIR=/here/rel", "REXWRAP_LOG=debug", "REXWRAP_SOCKET=/here/sock", "XDG_CACHE_HOME=/c",
	}
	got := b.serverEnv()
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAlive(t *testing.T) {
	if !alive(os.Getpid()) {
		t.Error("this process is not alive")
	}
	p, err := os.StartProcess("/bin/sh", []string{"sh", "-c", "exit 0"}, &os.ProcAttr{})
	if err != nil {
		t.Fatal(err)
	}
	if err := await(t.Context(), stopLimit, func() bool { return !alive(p.Pid) }); err != nil {
		t.Errorf("a process that has ended counts as alive: %v", err)
	}
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
}

func TestAwaitGivesUp(t *testing.T) {
	if err := await(t.Context(), 1, func() bool { return false }); err == nil {
		t.Error("no error")
	}
}

// find returns the checks with a name.
func (d *diagnosis) find(name string) []check {
	var found []check
	for _, c := range d.Checks {
		if c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

func TestDoctor(t *testing.T) {
	m := newMachine(t, &fake{status: &admin.Status{PID: 7, Version: "v1.2.3", Socket: "/s"}})
	if code := m.try(t, "doctor", "--json"); code != 0 {
		t.Fatalf("exit code %d: %s", code, &m.out)
	}
	var d diagnosis
	if err := json.Unmarshal(m.out.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"rexwrap", "server", "cache folder", "disk space", "compilers", "masquerade", "settings", "reflink"} {
		if len(d.find(name)) == 0 {
			t.Errorf("no check %s in %+v", name, d)
		}
	}
	entries, err := os.ReadDir(m.root)
	if err != nil || slices.ContainsFunc(entries, func(e os.DirEntry) bool { return strings.HasPrefix(e.Name(), ".doctor") }) {
		t.Errorf("doctor left files: %v, %v", entries, err)
	}
}

func TestDoctorFinds(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(t *testing.T, m *machine)
		check string
		state string
		text  string
	}{
		{"old server", func(*testing.T, *machine) {}, "server", warning, "process 7 has version v0.9, the verbs have v1.2.3"},
		{"launcher", func(_ *testing.T, m *machine) { m.env = m.env.With("CC=/usr/bin/ccache gcc") }, "other caches", warning, "CC starts with ccache"},
		{"rustc", func(_ *testing.T, m *machine) { m.env = m.env.With("RUSTC_WRAPPER=sccache") }, "other caches", warning, "RUSTC_WRAPPER starts with sccache"},
		{"ccache links", func(t *testing.T, m *machine) {
			ccache := script(t, m.in("cc/ccache"), "")
			if err := os.Symlink(ccache, m.in("cc/gcc")); err != nil {
				t.Fatal(err)
			}
			m.setPath("cc", "one", "bin")
		}, "other caches", warning, "stands for the compilers by ccache"},
		{"late links", func(t *testing.T, m *machine) {
			if err := os.Symlink(m.rexwrap, m.in("bin/gcc")); err != nil {
				t.Fatal(err)
			}
		}, "masquerade", warning, "comes after real compilers"},
		{"early links", func(t *testing.T, m *machine) {
			if err := os.Symlink(m.rexwrap, m.in("bin/gcc")); err != nil {
				t.Fatal(err)
			}
			m.setPath("bin", "one")
		}, "masquerade", fine, "comes before the compilers"},
		{"typo", func(_ *testing.T, m *machine) { m.env = m.env.With("REXWRAP_CACHESIZE=1G") }, "settings", warning, "did you mean REXWRAP_CACHE_SIZE?"},
		{"bad value", func(_ *testing.T, m *machine) { m.env = m.env.With("REXWRAP_CACHE_SIZE=big") }, "settings", bad, "must be a size"},
		{"off", func(_ *testing.T, m *machine) { m.env = m.env.With("REXWRAP_DISABLE=1") }, "settings", warning, "REXWRAP_DISABLE is set"},
		{"cache is a file", func(t *testing.T, m *machine) {
			if err := os.WriteFile(m.in("cache"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}, "cache folder", bad, "cannot be used"},
		{"upload", func(*testing.T, *machine) {}, "server", warning, "is being uploaded"},
		{"no remote", func(*testing.T, *machine) {}, "remote", fine, "none is set"},
		{"dead remote", func(_ *testing.T, m *machine) { m.env = m.env.With("REXWRAP_REMOTE=unix:" + m.in("gone")) }, "remote", bad, "GetCapabilities"},
		{"certificate", func(_ *testing.T, m *machine) {
			m.env = m.env.With("REXWRAP_REMOTE=grpcs://localhost:1", "REXWRAP_TLS_CA="+m.in("gone.pem"))
		}, "remote", bad, "gone.pem"},
		{"no compilers", func(_ *testing.T, m *machine) { m.env = m.env.With("PATH=" + m.in("bin")) }, "compilers", warning, "none is on PATH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMachine(t, &fake{status: &admin.Status{PID: 7, Version: "v0.9", Warnings: []string{"toolchain gcc is being uploaded"}}})
			tt.spoil(t, m)
			d := m.examine(t.Context())
			found := d.find(tt.check)
			if !slices.ContainsFunc(found, func(c check) bool { return c.Status == tt.state && strings.Contains(c.Text, tt.text) }) {
				t.Errorf("checks %+v, want %s: %s", found, tt.state, tt.text)
			}
			want := 0
			if tt.state == bad {
				want = exitFailed
			}
			if code := m.try(t, "doctor"); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}

func TestDoctorRemote(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{})
	m := newMachine(t, &fake{status: &admin.Status{PID: 7, Version: "v1.2.3"}})
	m.env = m.env.With("REXWRAP_REMOTE="+s.Address, "REXWRAP_HEADERS=authorization=secret")
	d := m.examine(t.Context())
	for _, name := range []string{"remote", "capabilities", "latency", "blobs", "action cache", "execution", "clock"} {
		if found := d.find(name); len(found) != 1 || found[0].Status != fine {
			t.Errorf("%s: %+v", name, found)
		}
	}
	for _, c := range d.Checks {
		if strings.Contains(c.Text+c.Hint, "secret") {
			t.Errorf("tells a header: %+v", c)
		}
	}
}

func TestDoctorOutput(t *testing.T) {
	d := &diagnosis{}
	d.add("server", fine, "process 4711 at /run/user/1000/rexwrap/0123456789abcdef", "")
	d.add("masquerade", warning, "/usr/lib/rexwrap comes after real compilers on PATH", "put it first on PATH")
	d.add("cache folder", bad, "/somewhere/with/a/name belongs to another user", "set REXWRAP_CACHE_DIR to a folder of your own")
	b := newBench(t, nil)
	b.stdout.diagnosis(d)
	golden(t, "doctor.golden", b.out.String())
}

func TestConfigOutput(t *testing.T) {
	m := newMachine(t, nil)
	m.dir = m.root
	m.env = toolchains.Environ{"HOME=" + m.root, "REXWRAP_VERIFY=5%", "REXWRAP_HEADERS=a=secret", "REXWRAP_LOCAL_JOBS=4", "REXWRAP_STRATGY=x"}
	file := filepath.Join(m.root, ".rexwrap.toml")
	if err := os.WriteFile(file, []byte("strategy = 'race'\nrecache = true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code := m.try(t, "config"); code != 0 {
		t.Fatalf("exit code %d, %s", code, &m.err)
	}
	var table []string
	for line := range strings.Lines(m.out.String()) {
		if !strings.HasPrefix(line, "warning:") {
			table = append(table, line)
		}
	}
	text := strings.Join(table, "")
	narrow(t, "config", text)
	for _, want := range []string{
		"warning: " + file + ": recache ignored; read the file, then: rexwrap config trust " + m.root + "\n",
		"warning: REXWRAP_STRATGY means nothing; did you mean REXWRAP_STRATEGY?\n",
		"verify                   5%\n                      from REXWRAP_VERIFY\n",
		"headers                  (set)\n",
		"cache_size               10GiB\n",
	} {
		if !strings.Contains(m.out.String(), want) {
			t.Errorf("no %q in\n%s", want, &m.out)
		}
	}
	if strings.Contains(m.out.String(), "secret") {
		t.Error("a secret is shown")
	}
	m.try(t, "config", "--json")
	var r settingsReport
	if err := json.Unmarshal(m.out.Bytes(), &r); err != nil || len(r.Warnings) != 2 || len(r.Files) != 1 {
		t.Errorf("JSON %s, %v", &m.out, err)
	}
	if code := m.try(t, "config", "trust", m.root); code != 0 || m.out.String() != file+" is trusted until it changes\n" {
		t.Errorf("trust: exit code %d, stdout %q, stderr %q", code, &m.out, &m.err)
	}
	m.env = m.env.With("REXWRAP_RECACHE=perhaps")
	if code := m.try(t, "config"); code != exitFailed || !strings.HasPrefix(m.out.String(), "error: REXWRAP_RECACHE: must be true or false\n") {
		t.Errorf("exit code %d, stdout %q", code, &m.out)
	}
}
