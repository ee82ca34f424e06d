package rustdeps

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
)

// Files is the view of the file system that digests come from.
type Files interface {
	DigestSince(path string, m filestate.Mark) (d digest.Digest, settled bool, err error)
}

// A Run is what Collect is told of the run that a Plan made.
type Run struct {
	// Mark is the moment before the compiler started.
	Mark filestate.Mark
	// Linker is the toolchain of the linker's driver, nil where none runs.
	Linker *toolchains.Toolchain
	// Trace is what was seen of the run, nil where it was not traced.
	Trace *Trace
}

// A Result is what a run has read. All paths are as spelled.
type Result struct {
	*depscan.Inputs
	// Variables are those that the source asks for.
	Variables []Variable
	// Sources are the files that the compiler lists, the source first.
	Sources []string
	// Package is the folder of the package where a procedural macro ran that
	// may have read any variable, else empty. Unless Traced is set, it may have
	// read any file of the package too, and have listed its folders.
	Package string
	Traced  bool
	// Of a traced run, Seen are the files that only the trace shows, absolute;
	// Links are the symbolic links on the way to what was read, and Listings the
	// folders that were opened.
	Seen     []string
	Links    []depscan.Symlink
	Listings []Listing
}

// A Listing is a folder with what FolderListing says of it.
type Listing struct {
	Dir    string
	Digest digest.Digest
}

// A collector gathers the inputs of one run.
type collector struct {
	*Plan
	run    Run
	files  Files
	seen   map[string]bool
	in     depscan.Inputs
	absent map[string]bool
	macros bool
	dirs   []libraryDir // see libraryDirs
	// ahead is set before the run: its outputs are not there, or those of an
	// earlier one.
	ahead bool
}

// Collect reads the inputs off the finished, successful run. An *UnsupportedError
// says why the result must not be stored.
func (p *Plan) Collect(run Run, files Files) (*Result, error) {
	c := &collector{Plan: p, run: run, files: files, seen: map[string]bool{}, absent: map[string]bool{}}
	info, err := c.sources()
	if err != nil {
		return nil, err
	}
	for _, step := range []func() error{c.named, c.crates, c.staticLibraries, c.linked} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if err := c.knownCrates(info.Files); err != nil {
		return nil, err
	}
	return c.result(info)
}

// result returns what was gathered.
func (c *collector) result(info *DepInfo) (*Result, error) {
	res := &Result{Inputs: &c.in, Variables: info.Variables, Sources: info.Files}
	if c.macros {
		res.Package = PackageDir(c.c.Call, c.c.Source)
		if err := c.macroInputs(res); err != nil {
			return nil, err
		}
	}
	c.in.Absent = slices.Sorted(maps.Keys(c.absent))
	return res, nil
}

// macroInputs takes what procedural macros may have read.
func (c *collector) macroInputs(res *Result) error {
	if c.run.Trace == nil {
		return c.wholePackage(res.Package)
	}
	res.Traced = true
	return c.traced(c.run.Trace, res)
}

// add takes a file with its content.
func (c *collector) add(path string) error {
	if c.seen[path] {
		return nil
	}
	d, settled, err := c.files.DigestSince(c.c.Call.Abs(path), c.run.Mark)
	switch {
	case err != nil:
		return toolchains.Unsupported("input-unreadable", path)
	case !settled:
		return toolchains.Unsupported("modified-during-compile", path)
	}
	c.seen[path] = true
	c.in.Files = append(c.in.Files, depscan.File{Path: path, Digest: d})
	return nil
}

// noteAbsent takes a name that must not come to be. One that is there is another
// matter, of which rustc or the linker have decided.
func (c *collector) noteAbsent(path string) {
	if _, err := os.Lstat(c.c.Call.Abs(path)); errors.Is(err, fs.ErrNotExist) {
		c.absent[path] = true
	}
}

// sources takes the files of the dep-info, and the other place of each module.
func (c *collector) sources() (*DepInfo, error) {
	output := c.c.Output(toolchains.RoleDepInfo)
	if output == nil { // see standsAlone
		return &DepInfo{Files: []string{c.c.Source}}, c.add(c.c.Source)
	}
	path := output.Path
	text, err := os.ReadFile(c.c.Call.Abs(path))
	if err != nil {
		return nil, toolchains.Unsupported("dep-info", path)
	}
	return c.sourcesOf(text)
}

// sourcesOf takes the files that a dep-info lists.
func (c *collector) sourcesOf(text []byte) (*DepInfo, error) {
	info, err := ParseDepInfo(text)
	if err != nil || !slices.Contains(info.Files, c.c.Source) {
		return nil, toolchains.Unsupported("dep-info", c.c.Source)
	}
	for _, path := range info.Files {
		if err := c.add(path); err != nil {
			return nil, err
		}
		if other := otherPlace(path); other != "" && path != c.c.Source {
			c.noteAbsent(other)
		}
	}
	if c.c.Crate.Clippy {
		c.clippyConfig()
	}
	return info, c.unlisted(info.Files)
}

// otherPlace is where a module's file could stand as well; both together are an
// error.
func otherPlace(path string) string {
	if dir, ok := strings.CutSuffix(path, "/mod.rs"); ok {
		return dir + ".rs"
	}
	if stem, ok := strings.CutSuffix(path, ".rs"); ok {
		return stem + "/mod.rs"
	}
	return ""
}

// clippyConfig takes the names under which clippy looks for its settings, from
// the package upwards. What it finds is in the dep-info.
func (c *collector) clippyConfig() {
	dir := c.c.Call.Env.Value("CLIPPY_CONF_DIR")
	if dir == "" {
		dir = PackageDir(c.c.Call, c.c.Source)
	}
	for dir = c.c.Call.Abs(dir); ; dir = filepath.Dir(dir) {
		for _, name := range []string{".clippy.toml", "clippy.toml"} {
			c.noteAbsent(filepath.Join(dir, name))
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

// named takes the files that arguments name, the description of a target among them
// that the sysroot may hold.
func (c *collector) named() error {
	for _, path := range c.c.InputFiles {
		if err := c.add(path); err != nil {
			return err
		}
	}
	target := c.c.Crate.Target
	if target == "" || strings.HasSuffix(target, ".json") {
		return nil
	}
	path := filepath.Join(c.c.Toolchain.Sysroot, "lib", "rustlib", target, "target.json")
	if c.lookAt(path) {
		return c.add(path)
	}
	c.noteAbsent(path)
	return nil
}

// crates takes what the crates named by --extern need in turn. Where no output
// lists the crates that were loaded, those of the externs' metadata count.
func (c *collector) crates() error {
	mentioned, err := c.mentioned()
	if err != nil {
		return err
	}
	for _, s := range c.c.Crate.Search {
		if s.Kind == "native" || s.Kind == "framework" {
			continue
		}
		entries, err := os.ReadDir(c.c.Call.Abs(s.Dir))
		if err != nil {
			c.noteAbsent(s.Dir + "/")
			continue
		}
		for _, entry := range entries {
			if err := c.crateFile(s.Dir, entry.Name(), mentioned); err != nil {
				return err
			}
		}
	}
	return nil
}

// mentioned returns the names in all metadata at hand.
func (c *collector) mentioned() ([]*names, error) {
	var out []*names
	for _, e := range c.c.Crate.Externs {
		n, err := c.extern(e.Path)
		if err != nil {
			return nil, err
		}
		if n == nil {
			continue
		}
		if n.extras[assemblerMark] && c.makesCode() {
			return nil, toolchains.Unsupported(reasonAssembler, e.Path)
		}
		out = append(out, n)
	}
	if own := c.ownMetadata(); own != "" {
		text, err := metadata(c.c.Call.Abs(own))
		if err != nil {
			return nil, toolchains.Unsupported("metadata", own)
		}
		out = append(out, &names{extras: extras(text), text: text})
	}
	return out, nil
}

// ownMetadata is the output that lists every crate that was loaded, empty for
// none: metadata of a program is an empty file.
func (c *collector) ownMetadata() string {
	if c.ahead {
		return ""
	}
	for _, role := range []toolchains.Role{toolchains.RoleMetadata, toolchains.RoleRlib} {
		o := c.c.Output(role)
		if o == nil {
			continue
		}
		if info, err := os.Stat(c.c.Call.Abs(o.Path)); err != nil || info.Size() > 0 {
			return o.Path
		}
	}
	return ""
}

// extern returns what the metadata of an extern mentions, nil for a procedural
// macro, which needs no other crate to be loaded.
func (c *collector) extern(path string) (*names, error) {
	abs := c.c.Call.Abs(path)
	if isShared(path) {
		return nil, c.shared(path)
	}
	d, _, err := c.files.DigestSince(abs, c.run.Mark)
	if err != nil {
		return nil, toolchains.Unsupported("input-unreadable", path)
	}
	n, err := c.asker.memo.read(abs, d)
	if err != nil {
		return nil, toolchains.Unsupported("metadata", path)
	}
	return n, nil
}

func isShared(path string) bool { return strings.HasSuffix(path, ".so") }

// shared takes note of a shared library that was loaded. Metadata of one that is
// no procedural macro is compressed: what it needs is not known.
func (c *collector) shared(path string) error {
	d, _, err := c.files.DigestSince(c.c.Call.Abs(path), c.run.Mark)
	if err != nil {
		return toolchains.Unsupported("input-unreadable", path)
	}
	c.macros = true
	if _, ok := c.asker.memo.get(d); ok {
		return nil
	}
	text, err := os.ReadFile(c.c.Call.Abs(path))
	if err != nil || digest.Of(text) != d {
		return toolchains.Unsupported("input-unreadable", path)
	}
	if !bytes.Contains(text, []byte("rustc_proc_macro_decls_")) {
		return toolchains.Unsupported("rust-dylib", path)
	}
	c.asker.memo.put(d, nil)
	return nil
}

// crateFile takes a file of a -L folder if the metadata mention it. A compile that
// makes no code reads the metadata file alone, which is there before the library.
func (c *collector) crateFile(dir, name string, mentioned []*names) error {
	stem, suffix, ok := crateStem(name)
	if !ok || !slices.ContainsFunc(mentioned, func(n *names) bool { return n.mentions(stem) }) {
		return nil
	}
	path := strings.TrimSuffix(dir, "/") + "/" + name
	if slices.ContainsFunc(c.c.Outputs, func(o toolchains.Output) bool { return o.Path == path }) {
		return nil
	}
	switch suffix {
	case ".so":
		if err := c.shared(path); err != nil {
			return err
		}
	case ".rlib":
		if _, err := os.Stat(c.c.Call.Abs(strings.TrimSuffix(path, ".rlib") + ".rmeta")); err == nil && !c.readsCode() {
			return nil
		}
	}
	return c.add(path)
}

// makesCode reports whether any output but metadata and dep-info is asked for.
func (c *collector) makesCode() bool {
	return slices.ContainsFunc(c.c.Crate.Emits, func(kind string) bool { return kind != "metadata" && kind != "dep-info" })
}

// readsCode reports whether the compile reads the code of other crates.
func (c *collector) readsCode() bool {
	k := c.c.Crate
	return k.Links() || k.EmitsKind("link") && slices.Contains(k.Types, "staticlib")
}

// crateStem takes a crate's file apart: "lib" STEM SUFFIX.
func crateStem(file string) (stem, suffix string, ok bool) {
	for _, suffix := range []string{".rmeta", ".rlib", ".so"} {
		if stem, ok := strings.CutSuffix(file, suffix); ok {
			stem, ok = strings.CutPrefix(stem, "lib")
			return stem, suffix, ok && stem != ""
		}
	}
	return "", "", false
}

// knownCrates steps back from sources that name a crate by hand which neither
// --extern nor any output lists. One that is listed could be found elsewhere, too.
func (c *collector) knownCrates(files []string) error {
	own := c.ownMetadata() != ""
	if own && len(c.namedDirs()) == 0 {
		return nil
	}
	byHand := regexp.MustCompile(`extern\s+crate\s+(?:r#)?([A-Za-z_][A-Za-z0-9_]*)`)
	for _, path := range files {
		text, err := os.ReadFile(c.c.Call.Abs(path))
		if err != nil {
			return toolchains.Unsupported("input-unreadable", path)
		}
		for _, m := range byHand.FindAllSubmatch(text, -1) {
			name := string(m[1])
			switch {
			case c.isKnown(name):
			case !own && c.couldLoad(name):
				return toolchains.Unsupported("extern-crate", name)
			default:
				c.noOther(name)
			}
		}
	}
	return nil
}

// namedDirs are the folders in which crates are looked for that sources name.
func (c *collector) namedDirs() []string {
	var out []string
	for _, s := range c.c.Crate.Search {
		if s.Kind == "crate" || s.Kind == "all" {
			out = append(out, s.Dir)
		}
	}
	return out
}

// noOther takes the files that would be a crate of that name, too.
func (c *collector) noOther(crate string) {
	for _, dir := range c.namedDirs() {
		for _, suffix := range []string{".rmeta", ".rlib", ".so"} {
			c.noteAbsent(strings.TrimSuffix(dir, "/") + "/lib" + crate + suffix)
		}
	}
}

func (c *collector) isKnown(crate string) bool {
	switch crate {
	case "std", "core", "alloc", "proc_macro", "test", "self":
		return true
	}
	return slices.ContainsFunc(c.c.Crate.Externs, func(e toolchains.Extern) bool { return e.Name == crate })
}

// couldLoad reports whether a crate that a source names by hand, or only mentions
// in a comment or a macro, may have been loaded without leaving a trace: from a -L
// folder, as a procedural macro, or where no linker lists it.
func (c *collector) couldLoad(crate string) bool {
	for _, s := range c.c.Crate.Search {
		entries, err := os.ReadDir(c.c.Call.Abs(s.Dir))
		if err != nil || s.Kind == "native" || s.Kind == "framework" {
			continue
		}
		for _, entry := range entries {
			stem, suffix, ok := crateStem(entry.Name())
			if ok && (stem == crate || strings.HasPrefix(stem, crate+"-")) && (suffix == ".so" || c.list == "" || c.mergesCode()) {
				return true
			}
		}
	}
	return false
}

// mergesCode reports whether rustc itself reads the code of other crates, so that
// the linker does not (-C lto).
func (c *collector) mergesCode() bool {
	return slices.ContainsFunc(c.c.Args, func(a toolchains.Arg) bool {
		return (a.Option == "-C" || a.Option == "--codegen" || a.Option == "--codegen=") &&
			(a.Value == "lto" || strings.HasPrefix(a.Value, "lto="))
	})
}

// wholePackage takes all files of a package.
func (c *collector) wholePackage(dir string) error {
	list, err := listPackage(dir)
	if _, _, ok := toolchains.ReasonOf(err); ok {
		return err
	}
	if err != nil {
		return toolchains.Unsupported("package-unreadable", dir)
	}
	for _, path := range list.files {
		if err := c.add(path); err != nil {
			return err
		}
	}
	return nil
}
