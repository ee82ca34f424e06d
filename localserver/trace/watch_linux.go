//go:build amd64 || arm64

package trace

import (
	"path"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

// A watch notes what happens while macros run. One goroutine calls note.
type watch struct {
	calls   map[int]call
	folders map[string]bool // of macros' libraries
	depInfo string
	walk    walker

	mu   sync.Mutex
	open bool // macros may run
	shut bool // they have run
	// blind is set where a name could not be read.
	blind bool
	seen  map[seenKey]bool
	trace rustdeps.Trace
}

type seenKey struct {
	act  rustdeps.Act
	link bool
	name string
}

func newWatch(p *Plan) *watch {
	w := &watch{calls: calls(), folders: map[string]bool{}, seen: map[seenKey]bool{}, walk: walker{}, depInfo: resolved(p.DepInfo)}
	for _, dir := range p.Folders {
		w.folders[path.Dir(resolved(path.Join(dir, "x")))] = true
	}
	return w
}

// resolved is the path of a file without symbolic links in its folder's.
func resolved(name string) string {
	dir, err := filepath.EvalSymlinks(path.Dir(name))
	if err != nil {
		return path.Clean(name)
	}
	return path.Join(dir, path.Base(name))
}

// result returns what was seen, nil where no macro was loaded or something remained
// unseen.
func (w *watch) result() *rustdeps.Trace {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open || w.blind {
		return nil
	}
	w.shut = true
	return &w.trace
}

// note looks at one system call, while the process waits that makes it.
func (w *watch) note(n *seccomp.Notification) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.survive()
	if w.shut {
		return
	}
	if n.Foreign() {
		w.bar(barredOther, "of another architecture")
		return
	}
	c, known := w.calls[int(n.Number)]
	switch {
	case !known:
	case c.bars == barredNetwork && n.Number == unix.SYS_SOCKET && n.Args[0] == unix.AF_UNIX: // without connect it reaches nobody
	case c.bars == barredExec:
		name, _ := w.name(n, &c)
		w.bar(c.bars, name)
	case c.bars != "":
		w.bar(c.bars, c.arg)
	default:
		w.look(n, &c)
	}
}

// survive has the compile go on where the trace cannot.
func (w *watch) survive() {
	if recover() != nil {
		w.blind = true
	}
}

func (w *watch) bar(reason, arg string) {
	if w.open && w.trace.Barred == "" {
		w.trace.Barred, w.trace.Arg = reason, arg
	}
}

// look notes a lookup.
func (w *watch) look(n *seccomp.Notification, c *call) {
	if !w.open && c.act != rustdeps.Opened {
		return
	}
	name, ok := w.name(n, c)
	switch {
	case !ok:
		w.blind = w.blind || w.open
		return
	case name == "":
		return
	case !w.open:
		if w.open = w.isMacro(name); !w.open {
			return
		}
	}
	act, asks := c.act, false
	if c.act == rustdeps.Opened && c.Flags >= 0 {
		flags := int(n.Args[c.Flags])
		asks = flags&unix.O_PATH != 0
		if flags&unix.O_ACCMODE != unix.O_RDONLY || flags&(unix.O_CREAT|unix.O_TRUNC) != 0 {
			act = rustdeps.Changed
		}
	}
	if asks {
		act = rustdeps.Asked
	}
	if act == rustdeps.Changed && resolved(name) == w.depInfo {
		w.shut = true
		return
	}
	w.add(seenKey{act, c.isLink, name})
}

// isMacro reports whether a name is that of a macro's library. The system's loader
// looks in the folders of macros for the compiler's own, in vain: cargo tells it to.
func (w *watch) isMacro(name string) bool {
	return strings.HasSuffix(name, ".so") && w.folders[path.Dir(resolved(name))] && w.walk.to(name).kind == rustdeps.File
}

// name returns the name that a call looks for, absolute; empty for none. It reports
// false where that cannot be read.
func (w *watch) name(n *seccomp.Notification, c *call) (string, bool) {
	if n.Args[c.Name] == 0 {
		return "", true
	}
	name, ok := seccomp.Name(n.Pid, n.Args[c.Name])
	if !ok || name == "" || path.IsAbs(name) {
		return name, ok
	}
	fd := int32(unix.AT_FDCWD)
	if c.Folder >= 0 {
		fd = int32(n.Args[c.Folder])
	}
	dir := seccomp.Folder(n.Pid, fd)
	return dir + "/" + name, dir != ""
}

// add notes what is behind a name, once.
func (w *watch) add(k seenKey) {
	if w.seen[k] {
		return
	}
	w.seen[k] = true
	f := w.walk.to(k.name)
	l := rustdeps.Lookup{Act: k.act, Path: f.path, Kind: f.kind, Links: f.links}
	if k.link && !f.endsInLink && (f.kind == rustdeps.File || f.kind == rustdeps.Folder) {
		l.Links = append(l.Links, depscan.Symlink{Path: f.path})
	}
	if l.Kind == rustdeps.Folder && l.Act == rustdeps.Opened {
		l.Listing = rustdeps.FolderListing(f.path).Hex()
	}
	w.trace.Lookups = append(w.trace.Lookups, l)
}
