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
// archive that is no code of the crate.
func (c *collector) staticLibraries() error {
	k := c.c.Crate
	if !k.EmitsKind("link") {
		return nil
	}
	static := 0
	for _, value := range k.Libraries {
		if name, ok := staticName(value); ok {
			static++
			if err := c.staticLibrary(name); err != nil {
				return err
			}
		}
	}
	switch o := c.c.Output(toolchains.RoleRlib); {
	case c.ahead: // what it lacks fails
	case o != nil && static == 0:
		return c.onlyOwnCode(o.Path)
	case o == nil && slices.Contains(k.Types, "staticlib"):
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

// staticName reads KIND[:MODIFIERS]=NAME[:RENAME].
func staticName(value string) (name string, ok bool) {
	kind, name, ok := strings.Cut(value, "=")
	if !ok {
		return "", false
	}
	kind, _, _ = strings.Cut(kind, ":")
	name, _, _ = strings.Cut(name, ":")
	return name, kind == "static" || kind == "static-nobundle"
}

func (c *collector) staticLibrary(name string) error {
	for _, s := range c.c.Crate.Search {
		if s.Kind != "native" && s.Kind != "all" {
			continue
		}
		for _, file := range []string{"lib" + name + ".a", name + ".lib", name + ".a", name} {
			path := strings.TrimSuffix(s.Dir, "/") + "/" + file
			if info, err := os.Stat(c.c.Call.Abs(path)); err == nil && info.Mode().IsRegular() {
				return c.add(path)
			}
			c.noteAbsent(path)
		}
	}
	return toolchains.Unsupported("static-library", name)
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

func (c *collector) onlyOwnCode(path string) error {
	f, err := os.Open(c.c.Call.Abs(path))
	if err != nil {
		return toolchains.Unsupported("output-unreadable", path)
	}
	defer f.Close()
	own := ownObjects(c.c.Crate.Name, path)
	foreign := ""
	err = members(f, func(name string, _ int64) (bool, error) {
		if name != "/" && name != "//" && !own.MatchString(name) && name != "lib.rmeta" && name != "rust.metadata.bin" {
			foreign = name
		}
		return foreign == "", nil
	})
	if err != nil || foreign != "" {
		return toolchains.Unsupported("bundled-library", foreign)
	}
	return nil
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

// shadowing takes the names under which the linker would find another library in
// front of the one that it found.
func (c *collector) shadowing(path string) {
	base := filepath.Base(path)
	stem, ok := strings.CutPrefix(strings.TrimSuffix(strings.TrimSuffix(base, ".a"), ".so"), "lib")
	if !ok || stem == strings.TrimPrefix(base, "lib") {
		return // an object, or a library that is named by its file
	}
	for _, dir := range c.libraryDirs() {
		if sameDir(c.c.Call.Abs(dir), filepath.Dir(c.c.Call.Abs(path))) {
			return
		}
		for _, name := range []string{"lib" + stem + ".so", "lib" + stem + ".a"} {
			c.noteAbsent(strings.TrimSuffix(dir, "/") + "/" + name)
		}
	}
}

func sameDir(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// libraryDirs are the folders in which the linker looks for libraries, in order.
func (c *collector) libraryDirs() []string {
	var dirs []string
	for _, s := range c.c.Crate.Search {
		if s.Kind == "native" || s.Kind == "all" {
			dirs = append(dirs, s.Dir)
		}
	}
	target := c.c.Crate.Target
	if target == "" {
		target = c.c.Toolchain.Target
	}
	dirs = append(dirs, filepath.Join(c.c.Toolchain.Sysroot, "lib", "rustlib", target, "lib"))
	for dir := range strings.SplitSeq(c.c.Call.Env.Value("LIBRARY_PATH"), ":") {
		if dir != "" {
			dirs = append(dirs, dir)
		}
	}
	if c.run.Linker != nil {
		dirs = append(dirs, c.run.Linker.LibraryDirs...)
	}
	return dirs
}
