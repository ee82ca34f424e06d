package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
)

// tree fills Entries, Sources, Host and HostAbsent.
func (b *builder) tree() error {
	t := &tree{b: b, links: make(map[string]string), dirs: make(map[string]bool), parents: make(map[string]*parent)}
	b.l.Entries = slices.Grow(b.l.Entries, len(b.in.Files)+len(b.in.Probed))
	for _, list := range [][]depscan.File{b.in.Files, b.in.Probed} {
		for i := range list {
			if err := t.file(&list[i]); err != nil {
				return err
			}
		}
	}
	t.dir(b.l.WorkingDir)
	for _, name := range b.in.Dirs {
		if err := t.directory(name); err != nil {
			return err
		}
	}
	for i := range b.c.Outputs {
		if err := t.directory(path.Dir(b.c.Outputs[i].Path)); err != nil {
			return err
		}
	}
	return t.absent()
}

// A tree gathers the nodes of one InputRoot.
type tree struct {
	b       *builder
	links   map[string]string // of the InputRoot
	dirs    map[string]bool
	parents map[string]*parent // by their names as spelled, with the slash at the end
}

// A parent is a folder that files are named in. Where it leads is the same for
// them all.
type parent struct {
	real, at string // on the client without symbolic links, and in the InputRoot
	err      error
}

func (t *tree) file(f *depscan.File) error {
	b := t.b
	if f.ModTime != 0 {
		return unprovenBy(f.Path)
	}
	if path.IsAbs(f.Path) && b.host(f.Path) {
		b.l.Host = append(b.l.Host, *f)
		return nil
	}
	if b.ofSystem(f.Path) {
		b.shipSystemFile(f)
		return nil
	}
	if strings.Contains(f.Path, ".gch") {
		b.doubts(f.Path) // in dep-files, it stands for headers that it hides
	}
	if !b.reachable(f.Path) {
		return unprovenBy(f.Path)
	}
	real, at, err := t.find(f.Path)
	if err != nil || f.Real != "" && f.Real != real {
		return unprovenBy(f.Path)
	}
	b.l.Entries = append(b.l.Entries, merkle.Entry{Path: at, Digest: f.Digest})
	b.l.Sources[f.Digest] = real
	return nil
}

// find returns where a file is on the client and in the InputRoot, and adds the
// links on the way.
func (t *tree) find(p string) (real, at string, err error) {
	m := t.b.m
	name := p[strings.LastIndexByte(p, '/')+1:]
	f := t.parent(p[:len(p)-len(name)])
	if f.err != nil {
		return "", "", f.err
	}
	real = strings.TrimSuffix(f.real, "/") + "/" + name
	if _, isLink := m.links[real]; isLink || name == "" || name == "." || name == ".." || m.begins(p, real) {
		if real, err = t.walk(p); err != nil {
			return "", "", err
		}
		return real, m.place(real), nil
	}
	if f.at == "" {
		return real, name, nil
	}
	return real, f.at + "/" + name, nil
}

func (t *tree) parent(name string) *parent {
	f := t.parents[name]
	if f == nil {
		f = &parent{}
		if f.real, f.err = t.walk(name); f.err == nil {
			f.at = t.b.m.place(f.real)
		}
		t.parents[name] = f
	}
	return f
}

// walk follows a path and adds the links on the way.
func (t *tree) walk(p string) (string, error) {
	if len(t.b.m.links) == 0 && !strings.Contains(p, "..") && !path.IsAbs(p) {
		return path.Join(t.b.m.dir, p), nil
	}
	real, links, err := t.b.m.walk(p)
	if err != nil {
		return "", err
	}
	for _, l := range links {
		if _, known := t.links[l.Path]; !known {
			t.links[l.Path] = l.Target
			t.b.l.Entries = append(t.b.l.Entries, l)
		}
	}
	return real, t.climbed(p)
}

// climbed adds the directories that ".." in p climbs out of.
func (t *tree) climbed(p string) error {
	for i := 1; i < len(p); i++ {
		up := p[i] == '/' && strings.HasPrefix(p[i:], "/..") && (i+3 == len(p) || p[i+3] == '/')
		if !up || strings.HasSuffix(p[:i], "..") {
			continue
		}
		real, _, err := t.b.m.walk(p[:i])
		if err != nil {
			return err
		}
		t.dir(t.b.m.place(real))
	}
	return nil
}

// directory adds a directory that must exist.
func (t *tree) directory(name string) error {
	if path.IsAbs(name) && t.b.host(name) {
		return nil
	}
	real, err := t.walk(name)
	if err != nil {
		return err
	}
	t.dir(t.b.m.place(real))
	return nil
}

func (t *tree) dir(at string) {
	if at != "" && !t.dirs[at] {
		t.dirs[at] = true
		t.b.l.Entries = append(t.b.l.Entries, merkle.Entry{Path: at, Dir: true})
	}
}

// absent checks that no name of Absent can exist on the worker but in what it has
// by itself.
func (t *tree) absent() error {
	b := t.b
	if b.isRooted() {
		return nil // nothing is there but what was sent
	}
	for _, name := range b.in.Absent {
		switch dir := strings.TrimSuffix(name, "/"); {
		case !path.IsAbs(name):
		case b.host(dir), b.host(beforeClimb(dir)):
			b.l.HostAbsent = append(b.l.HostAbsent, name)
		case !b.reachable(dir) && !b.neverSearched(dir):
			return unprovenBy(name)
		}
	}
	return nil
}

// beforeClimb returns what stands before the first ".." of a path.
func beforeClimb(p string) string {
	before, _, _ := strings.Cut(p, "/..")
	return before
}

// host reports whether the worker has p by itself.
func (b *builder) host(p string) bool { return b.r.HostFile != nil && b.r.HostFile(p) }

// reachable reports whether the worker finds p under the name that the Layout
// gives it. A relative path is found as it stands. An absolute one must come
// from an argument that is rewritten: one that stands in a text is the same on
// the worker, and leads out of the InputRoot.
func (b *builder) reachable(p string) bool {
	return !path.IsAbs(p) || b.isRooted() || slices.ContainsFunc(b.rewritten, func(dir string) bool { return within(p, dir) })
}
