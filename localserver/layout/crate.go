package layout

import (
	"bytes"
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A Crate is what is known of a compile of rustc beside its Inputs.
type Crate struct {
	// Roots have other names in results; empty in Exact.
	Roots Roots
	// Variables are those that the source asks for.
	Variables []Variable
	// Package is the folder whose files a macro may look at, empty for none.
	Package string
	// Linker is the toolchain of the linker's driver, nil where none runs.
	Linker *toolchains.Toolchain
	// System reports whether a file is one of the toolchain, of the linker or
	// of a folder in which the linker looks by itself. It is asked where the
	// toolchain is shipped.
	System func(path string) bool
}

// A Variable is one of the environment that a source asks for.
type Variable struct {
	Name, Value string
	Set         bool
	// Includes is set where it is asked for only to include files.
	Includes bool
}

// What a worker's link reports, beside the outputs of the compile.
const (
	RoleLinkList  toolchains.Role = "link-list"  // what the linker has read
	RoleWorkerDir toolchains.Role = "worker-dir" // where the worker is, by which rustc calls libraries
)

// Where that goes, in the working directory.
const (
	linkList  = ".rexwrap-linked"
	workerDir = ".rexwrap-here"
)

// crate lays a compile of rustc out. It has the names of files from the command
// line, from OUT_DIR and its like, and, of its working directory, from the system:
// there only the worker itself can say what is to be mapped.
func (b *builder) crate() (*Layout, error) {
	in := *b.in
	in.Absent = nil // a worker's list of what a link reads says what was there
	b.in = &in
	b.l.LocalArguments = Identity(b.c)
	if b.r.Mode == Relocatable {
		b.l.LocalArguments = b.r.Crate.Roots.Canonical(b.c)
	}
	if err := b.buildCrate(); err != nil {
		l, other := b.verbatim(err)
		l.names, l.DepTargets = b.canonicalNames(), []string{b.named(b.c.Crate.OutDir)}
		return l, other
	}
	if b.doubt != "" {
		b.l.Unproven = unprovenBy(b.doubt)
	}
	return b.l, nil
}

func (b *builder) buildCrate() error {
	if b.l.LocalArguments == nil || b.r.Crate == nil {
		return unprovenBy(remapOption)
	}
	b.crateDoubts()
	var err error
	if b.m, err = newMirror(b.r, nil); err != nil {
		return err
	}
	b.l.WorkingDir = b.m.workdir()
	if b.r.Crate.Package != "" {
		b.rewritten = append(b.rewritten, path.Clean(b.r.Crate.Package))
	}
	words := b.crateArguments()
	b.crateEnvironment()
	if err := b.outputs(); err != nil {
		return err
	}
	if err := b.tree(); err != nil {
		return err
	}
	b.shipEntries()
	if b.l.Tree, err = merkle.Build(b.l.Entries); err != nil {
		return err
	}
	if b.c.Crate.Links() {
		words = append(words, "-C", "link-arg=-Wl,--dependency-file="+linkList)
		words = append(words, b.shipLinkArguments()...)
		b.l.Outputs = append(b.l.Outputs, Output{RoleLinkList, linkList}, Output{RoleWorkerDir, workerDir})
	}
	words = append(words, b.remaps()...)
	b.l.Arguments = slices.Concat(b.mapsHere(), b.rustc(), words)
	b.l.mirror = b.m
	b.l.DepTargets = []string{b.path(b.c.Crate.OutDir, "")}
	b.l.names = slices.Concat(b.m.names(), b.canonicalNames(), b.shipNames())
	slices.SortStableFunc(b.l.names, func(a, b Name) int { return len(b.Worker) - len(a.Worker) })
	return nil
}

// mapsHere are the words of a shell that starts the words behind them with one
// more: a map from its working directory, as the system has it, to the name that
// results have for it.
func (b *builder) mapsHere() []string {
	if b.r.Ship != nil {
		return b.shipMapsHere()
	}
	script := `exec "$@" ` + remapOption + `"$(pwd -P)=$0"`
	if b.c.Crate.Links() {
		script = "pwd -P>" + workerDir + ";" + script
	}
	return []string{"/bin/sh", "-c", script, b.named(b.m.dir)}
}

// rustc returns the words by which the worker calls it.
func (b *builder) rustc() []string {
	if b.r.Ship != nil {
		return b.shipRustc()
	}
	return []string{b.c.Toolchain.Real}
}

// WorkerFile returns the client's name of a file that a worker in dir, as it says
// by RoleWorkerDir, calls by its place there; other names as they are.
func (l *Layout) WorkerFile(dir []byte, name string) string {
	top := strings.TrimSuffix(string(dir), "\n")
	if l.WorkingDir != "" {
		top = strings.TrimSuffix(top, "/"+l.WorkingDir)
	}
	if path.IsAbs(top) && within(name, top) {
		at := strings.TrimPrefix(name[len(top):], "/")
		if l.sysroot != "" && within(at, l.packed) {
			return l.sysroot + at[len(l.packed):]
		}
		if file := l.ClientFile(at); file != "" {
			return file
		}
	}
	return name
}

// canonicalNames are the names that results have for folders of the client.
func (b *builder) canonicalNames() Names {
	if b.r.Mode != Relocatable || b.r.Crate == nil {
		return nil
	}
	return b.r.Crate.Roots.Names()
}

// crateDoubts are about what was not tried on a worker.
func (b *builder) crateDoubts() {
	k := b.c.Crate
	switch {
	case k.Clippy:
		b.doubts("clippy-driver")
	case k.Native:
		b.doubts("native")
	case b.c.Carries&toolchains.CarriesOutput != 0:
		b.doubts("-Csplit-debuginfo")
	case strings.ContainsAny(b.c.Call.Dir, "=\n") || path.Clean(b.c.Call.Dir) == "/":
		b.doubts(b.c.Call.Dir) // how rustc splits a map at "=" differs
	case k.EmitsKind("link") && (slices.Contains(k.Types, "dylib")):
		b.doubts("dylib")
	}
	b.shipCrateDoubts()
}

// crateArguments returns the worker's arguments without maps.
func (b *builder) crateArguments() []string {
	var words []string
	for i := range b.c.Args {
		a := &b.c.Args[i]
		switch {
		case a.Option == "-Cincremental=":
			b.doubts("-Cincremental")
		case a.Class.Has(argtable.Source):
			words = append(words, a.Render(b.path(a.Value, folder(a.Value)))...)
			continue
		case a.Class.Has(argtable.Output):
			words = append(words, a.Render(b.path(a.Value, a.Value))...)
			continue
		case a.Class.Has(argtable.Path):
			words = append(words, a.Render(b.cratePath(a))...)
			continue
		case a.Class.Has(argtable.Codegen|argtable.Linker|argtable.InputFile) && strings.Contains(a.Value, "/"):
			b.doubts(a.Option + a.Value)
		}
		words = append(words, a.Words()...)
	}
	return words
}

// cratePath returns the value of an option that names a file or folder by
// NAME=PATH or KIND=PATH, or by PATH alone.
func (b *builder) cratePath(a *toolchains.Arg) string {
	p := pathIn(a)
	if !path.IsAbs(p) {
		return a.Value
	}
	dir := p
	if a.Class.Has(argtable.InputFile) {
		dir = folder(p)
	}
	return strings.TrimSuffix(a.Value, p) + b.path(p, dir)
}

// pathIn returns the path that the value of an option holds.
func pathIn(a *toolchains.Arg) string {
	switch strings.TrimSuffix(a.Option, "=") {
	case "--extern":
		_, p, _ := strings.Cut(a.Value, "=")
		return p
	case "-L":
		if _, p, ok := strings.Cut(a.Value, "="); ok {
			return p
		}
	}
	return a.Value
}

// crateEnvironment fills Env. A variable that only serves to include files has the
// worker's name of them; any other has the client's value, which may reach the
// result.
func (b *builder) crateEnvironment() {
	k := b.r.Crate
	env := map[string]string{}
	for _, name := range b.c.Env {
		value, set := b.c.Call.Env.Lookup(name)
		switch {
		case !set:
			continue
		case findsFiles(name):
			b.doubts(name)
		}
		env[name] = value
	}
	for _, v := range k.Variables {
		switch {
		case ownVariable(v.Name):
			b.doubts(v.Name)
			continue
		case !v.Set:
			continue
		case v.Includes && path.IsAbs(v.Value):
			v.Value = b.path(v.Value, v.Value)
		case b.r.Mode == Relocatable && b.named(v.Value) != v.Value:
			b.doubts(v.Name)
		}
		env[v.Name] = v.Value
	}
	switch {
	case b.isRooted():
		env["PATH"] = b.rootedSearchPath()
		env["LD_LIBRARY_PATH"] = strings.Join(b.r.Ship.Pack.LibraryDirs, ":")
	case b.r.Ship != nil:
		env["PATH"] = b.shipSearchPath()
	default:
		env["PATH"] = b.hostSearchPath()
	}
	for name, value := range env {
		b.l.Env = append(b.l.Env, name+"="+value)
	}
}

// hostSearchPath is PATH for programs that the worker has.
func (b *builder) hostSearchPath() string {
	k := b.r.Crate
	programs := slices.Clone(b.c.Toolchain.Programs)
	if k.Linker != nil {
		programs = append(programs, k.Linker.Programs...)
	}
	return b.crateSearchPath(programs)
}

// ownVariable reports whether a worker's compiler gets a value of its own for a
// variable: where a source asks for it, that would be in the result.
func ownVariable(name string) bool { return name == "PATH" || name == "LD_LIBRARY_PATH" }

// findsFiles reports whether a variable says where a compiler or linker looks for
// files.
func findsFiles(name string) bool {
	switch name {
	case "COMPILER_PATH", "GCC_EXEC_PREFIX", "LD_RUN_PATH", "LIBRARY_PATH", "RUST_TARGET_PATH":
		return true
	}
	return false
}

// crateSearchPath is the part of PATH that holds programs, with the system's own
// folders behind it.
func (b *builder) crateSearchPath(programs []toolchains.Program) string {
	var dirs []string
	for dir := range strings.SplitSeq(b.c.Call.Env.Value("PATH"), ":") {
		holds := func(p toolchains.Program) bool { return path.Dir(p.Path) == path.Clean(dir) }
		if path.IsAbs(dir) && slices.ContainsFunc(programs, holds) && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range []string{"/usr/bin", "/bin"} {
		if !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return strings.Join(dirs, ":")
}

// remaps are the maps from the worker's names to those that results have: the
// longest last, which counts.
func (b *builder) remaps() []string {
	var rules []rule
	for i := range b.m.mounts {
		rules = append(rules, rule{b.m.mounts[i].worker, cmpOr(b.m.mounts[i].spelled, "/")})
	}
	for _, n := range b.canonicalNames() {
		rules = append(rules, rule{b.m.worker(n.Client), n.Client})
	}
	slices.SortStableFunc(rules, func(x, y rule) int { return cmp.Compare(len(x.old), len(y.old)) })
	words := []string{remapOption + "/=/"}
	for _, r := range rules {
		if strings.Contains(r.new, "=") {
			b.doubts(r.new)
		}
		words = append(words, remapOption+r.old+"="+b.named(r.new))
	}
	return words
}

// NamesWorker reports whether an output holds a name that files have on workers
// alone.
func NamesWorker(output []byte) bool {
	for rest := output; ; {
		_, after, found := bytes.Cut(rest, []byte(here+"/"))
		if !found {
			return bytes.Contains(output, []byte(outside)) || bytes.Contains(output, []byte(packDir))
		}
		if !bytes.HasPrefix(after, []byte(".")) || bytes.HasPrefix(after, []byte("..")) {
			return true // not sharedDir
		}
		rest = after
	}
}

// named returns the name that results have for a path of the client.
func (b *builder) named(p string) string {
	return b.canonicalNames().WorkerPath(p)
}
