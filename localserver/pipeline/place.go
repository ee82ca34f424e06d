package pipeline

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/toolchains"
)

// A place is where a call stands: its working directory and its exec root.
// Paths below the exec root are encoded relative to it, so that two checkouts
// at different places share what does not depend on the place.
type place struct {
	root string // absolute, without trailing separator; empty where none applies
	dir  string // the working directory, absolute
	// shared is set where results have a name for the root that is the same
	// at all places; see layout.Relocation.
	shared bool
	// mounts are folders that stand in paths by their numbers, one a line:
	// rustc's -L, which are elsewhere where the target directory is. Where
	// the place is shared the crateRoots come first.
	mounts string
}

// rootMark stands for the exec root at the head of an encoded path. No path
// holds the byte.
const rootMark = "\x00"

const separator = string(filepath.Separator)

// encode returns path as it is stored: below the exec root relative to it,
// else as spelled. A relative path stays relative to the working directory.
func (p place) encode(path string) string {
	if p.mounts != "" {
		return p.mounted(path)
	}
	if p.root == "" || !filepath.IsAbs(path) {
		return path
	}
	if rest, ok := below(path, p.root); ok {
		return rootMark + rest
	}
	return path
}

// below returns what of path is below root, empty for root itself. Where letters of
// either case are one (Windows), and both slashes, they are so in what is compared;
// the rest stays as it is spelled.
func below(path, root string) (rest string, ok bool) {
	if len(path) < len(root) || !samePath(path[:len(root)], root) {
		return "", false
	}
	if rest = path[len(root):]; rest == "" {
		return "", true
	}
	return rest[1:], os.IsPathSeparator(rest[0])
}

func samePath(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(filepath.FromSlash(a), filepath.FromSlash(b))
}

// spell is the inverse of encode: the path as a call at this place spells it.
func (p place) spell(encoded string) string {
	if p.mounts != "" {
		return p.unmounted(encoded)
	}
	rest, ok := strings.CutPrefix(encoded, rootMark)
	switch {
	case !ok:
		return encoded
	case rest == "":
		return p.root
	}
	return p.root + separator + rest
}

// relDir is the working directory relative to the exec root, or as it is where
// it lies outside.
func (p place) relDir() string { return p.encode(p.dir) }

// roots finds exec roots. Which root is taken never changes what a compile
// reads, only which calls share a key, so answers are kept without validation
// until Forget.
type roots struct {
	mu    sync.Mutex
	repos map[string]string // directory → outermost repository around it
}

func newRoots() *roots { return &roots{repos: make(map[string]string)} }

// forget drops what was remembered, so that a repository made meanwhile counts.
func (r *roots) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.repos)
}

// find returns the exec root of a call (DESIGN §6): the setting, else the
// outermost repository that holds working directory and source, else the
// deepest folder that holds working directory, source, outputs and the search
// directories that the user gave, but never one of the system's.
func (r *roots) find(c *toolchains.Compile, setting string) string {
	dir := c.Call.ApparentDir()
	if setting != "" {
		return strings.TrimSuffix(setting, separator)
	}
	source := filepath.Dir(absFrom(dir, c.Source))
	if repo := r.repo(dir); repo != "" && within(source, repo) {
		return repo
	}
	root := commonDir(dir, source)
	for _, o := range c.Outputs {
		root = commonDir(root, filepath.Dir(absFrom(dir, o.Path)))
	}
	if forbiddenRoot(root, c.Call.Env.Value("HOME")) {
		return ""
	}
	return root
}

func (r *roots) repo(dir string) string {
	r.mu.Lock()
	known, ok := r.repos[dir]
	r.mu.Unlock()
	if ok {
		return known
	}
	outermost := ""
	for d := dir; ; d = filepath.Dir(d) {
		if holdsRepository(d) {
			outermost = d
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	r.mu.Lock()
	r.repos[dir] = outermost
	r.mu.Unlock()
	return outermost
}

func holdsRepository(dir string) bool {
	for _, mark := range []string{".git", ".hg", ".jj", ".rexwrap.toml"} {
		if _, err := os.Lstat(filepath.Join(dir, mark)); err == nil {
			return true
		}
	}
	return false
}

func absFrom(dir, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(dir, path)
}

func within(path, root string) bool {
	_, ok := below(path, root)
	return ok
}

func commonDir(a, b string) string {
	for !within(b, a) {
		parent := filepath.Dir(a)
		if parent == a {
			return a
		}
		a = parent
	}
	return a
}

// forbiddenRoot names folders that unrelated projects share: a root there would
// make every path of the system look like the project's.
func forbiddenRoot(root, home string) bool {
	switch root {
	case separator, "/usr", "/opt", "/home", "/tmp", "/var", "/var/tmp", filepath.Clean(home):
		return true
	}
	return filepath.Dir(root) == root || strings.HasPrefix(root, "/usr"+separator)
}
