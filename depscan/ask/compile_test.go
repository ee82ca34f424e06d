package ask

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// compilers returns those of gcc and clang that are installed.
func compilers(t testing.TB) []string {
	t.Helper()
	var out []string
	for _, name := range []string{"gcc", "clang"} {
		if _, err := exec.LookPath(name); err == nil {
			out = append(out, name)
		} else if os.Getenv("REXWRAP_TEST_ALL_TOOLS") != "" {
			t.Fatalf("%s is not installed", name)
		}
	}
	return out
}

// separate are the options of the tests that take the next word.
var separate = map[string]argtable.Class{
	"-o": argtable.Output, "-MF": argtable.Dep, "-MT": argtable.Dep, "-MQ": argtable.Dep,
	"-include": argtable.Include, "-imacros": argtable.Include, "-isystem": argtable.Search,
	"-iquote": argtable.Search, "-idirafter": argtable.Search, "-include-pch": argtable.Include | argtable.InputFile,
}

// joined are those whose value stands in the same word, flags those without.
var (
	joined = map[string]argtable.Class{
		"-x": argtable.Preprocessor, "-I": argtable.Search, "-D": argtable.Macro, "-std=": argtable.Preprocessor, "-finput-charset=": argtable.Preprocessor,
	}
	depFlags = map[string]bool{"-MD": true, "-MMD": true, "-MP": true}
)

// compileOf makes a Compile of a command line, as far as the tests need one: the
// source is the last word, "-c" and "-o" are there.
func compileOf(t testing.TB, dir string, argv ...string) *toolchains.Compile {
	t.Helper()
	program, err := exec.LookPath(argv[0])
	if err != nil {
		t.Fatal(err)
	}
	family := "gcc"
	if strings.Contains(argv[0], "clang") {
		family = "clang"
	}
	c := &toolchains.Compile{
		Call:      &toolchains.Call{Program: program, Argv: argv, Dir: dir, Env: os.Environ()},
		Toolchain: &toolchains.Toolchain{Family: family, Program: program, Version: "12.2.0"},
		Source:    argv[len(argv)-1],
	}
	c.Language = languageOf(c.Source, argv[0])
	parseArgs(c)
	return c
}

func languageOf(source, program string) string {
	switch filepath.Ext(source) {
	case ".c":
		if !strings.HasSuffix(program, "++") {
			return "c"
		}
	case ".h":
		return "c-header"
	case ".i":
		return "cpp-output"
	case ".s":
		return "assembler"
	case ".S":
		return "assembler-with-cpp"
	}
	return "c++"
}

func parseArgs(c *toolchains.Compile) {
	var out, mf string
	var targets []string
	dep := &toolchains.DepFile{}
	for i := 1; i < len(c.Call.Argv); i++ {
		a := parseArg(c.Call.Argv, &i)
		c.Args = append(c.Args, a)
		switch w := a.Option; w {
		case "-o":
			out = a.Value
		case "-MF":
			mf = a.Value
		case "-MT":
			targets = append(targets, a.Value)
		case "-MD", "-MMD":
			c.Dep, dep.System = dep, w == "-MD"
		case "-MP":
			dep.Phony = true
		case "-x":
			c.Language = a.Value
			c.Mode = toolchains.Precompile
		case "-frecord-gcc-switches":
			c.Recorded = true
		}
	}
	dep.Path, dep.Targets = mf, targets
	if mf == "" {
		dep.Path = strings.TrimSuffix(out, filepath.Ext(out)) + ".d"
	}
	if targets == nil {
		dep.Targets = []string{out}
	}
	c.Outputs = []toolchains.Output{{Role: toolchains.RoleObject, Path: out}}
}

func parseArg(argv []string, i *int) toolchains.Arg {
	w := argv[*i]
	if class, ok := separate[w]; ok {
		*i++
		return toolchains.Arg{Option: w, Value: argv[*i], Form: argtable.Separate, Class: class}
	}
	for option, class := range joined {
		if strings.HasPrefix(w, option) {
			return toolchains.Arg{Option: option, Value: w[len(option):], Form: argtable.Joined, Class: class}
		}
	}
	if w[0] != '-' {
		return toolchains.Arg{Value: w, Form: argtable.Joined, Class: argtable.Source}
	}
	a := toolchains.Arg{Option: w, Form: argtable.Flag, Class: argtable.Codegen}
	if depFlags[w] {
		a.Class = argtable.Dep
	}
	return a
}

// factsCache remembers what compilers say of themselves.
type factsCache struct {
	mu   sync.Mutex
	seen map[string]*toolchains.Facts
}

var knownFacts = factsCache{seen: map[string]*toolchains.Facts{}}

// factsOf asks the compiler for its built-in search directories.
func factsOf(t testing.TB, c *toolchains.Compile) *toolchains.Facts {
	t.Helper()
	language := strings.TrimSuffix(c.Language, "-header")
	if language != "c++" {
		language = "c"
	}
	knownFacts.mu.Lock()
	defer knownFacts.mu.Unlock()
	args := []string{"-E", "-v", "-x", language, os.DevNull}
	if slices.Contains(c.Call.Argv, "-nostdinc") {
		args = append(args, "-nostdinc")
	}
	key := c.Call.Program + strings.Join(args, " ")
	if f := knownFacts.seen[key]; f != nil {
		return f
	}
	out, err := exec.Command(c.Call.Program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f := &toolchains.Facts{}
	_, text, _ := bytes.Cut(out, []byte("#include <...> search starts here:\n"))
	text, _, _ = bytes.Cut(text, []byte("End of search list."))
	for line := range bytes.Lines(text) {
		f.AngleDirs = append(f.AngleDirs, strings.TrimSpace(string(line)))
	}
	if c.Toolchain.Family == "gcc" && len(f.AngleDirs) > 0 {
		f.Implicit = []string{"/usr/include/stdc-predef.h"}
	}
	if f.Predefined, err = exec.Command(c.Call.Program, "-E", "-dM", "-x", language, os.DevNull).Output(); err != nil {
		t.Fatal(err)
	}
	knownFacts.seen[key] = f
	return f
}

// A bed is a directory with files, and what is needed to compile there.
type bed struct {
	t     testing.TB
	dir   string
	asker *Asker
	files *filestate.State
	// loud is set for runs that are taken to have written diagnostics.
	loud bool
}

func newBed(t testing.TB) *bed {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &bed{t: t, dir: dir, asker: New(Options{}), files: filestate.New(filestate.Options{})}
}

// write writes files: name, text, name, text, ….
func (b *bed) write(files ...string) {
	b.t.Helper()
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(b.dir, files[i])
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o666); err != nil {
			b.t.Fatal(err)
		}
	}
}

func (b *bed) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// exec runs a command in the bed and returns its stderr.
func (b *bed) exec(env []string, argv ...string) ([]byte, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = b.dir
	cmd.Env = append(append(os.Environ(), "PWD="+b.dir), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	err := cmd.Run()
	return stderr.Bytes(), err
}

// scratch is where the tests keep the files of Plans.
func (b *bed) scratch() string { return filepath.Join(b.t.TempDir(), "run") }

// run plans, runs and collects a compile.
func (b *bed) run(c *toolchains.Compile) (*Result, error) {
	b.t.Helper()
	plan, err := b.asker.Plan(c, b.scratch())
	if err != nil {
		return &Result{}, err
	}
	defer plan.Remove()
	mark := b.settledMark()
	stderr, err := b.exec(plan.Env, plan.Argv...)
	if err != nil {
		b.t.Fatalf("%q: %v\n%s", plan.Argv, err, stderr)
	}
	ran := RunInfo{Mark: mark, Quiet: !b.loud}
	if plan.FilterHeaders {
		ran.Headers = stderr
	}
	return plan.Collect(b.t.Context(), ran, b.files, factsOf(b.t, c))
}

// settledMark returns a Mark that is later than any time stamp of the bed: it
// waits until the clock that stamps files has advanced.
func (b *bed) settledMark() filestate.Mark {
	b.t.Helper()
	probe := filepath.Join(b.t.TempDir(), "probe")
	if err := os.WriteFile(probe, nil, 0o666); err != nil {
		b.t.Fatal(err)
	}
	for range 1_000_000 {
		m := b.files.Mark()
		if _, settled, err := b.files.DigestSince(probe, m); err != nil {
			b.t.Fatal(err)
		} else if settled {
			return m
		}
	}
	b.t.Fatal("the clock stands still")
	return b.files.Mark()
}

// collect is run for a compile that must be cacheable.
func (b *bed) collect(argv ...string) *Result {
	b.t.Helper()
	res, err := b.run(compileOf(b.t, b.dir, argv...))
	if err != nil {
		b.t.Fatalf("%q: %v", argv, err)
	}
	return res
}
