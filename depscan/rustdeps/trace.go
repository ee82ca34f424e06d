package rustdeps

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Trace is what was seen of a run while its procedural macros ran, the compiler's
// own lookups of that time included.
type Trace struct {
	// Barred says what the run did that no list of files can stand for, as a
	// reason not to store it; Arg tells more. Both are empty where it did no
	// such thing.
	Barred, Arg string
	Lookups     []Lookup
}

// A Lookup is one name that was looked for.
type Lookup struct {
	Act Act
	// Path is what the name leads to, absolute and without symbolic links.
	// Where nothing is there it is as far as the names exist, and one more.
	Path string
	Kind Kind
	// Links are the symbolic links on the way. One without a target is a name
	// that was asked for being a link, and is none.
	Links []depscan.Symlink
	// Listing is FolderListing of a folder that was opened, in hexadecimal.
	Listing string
}

// An Act is what was done with a name.
type Act uint8

// The acts. Opened is for reading; Asked is whether it is there, and of what kind;
// Changed is any change of the file system.
const (
	Opened Act = iota + 1
	Asked
	Changed
)

// A Kind is what is behind a name.
type Kind uint8

// The kinds. Machine is for all below /proc, /sys and /dev, Special for what is
// neither a file nor a folder, or cannot be looked at.
const (
	Missing Kind = iota + 1
	File
	Folder
	Machine
	Special
)

// FolderListing returns a digest of the names in a folder and of what kind each is,
// the zero Digest where it cannot be listed.
func FolderListing(dir string) digest.Digest {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return digest.Digest{}
	}
	b := digest.NewBuilder("rexwrap folder 1")
	for _, e := range entries {
		b.String(e.Name())
		b.String(e.Type().String())
	}
	return b.Sum()
}

// Reasons for not storing what a traced run has made.
const (
	reasonMachine = "proc-macro-machine"
	reasonChanges = "proc-macro-writes"
	reasonSpecial = "proc-macro-special-file"
	reasonMoved   = "modified-during-compile"
)

// MacroFolders returns the folders whose libraries hold the procedural macros that a
// compile will load, nil where it loads none. It is asked before the run.
func (p *Plan) MacroFolders(files Files) ([]string, error) {
	c := &collector{Plan: p, files: files, seen: map[string]bool{}, absent: map[string]bool{}, ahead: true}
	var out []string
	for _, e := range c.c.Crate.Externs {
		if dir := filepath.Dir(c.c.Call.Abs(e.Path)); isShared(e.Path) && !slices.Contains(out, dir) {
			out = append(out, dir)
		}
	}
	var mentioned []*names
	for _, dir := range c.crateDirs() {
		dir = filepath.Clean(c.c.Call.Abs(dir))
		stems := sharedCrates(dir)
		if len(stems) == 0 || slices.Contains(out, dir) {
			continue
		}
		if mentioned == nil {
			var err error
			if mentioned, err = c.mentioned(); err != nil {
				return nil, err
			}
		}
		mentions := func(stem string) bool {
			return slices.ContainsFunc(mentioned, func(n *names) bool { return n.mentions(stem) })
		}
		if slices.ContainsFunc(stems, mentions) {
			out = append(out, dir)
		}
	}
	return out, nil
}

// crateDirs are the folders in which crates are looked for.
func (c *collector) crateDirs() []string {
	var out []string
	for _, s := range c.c.Crate.Search {
		if s.Kind != "native" && s.Kind != "framework" {
			out = append(out, s.Dir)
		}
	}
	return out
}

// sharedCrates are the crates in a folder that are shared libraries, as crateStem has
// them.
func sharedCrates(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, entry := range entries {
		if stem, suffix, ok := crateStem(entry.Name()); ok && suffix == ".so" {
			out = append(out, stem)
		}
	}
	return out
}

// traced takes what was looked for while procedural macros ran.
func (c *collector) traced(t *Trace, res *Result) error {
	if t.Barred != "" {
		return toolchains.Unsupported(t.Barred, t.Arg)
	}
	own := c.ownPaths()
	for i := range t.Lookups {
		l := &t.Lookups[i]
		if own.explain(l) {
			continue
		}
		if err := c.lookup(l, res); err != nil {
			return err
		}
		if err := c.links(l, res); err != nil {
			return err
		}
	}
	slices.Sort(c.in.Dirs)
	c.in.Dirs = slices.Compact(c.in.Dirs)
	return nil
}

// ownPaths are those of which a compile needs no trace to know. All are absolute.
type ownPaths struct {
	outputs, crateDirs, programs map[string]bool
	// above are all folders on the way to files and folders of the call and of
	// the toolchain: they are there as long as these are.
	above map[string]bool
}

func (c *collector) ownPaths() *ownPaths {
	o := &ownPaths{map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	call := c.c.Call
	for _, out := range c.c.Outputs {
		o.outputs[filepath.Clean(call.Abs(out.Path))] = true
	}
	for _, dir := range c.crateDirs() {
		dir = filepath.Clean(call.Abs(dir))
		o.crateDirs[dir] = true
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			o.crateDirs[real] = true
			o.leadTo(real)
		}
	}
	for _, p := range c.c.Toolchain.Programs {
		o.programs[p.Path] = true
		o.leadTo(p.Path)
	}
	for _, s := range c.c.Crate.Search {
		o.leadTo(call.Abs(s.Dir))
	}
	for path := range c.seen {
		o.leadTo(call.Abs(path))
	}
	for _, dir := range []string{call.Dir, call.Abs(c.c.Crate.OutDir), c.c.Toolchain.Sysroot} {
		o.leadTo(dir)
	}
	return o
}

// leadTo adds a path and all above it.
func (o *ownPaths) leadTo(path string) {
	for path = filepath.Clean(path); !o.above[path]; path = filepath.Dir(path) {
		o.above[path] = true
	}
}

// explain reports whether a lookup is one of the compiler's own.
func (o *ownPaths) explain(l *Lookup) bool {
	switch _, _, crate := crateStem(filepath.Base(l.Path)); {
	case o.outputs[l.Path]:
		return true
	case l.Act == Changed:
		return false
	case crate && o.crateDirs[filepath.Dir(l.Path)]:
		return true
	case l.Kind == Folder:
		return l.Act == Asked && o.above[l.Path]
	}
	return l.Kind == File && o.programs[l.Path]
}

// lookup takes what was found at a name, which must be so still.
func (c *collector) lookup(l *Lookup, res *Result) error {
	switch {
	case l.Kind == Machine && !ofProcess(l):
		return toolchains.Unsupported(reasonMachine, l.Path)
	case l.Kind == Machine:
	case l.Act == Changed && !c.incremental(l.Path):
		return toolchains.Unsupported(reasonChanges, l.Path)
	case l.Act == Changed:
	case l.Kind == Missing:
		if _, err := os.Lstat(l.Path); !errors.Is(err, fs.ErrNotExist) {
			return toolchains.Unsupported(reasonMoved, l.Path)
		}
		c.absent[l.Path], c.absent[l.Path+"/"] = true, true
	case l.Kind == File:
		return c.addOnce(l.Path, res)
	case l.Kind == Folder:
		c.in.Dirs = append(c.in.Dirs, l.Path)
		return c.listed(l, res)
	default:
		return toolchains.Unsupported(reasonSpecial, l.Path)
	}
	return nil
}

// addOnce takes a file, unless the compiler lists it by another spelling.
func (c *collector) addOnce(abs string, res *Result) error {
	for path := range c.seen {
		if filepath.Clean(c.c.Call.Abs(path)) == abs {
			return nil
		}
	}
	res.Seen = append(res.Seen, abs)
	return c.add(abs)
}

// listed takes the names in a folder that was opened.
func (c *collector) listed(l *Lookup, res *Result) error {
	if l.Act != Opened {
		return nil
	}
	now := FolderListing(l.Path)
	if now.IsZero() || now.Hex() != l.Listing {
		return toolchains.Unsupported(reasonMoved, l.Path)
	}
	res.Listings = append(res.Listings, Listing{l.Path, now})
	return nil
}

// links takes the symbolic links on the way to a name.
func (c *collector) links(l *Lookup, res *Result) error {
	for _, link := range l.Links {
		target, err := os.Readlink(link.Path)
		if err != nil {
			target = ""
		}
		if target != link.Target {
			return toolchains.Unsupported(reasonMoved, link.Path)
		}
		if !slices.Contains(res.Links, link) {
			res.Links = append(res.Links, link)
		}
	}
	return nil
}

// incremental reports whether a file is of the state of incremental compiles.
func (c *collector) incremental(path string) bool {
	for i := range c.c.Args {
		if a := &c.c.Args[i]; strings.TrimSuffix(a.Option, "=") == "-Cincremental" {
			dir := filepath.Clean(c.c.Call.Abs(a.Value))
			return strings.HasPrefix(path, dir+string(filepath.Separator))
		}
	}
	return false
}

// ofProcess reports whether what was looked for below /proc, /sys or /dev says
// nothing that a result could hold: the runtimes of the compiler and of macros ask
// for these, to know how many threads may run and where the stack ends.
func ofProcess(l *Lookup) bool {
	switch l.Path {
	case "/dev/null", "/dev/tty", "/proc/sys/vm/overcommit_memory",
		"/sys/devices/system/cpu/online", "/sys/devices/system/cpu/possible", "/sys/kernel/mm/transparent_hugepage/enabled":
		return true
	}
	if strings.HasPrefix(l.Path, "/sys/fs/cgroup/") {
		return true
	}
	rest, ok := strings.CutPrefix(l.Path, "/proc/")
	_, name, _ := strings.Cut(rest, "/")
	return ok && slices.Contains([]string{"maps", "exe", "statm", "cgroup", "mountinfo"}, name)
}
