package rustdeps

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// staticLibraries takes those that are put into an rlib or staticlib: of -l
// static=NAME. One that an attribute of the source names shows as a member of the
// archive that is neither code of the crate nor in one of those.
func (c *collector) staticLibraries() error {
	k := c.c.Crate
	if !k.EmitsKind("link") {
		return nil
	}
	var archives []string
	for _, value := range k.Libraries {
		if l, ok := staticNameOf(value); ok {
			found, err := c.staticLibrary(l)
			if err != nil {
				return err
			}
			archives = append(archives, found...)
		}
	}
	switch o := c.c.Output(toolchains.RoleRlib); {
	case c.ahead: // what it lacks fails
	case o != nil:
		return c.onlyKnownCode(o.Path, archives)
	case slices.Contains(k.Types, "staticlib"):
		return c.noAttributes()
	}
	return nil
}

// noAttributes steps back from sources that name a static library by themselves.
func (c *collector) noAttributes() error {
	for _, f := range c.in.Files {
		if !strings.HasSuffix(f.Path, ".rs") {
			continue
		}
		text, err := os.ReadFile(c.c.Call.Abs(f.Path))
		if err != nil || regexp.MustCompile(`kind\s*=\s*"static`).Match(text) {
			return toolchains.Unsupported("bundled-library", f.Path)
		}
	}
	return nil
}

// A staticName is a library that rustc itself searches for.
type staticName struct {
	name string
	// verbatim is set where that is the name of its file.
	verbatim bool
}

// staticNameOf reads KIND[:MODIFIERS]=NAME[:RENAME].
func staticNameOf(value string) (l staticName, ok bool) {
	kind, name, ok := strings.Cut(value, "=")
	if !ok {
		return l, false
	}
	kind, modifiers, _ := strings.Cut(kind, ":")
	l.name, _, _ = strings.Cut(name, ":")
	l.verbatim = slices.Contains(strings.Split(modifiers, ","), "+verbatim")
	return l, kind == "static" || kind == "static-nobundle"
}

// files are the names of the library's file, in order. What rustc finds under the
// first of them it takes, or under either; of a name that is a file's own versions
// differ as to the second.
func (l staticName) files(target string) (names []string, either bool) {
	unix := "lib" + l.name + ".a"
	switch {
	case l.verbatim:
		return []string{l.name, unix}, false
	case strings.Contains(target, "-windows-msvc"):
		return []string{l.name + ".lib", unix}, true
	}
	return []string{unix}, true
}

// staticLibrary takes the file of a library, and returns all that may be it.
func (c *collector) staticLibrary(l staticName) (found []string, err error) {
	files, either := l.files(c.target())
	for _, s := range c.c.Crate.Search {
		if s.Kind != "native" && s.Kind != "all" {
			continue
		}
		for i, file := range files {
			path := strings.TrimSuffix(s.Dir, "/") + "/" + file
			if !c.lookAt(path) {
				c.noteAbsent(path)
				continue
			}
			if err := c.add(path); err != nil {
				return nil, err
			}
			if found = append(found, path); i == 0 || either {
				return found, nil
			}
		}
	}
	return nil, toolchains.Unsupported("static-library", l.name)
}

// target is what code is made for.
func (c *collector) target() string {
	if c.c.Crate.Target != "" {
		return c.c.Crate.Target
	}
	return c.c.Toolchain.Target
}

// ownObjects matches the names of the objects that rustc itself puts into a library:
// by the crate and its extra filename, or by the name that the caller gives to the
// library.
//
//	object = stem "." … ".rcgu.o" ;
func ownObjects(crate, path string) *regexp.Regexp {
	base := filepath.Base(path)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	if strings.HasSuffix(base, ".rlib") {
		crate = strings.TrimPrefix(stem, "lib")
	}
	either := "(?:" + regexp.QuoteMeta(crate) + "(?:-[^.]*)?|" + regexp.QuoteMeta(stem) + ")"
	return regexp.MustCompile(`^` + either + `\..*\.rcgu\.o$`)
}

// onlyKnownCode steps back from a library that holds more than code of the crate and
// what is in archives, of which newer versions of rustc may hold one as a whole.
func (c *collector) onlyKnownCode(path string, archives []string) error {
	left := map[string]int{}
	for _, archive := range archives {
		left[filepath.Base(archive)]++
		if err := c.eachMember(archive, func(name string) bool { left[name]++; return true }); err != nil {
			return toolchains.Unsupported("static-library", archive)
		}
	}
	own := ownObjects(c.c.Crate.Name, path)
	foreign := ""
	err := c.eachMember(path, func(name string) bool {
		if !own.MatchString(name) && name != "lib.rmeta" && name != "rust.metadata.bin" {
			if left[name]--; left[name] < 0 {
				foreign = name
			}
		}
		return foreign == ""
	})
	if err != nil || foreign != "" {
		return toolchains.Unsupported("bundled-library", foreign)
	}
	return nil
}

// eachMember calls visit with the names of an archive's members but for its tables,
// which says whether to go on.
func (c *collector) eachMember(path string, visit func(name string) bool) error {
	f, err := os.Open(c.c.Call.Abs(path))
	if err != nil {
		return err
	}
	defer f.Close()
	return members(f, func(name string, _ int64) (bool, error) {
		return name == "/" || name == "//" || name == "/SYM64" || visit(name), nil
	})
}

// linked takes what the linker read, but for what the run itself made and removed:
// objects, and lists of symbols in folders for temporary files.
func (c *collector) linked() error {
	if c.list == "" {
		return nil
	}
	text, err := os.ReadFile(c.list)
	list := linkedFiles(text)
	if err != nil || len(list) == 0 { // every link reads something
		return toolchains.Unsupported("linker-list", "")
	}
	for _, path := range list {
		switch exists, plain := c.lookAt(path), unquoteMake(path); {
		case exists:
		case plain != path && c.lookAt(plain):
			path = plain
		case c.passing(path):
			continue
		default:
			return toolchains.Unsupported("linker-input", path)
		}
		if slices.ContainsFunc(c.c.Outputs, func(o toolchains.Output) bool { return o.Path == path }) {
			continue
		}
		if err := c.add(path); err != nil {
			return err
		}
		c.shadowing(path)
	}
	return nil
}

func (c *collector) lookAt(path string) bool {
	_, err := os.Stat(c.c.Call.Abs(path))
	return err == nil
}

// passing reports whether a file that has gone was the run's own: rustc makes
// them beside outputs, and in folders "rustc…" there or in TMPDIR.
func (c *collector) passing(path string) bool {
	path = filepath.Clean(c.c.Call.Abs(path))
	dir := filepath.Dir(path)
	folders := []string{c.c.Crate.OutDir}
	for _, o := range c.c.Outputs {
		folders = append(folders, filepath.Dir(o.Path))
	}
	return slices.ContainsFunc(folders, func(out string) bool {
		out = filepath.Clean(c.c.Call.Abs(out))
		return dir == out || strings.HasPrefix(filepath.Base(dir), "rustc") && filepath.Dir(dir) == out
	}) || passingIn(tempDir(c.c.Call.Env), path)
}

// passingIn reports whether a file has a name as rustc and linkers make them in a
// folder for temporary files.
func passingIn(temp, path string) bool {
	dir := filepath.Dir(path)
	return strings.HasPrefix(filepath.Base(dir), "rustc") && filepath.Dir(dir) == temp ||
		dir == temp && strings.HasPrefix(filepath.Base(path), "cc")
}

func tempDir(env toolchains.Environ) string {
	if dir := env.Value("TMPDIR"); dir != "" {
		return filepath.Clean(dir)
	}
	return "/tmp"
}

// shadowing takes the names under which the linker would find another file in front
// of the one that it found, a shared library beside an archive included.
func (c *collector) shadowing(path string) {
	base := filepath.Base(path)
	stem, library := libraryStem(base)
	names := []string{base}
	if library {
		names = []string{"lib" + stem + ".so", "lib" + stem + ".a"}
	}
	dirs := c.libraryDirs()
	found, err := os.Stat(filepath.Dir(c.c.Call.Abs(path)))
	at := slices.IndexFunc(dirs, func(d libraryDir) bool { return err == nil && d.info != nil && os.SameFile(d.info, found) })
	switch {
	case at >= 0 && base == "lib"+stem+".a":
		c.noteAbsent(dirs[at].file("lib" + stem + ".so"))
	case at < 0 && !library: // named by its path
		return
	case at < 0:
		at = len(dirs)
	}
	for _, dir := range dirs[:at] {
		for _, name := range names {
			c.noteAbsent(dir.file(name))
		}
	}
}

// libraryStem returns NAME of libNAME.so and libNAME.a.
func libraryStem(file string) (stem string, ok bool) {
	stem, ok = strings.CutPrefix(file, "lib")
	if !ok {
		return "", false
	}
	for _, suffix := range []string{".so", ".a"} {
		if stem, ok := strings.CutSuffix(stem, suffix); ok {
			return stem, true
		}
	}
	return "", false
}

// A libraryDir is a folder in which the linker looks for libraries.
type libraryDir struct {
	dir  string
	info os.FileInfo // nil where it is not there
}

func (d *libraryDir) file(name string) string { return strings.TrimSuffix(d.dir, "/") + "/" + name }

// libraryDirs are the folders in which the linker looks for libraries, in order.
func (c *collector) libraryDirs() []libraryDir {
	if c.dirs == nil {
		for _, dir := range c.libraryPaths() {
			info, err := os.Stat(c.c.Call.Abs(dir))
			if err != nil {
				info = nil
			}
			c.dirs = append(c.dirs, libraryDir{dir, info})
		}
	}
	return c.dirs
}

func (c *collector) libraryPaths() []string {
	var dirs []string
	for _, s := range c.c.Crate.Search {
		if s.Kind == "native" || s.Kind == "all" {
			dirs = append(dirs, s.Dir)
		}
	}
	dirs = append(dirs, filepath.Join(c.c.Toolchain.Sysroot, "lib", "rustlib", c.target(), "lib"))
	dirs = append(dirs, c.c.Crate.LinkDirs...)
	for dir := range strings.SplitSeq(c.c.Call.Env.Value("LIBRARY_PATH"), ":") {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	if c.run.Linker != nil {
		dirs = append(dirs, c.run.Linker.LibraryDirs...)
	}
	return append(dirs, systemDirs(c.target())...)
}

// systemDirs are those in which linkers themselves look, in order.
func systemDirs(target string) []string {
	machine, _, _ := strings.Cut(target, "-")
	var dirs []string
	for _, top := range []string{"/usr/local/lib", "/lib", "/usr/lib"} {
		dirs = append(dirs, top+"/"+machine+"-linux-gnu")
	}
	for _, top := range []string{"/usr/local/lib", "/lib", "/usr/lib"} {
		dirs = append(dirs, top+"64", top)
	}
	return dirs
}
