package config

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rexwrap/rexwrap/toolchains"
)

// house is a home directory with a project below it.
type house struct {
	t    *testing.T
	home string
	dir  string // working directory, two levels below the project's root
	env  toolchains.Environ
	*Loader
}

func newHouse(t *testing.T) *house {
	t.Helper()
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, home: home, dir: filepath.Join(home, "src", "lib", "deep"), Loader: NewLoader()}
	if runtime.GOOS == "windows" {
		h.env = toolchains.Environ{"USERPROFILE=" + home, "APPDATA=" + filepath.Join(home, ".config"), "LOCALAPPDATA=" + home}
	} else {
		h.env = toolchains.Environ{"HOME=" + home}
	}
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) path(name string) string { return filepath.Join(h.home, filepath.FromSlash(name)) }

func (h *house) write(name, text string) string {
	h.t.Helper()
	path := h.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func (h *house) user(text string) string    { return h.write(".config/rexwrap/config.toml", text) }
func (h *house) project(text string) string { return h.write("src/"+ProjectFile, text) }

func (h *house) load(vars ...string) (*Settings, error) {
	return h.Load(slices.Concat(h.env, vars), h.dir)
}

func (h *house) mustLoad(vars ...string) *Settings {
	h.t.Helper()
	s, err := h.load(vars...)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func TestDefaults(t *testing.T) {
	h := newHouse(t)
	s := h.mustLoad()
	got := map[string]string{}
	for _, k := range Keys() {
		if text := s.Show(k.Name); text != "" {
			got[k.Name] = text
		}
		if o := s.Origin(k.Name); o.String() != "default" {
			t.Errorf("origin of %s is %s", k.Name, o)
		}
	}
	cache := h.path(".cache/rexwrap")
	if runtime.GOOS == "windows" {
		cache = h.path("rexwrap/cache")
	}
	want := map[string]string{
		"cache_dir": cache, "cache_size": "10GiB", "idle_exit": "1h", "log": "info",
		"local_jobs": s.Show("local_jobs"), "remote_jobs": "200", "priority": "0", "exec_timeout": "10m",
		"remote_upload": "true", "strategy": "local", "paths": "exact", "toolchain": "auto",
		"read_only": "false", "recache": "false", "verify": "0%", "disable": "false",
		"rust_incremental": "aside", "rust_remote_proc_macros": "false", "msvc_pdb": "session", "msvc_pch": "strip",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	if s.LocalJobs != runtime.NumCPU() {
		t.Errorf("local_jobs = %d", s.LocalJobs)
	}
}

func TestPrecedence(t *testing.T) {
	h := newHouse(t)
	user := h.user("strategy = 'remote'\npaths = 'relocatable'\nverify = '1%'\n")
	project := h.project("# ours\nstrategy = 'race'\n")
	tests := []struct {
		key, value, origin string
	}{
		{"strategy", "auto", "REXWRAP_STRATEGY"},
		{"paths", "relocatable", user + ":2"},
		{"verify", "1%", user + ":3"},
		{"toolchain", "auto", "default"},
	}
	s := h.mustLoad("REXWRAP_STRATEGY=auto")
	for _, tt := range tests {
		if got := s.Show(tt.key); got != tt.value {
			t.Errorf("%s = %s, want %s", tt.key, got, tt.value)
		}
		if got := s.Origin(tt.key).String(); got != tt.origin {
			t.Errorf("origin of %s = %s, want %s", tt.key, got, tt.origin)
		}
	}
	s = h.mustLoad()
	if got := s.Strategy; got != Race || s.Origin("strategy").String() != project+":2" {
		t.Errorf("strategy = %s from %s", got, s.Origin("strategy"))
	}
	if diff := cmp.Diff([]string{project, user}, s.Files()); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestNearestProjectFileCounts(t *testing.T) {
	h := newHouse(t)
	h.project("paths = 'relocatable'\n")
	h.write("src/lib/"+ProjectFile, "strategy = 'race'\n")
	if s := h.mustLoad(); s.Strategy != Race || s.Paths != PathsExact {
		t.Errorf("strategy = %s, paths = %s", s.Strategy, s.Paths)
	}
}

func TestFindProject(t *testing.T) {
	h := newHouse(t)
	file := h.project("")
	for _, dir := range []string{h.dir, h.dir + "/", h.path("src"), h.path("src/lib/gone")} {
		if f := findProject(dir); f.path != file {
			t.Errorf("%s has the project file %q", dir, f.path)
		}
	}
	for _, dir := range []string{"/", h.home} {
		if f := findProject(dir); f.key.exists {
			t.Errorf("%s has the project file %q", dir, f.path)
		}
	}
}

func TestPathsAreBelowTheirSource(t *testing.T) {
	h := newHouse(t)
	h.project("exec_root = '.'\nextra_inputs = ['a', '~/b', '" + h.path("c") + "']\n")
	s := h.mustLoad()
	if s.ExecRoot != h.path("src") {
		t.Errorf("exec_root = %s", s.ExecRoot)
	}
	if diff := cmp.Diff([]string{h.path("src/a"), h.path("b"), h.path("c")}, s.ExtraInputs); diff != "" {
		t.Errorf("extra_inputs (-want +got):\n%s", diff)
	}
	s = h.mustLoad("REXWRAP_EXEC_ROOT=..", "REXWRAP_EXTRA_INPUTS=x"+string(os.PathListSeparator)+"../y")
	if s.ExecRoot != h.path("src/lib") {
		t.Errorf("exec_root = %s", s.ExecRoot)
	}
	if diff := cmp.Diff([]string{h.path("src/lib/deep/x"), h.path("src/lib/y")}, s.ExtraInputs); diff != "" {
		t.Errorf("extra_inputs (-want +got):\n%s", diff)
	}
}

func TestStrategyFollowsRemote(t *testing.T) {
	h := newHouse(t)
	tests := []struct {
		vars []string
		want Strategy
	}{
		{nil, Local},
		{[]string{"REXWRAP_REMOTE=grpc://h:1"}, Auto},
		{[]string{"REXWRAP_REMOTE=none"}, Local},
		{[]string{"REXWRAP_ACTION_CACHE=unix:/s"}, Auto},
		{[]string{"REXWRAP_REMOTE=grpc://h:1", "REXWRAP_STRATEGY=race"}, Race},
	}
	for _, tt := range tests {
		if got := h.mustLoad(tt.vars...).Strategy; got != tt.want {
			t.Errorf("%v: strategy = %s, want %s", tt.vars, got, tt.want)
		}
	}
}

func TestTablesAndLists(t *testing.T) {
	h := newHouse(t)
	h.user(`
platform = { OSFamily = "linux", cores = 4 }
rust_uncached = ["a", "b"]
extra_flags = ["-fx=* codegen"]
[headers]
authorization = "Bearer secret"
[tls]
cert = "c.pem"
`)
	s := h.mustLoad()
	if diff := cmp.Diff(map[string]string{"OSFamily": "linux", "cores": "4"}, s.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
	if s.TLS.Cert != h.path(".config/rexwrap/c.pem") {
		t.Errorf("tls.cert = %s", s.TLS.Cert)
	}
	if s.Headers["authorization"] != "Bearer secret" || s.Show("headers") != "(set)" {
		t.Errorf("headers = %v, shown %s", s.Headers, s.Show("headers"))
	}
	if s.Show("extra_flags") != "-fx=* codegen" || s.Show("rust_uncached") != "a,b" {
		t.Errorf("extra_flags = %s, rust_uncached = %s", s.Show("extra_flags"), s.Show("rust_uncached"))
	}
	s = h.mustLoad("REXWRAP_PLATFORM=a=1, b=x=y", "REXWRAP_TLS_CERT=/k.pem")
	if diff := cmp.Diff(map[string]string{"a": "1", "b": "x=y"}, s.Platform); diff != "" {
		t.Errorf("platform (-want +got):\n%s", diff)
	}
}

func TestFalseIsFalse(t *testing.T) {
	h := newHouse(t)
	h.user("disable = true\n")
	for _, v := range []string{"0", "false", "no", "off"} {
		if h.mustLoad("REXWRAP_DISABLE=" + v).Disable {
			t.Errorf("REXWRAP_DISABLE=%s is true", v)
		}
	}
	if !h.mustLoad("REXWRAP_DISABLE=").Disable {
		t.Error("an empty variable counted")
	}
}

func TestProblems(t *testing.T) {
	const secret = "hunter2"
	tests := []struct {
		name, user string
		vars       []string
		want       string
	}{
		{"unknown key", "# x\ncachesize = 1\n", nil, "FILE:2: cachesize is no setting; did you mean cache_size?"},
		{"unknown far", "zzz = 1\n", nil, "FILE:1: zzz is no setting; rexwrap config lists them"},
		{"unknown table", "[tsl]\nca = 'x'\n", nil, "FILE:1: tsl is no setting; did you mean tls?"},
		{"unknown in tls", "[tls]\ncert = 'x'\ncerts = 'y'\n", nil, "FILE:3: tls.certs is no setting; did you mean tls.cert?"},
		{"choice", "strategy = 'remot'\n", nil, `FILE:1: strategy must be one of auto, local, race, remote; did you mean "remote"?`},
		{"size", "cache_size = 'big'\n", nil, "FILE:1: cache_size must be a size like 10GiB or 500M"},
		{"small", "cache_size = 4096\n", nil, "FILE:1: cache_size must be 1MiB or more"},
		{"shape", "strategy = ['a']\n", nil, "FILE:1: strategy must be one value, not a list or table"},
		{"list", "extra_inputs = 'a'\n", nil, "FILE:1: extra_inputs must be a list of strings"},
		{"map", "platform = 'a=b'\n", nil, "FILE:1: platform must be a table of strings"},
		{"scheme", "remote = 'https://h'\n", nil, "FILE:1: remote must start with grpcs:// rather than https://"},
		{"toolchain", "toolchain = 'shipp'\n", nil, `FILE:1: toolchain must be one of auto, host, ship, file:PACK; did you mean "ship"?`},
		{"date", "log = 2020-01-01\n", nil, "FILE:1: log must be one value, not a list or table"},
		{"syntax", "log = \n", nil, "FILE:1: not TOML: "},
		{"variable", "", []string{"REXWRAP_VERIFY=" + secret}, "REXWRAP_VERIFY: must be a percentage from 0% to 100%"},
		{"header", "", []string{"REXWRAP_HEADERS=" + secret}, "REXWRAP_HEADERS: must be NAME=VALUE, separated by commas"},
		{"flag", "extra_flags = ['-x codgen']\n", nil, `FILE:1: extra_flags class must be one of codegen, preprocessor, diagnostic, input, none, local, aside; did you mean "codegen"?`},
		{"both", "log = 'x'\n", []string{"REXWRAP_RECACHE=x"}, "REXWRAP_RECACHE: must be true or false\nFILE:1: log must be one of"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := newHouse(t)
			file := h.user(tt.user)
			s, err := h.load(tt.vars...)
			if err == nil {
				t.Fatal("no error")
			}
			want := strings.ReplaceAll(tt.want, "FILE", file)
			if !strings.HasPrefix(err.Error(), want) {
				t.Errorf("error\n%s\nwant\n%s", err, want)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows a value: %s", err)
			}
			if s == nil {
				t.Error("no settings beside the error")
			}
		})
	}
}

func TestProjectFileScope(t *testing.T) {
	h := newHouse(t)
	file := h.project("strategy = 'race'\nremote = 'grpc://evil:1'\ncache_dir = '/evil'\ncredential_helper = 'evil'\n")
	s := h.mustLoad()
	if s.Strategy != Race || s.Remote != "" || s.CredentialHelper != "" {
		t.Errorf("strategy = %s, remote = %q, credential_helper = %q", s.Strategy, s.Remote, s.CredentialHelper)
	}
	want := []string{
		file + ":3: cache_dir is a setting of the server and is ignored in a project file",
		file + ": remote, credential_helper ignored; read the file, then: rexwrap config trust " + h.path("src"),
	}
	if diff := cmp.Diff(want, s.Warnings()); diff != "" {
		t.Errorf("warnings (-want +got):\n%s", diff)
	}
}

func TestTrust(t *testing.T) {
	h := newHouse(t)
	file := h.project("remote = 'grpc://h:1'\ncache_dir = '/evil'\n")
	if got, err := Trust(h.env, h.path("src")); err != nil || got != file {
		t.Fatalf("Trust = %s, %v", got, err)
	}
	s := h.mustLoad()
	if s.Remote != "grpc://h:1" || s.CacheDir == "/evil" {
		t.Errorf("remote = %q, cache_dir = %q", s.Remote, s.CacheDir)
	}
	h.project("remote = 'grpc://h:2'\n")
	if s := h.mustLoad(); s.Remote != "" {
		t.Errorf("edited file is still trusted: remote = %q", s.Remote)
	}
	if _, err := Trust(h.env, file); err != nil {
		t.Fatal(err)
	}
	if s := h.mustLoad(); s.Remote != "grpc://h:2" {
		t.Errorf("remote = %q", s.Remote)
	}
	other := h.write("other/"+ProjectFile, "recache = true\n")
	if _, err := Trust(h.env, other); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(folders{h.env}.trustFile())
	if err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("trust file %q, %v", text, err)
	}
	if s := h.mustLoad(); s.Remote != "grpc://h:2" {
		t.Errorf("remote = %q after another file was trusted", s.Remote)
	}
}

func TestTrustRefuses(t *testing.T) {
	h := newHouse(t)
	if _, err := Trust(h.env, h.path("src")); err == nil {
		t.Error("trusted a file that does not exist")
	}
	h.project("remot = 1\n")
	if _, err := Trust(h.env, h.path("src")); err == nil {
		t.Error("trusted a file with an unknown key")
	}
	h.project("remote = 'grpc://h:1'\n")
	if _, err := Trust(nil, h.path("src")); err == nil {
		t.Error("trusted without a folder to remember it in")
	}
}

func TestReloadAfterEdit(t *testing.T) {
	h := newHouse(t)
	now := time.Now()
	h.now = func() time.Time { return now.Add(time.Hour) } // files are settled
	file := h.user("strategy = 'race'\n")
	first := h.mustLoad()
	if again := h.mustLoad(); again != first {
		t.Error("an unchanged call was resolved anew")
	}
	h.user("strategy = 'auto'\n")
	if err := os.Chtimes(file, now, now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if s := h.mustLoad(); s.Strategy != Auto {
		t.Errorf("strategy = %s after the edit", s.Strategy)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if s := h.mustLoad(); s.Strategy != Local {
		t.Errorf("strategy = %s after the file went", s.Strategy)
	}
	h.project("strategy = 'race'\n")
	if s := h.mustLoad(); s.Strategy != Race {
		t.Errorf("strategy = %s after a project file came", s.Strategy)
	}
}

// TestYoungFilesAreReadAgain edits a file within one tick of its clock.
func TestYoungFilesAreReadAgain(t *testing.T) {
	h := newHouse(t)
	file := h.user("strategy = 'race'\n")
	stamp := time.Now()
	for _, want := range []Strategy{"race", "auto"} {
		h.user("strategy = '" + string(want) + "'\n")
		if err := os.Chtimes(file, stamp, stamp); err != nil {
			t.Fatal(err)
		}
		if s := h.mustLoad(); s.Strategy != want {
			t.Errorf("strategy = %s, want %s", s.Strategy, want)
		}
	}
}

func TestLoadServer(t *testing.T) {
	h := newHouse(t)
	h.user("cache_size = '1GiB'\n")
	s, err := h.LoadServer(slices.Concat(h.env, []string{"REXWRAP_LOCAL_JOBS=3"}))
	if err != nil || s.CacheSize != 1<<30 || s.LocalJobs != 3 {
		t.Errorf("cache_size = %d, local_jobs = %d, %v", s.CacheSize, s.LocalJobs, err)
	}
	if _, err := h.LoadServer(slices.Concat(h.env, []string{"REXWRAP_CACHE_DIR=rel"})); err == nil {
		t.Error("a relative cache_dir is no error for a server")
	}
}

func TestHomeUnset(t *testing.T) {
	s, err := NewLoader().Load(nil, t.TempDir())
	if err != nil || s.CacheDir != "" {
		t.Errorf("cache_dir = %q, %v", s.CacheDir, err)
	}
}

// The wrapper finds the socket before any file is read.
func TestSocketCountsInTheEnvironmentOnly(t *testing.T) {
	h := newHouse(t)
	h.user("socket = \"/s\"\n")
	s := h.mustLoad()
	if s.Socket != "" || len(s.Warnings()) != 1 || !strings.HasSuffix(s.Warnings()[0], "config.toml:1: socket is ignored in files; set REXWRAP_SOCKET") {
		t.Errorf("socket %q, warnings %q", s.Socket, s.Warnings())
	}
	if s := h.mustLoad("REXWRAP_SOCKET=/e"); s.Socket != "/e" {
		t.Errorf("socket %q, want /e", s.Socket)
	}
}

func TestUnknownVariables(t *testing.T) {
	env := toolchains.Environ{"REXWRAP_STRATGY=x", "REXWRAP_CC=gcc", "REXWRAP_ZZZZZZ=1", "REXWRAP_TLS_CA=/x", "PATH=/bin"}
	want := []string{
		"REXWRAP_STRATGY means nothing; did you mean REXWRAP_STRATEGY?",
		"REXWRAP_ZZZZZZ means nothing",
	}
	if diff := cmp.Diff(want, Unknown(env)); diff != "" {
		t.Errorf("Unknown (-want +got):\n%s", diff)
	}
}

// TestShownValuesReadBack sets every key by variable to what is shown of it.
func TestShownValuesReadBack(t *testing.T) {
	h := newHouse(t)
	h.user(`
cache_dir = "/c"
remote = "grpcs://h:1"
platform = { a = "1", b = "2" }
exec_root = "/r"
toolchain = "file:/p"
verify = 2.5
extra_inputs = ["/x", "/y"]
extra_flags = ["-a * input", "-b none"]
`)
	s := h.mustLoad()
	for _, k := range Keys() {
		text := s.Show(k.Name)
		if text == "" {
			continue
		}
		again := h.mustLoad(k.Variable + "=" + text)
		if got := again.Show(k.Name); got != text || again.Origin(k.Name).Source != FromEnvironment {
			t.Errorf("%s=%s reads back as %s from %s", k.Variable, text, got, again.Origin(k.Name))
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	home := b.TempDir()
	dir := filepath.Join(home, "a", "b", "c", "d", "e", "f")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "a", ProjectFile), []byte("strategy = 'race'\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	env := toolchains.Environ{"HOME=" + home, "REXWRAP_VERIFY=1%"}
	for i := range 50 {
		env = append(env, "VARIABLE_"+string(rune('A'+i%26))+"=some value of a usual length")
	}
	l := NewLoader()
	l.now = func() time.Time { return time.Now().Add(time.Hour) }
	for b.Loop() {
		if _, err := l.Load(env, dir); err != nil {
			b.Fatal(err)
		}
	}
}
