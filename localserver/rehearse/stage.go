package rehearse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// ErrUnavailable is wrapped where this system cannot rehearse: it is no Linux,
// or allows neither user namespaces nor seccomp filters.
var ErrUnavailable = errors.New("no rehearsal on this system")

// A Stage is a folder in which compiles are rehearsed. Each toolchain is written
// into it once. It is not for concurrent use.
type Stage struct {
	dir   string
	self  []string
	packs map[digest.Digest]string
	runs  int
}

// NewStage returns a Stage in dir, which the caller removes. self is the command
// line by which this program calls Confine with the words that follow.
func NewStage(dir string, self ...string) *Stage {
	return &Stage{dir: dir, self: self, packs: make(map[digest.Digest]string)}
}

// A Report is what a rehearsal showed.
type Report struct {
	Status int // of the compiler, −1 where a signal ended it
	// Stdout and Stderr are what it wrote, with this machine's names of
	// files.
	Stdout, Stderr []byte
	// Outputs are the files that it made, by the paths of layout.Output.
	Outputs map[string][]byte
	Missed  []Missed
	// Lookups is how many names were looked for in all.
	Lookups int
}

// A Missed is a file that the compile looked for in vain and that this machine
// has.
type Missed struct {
	Path string `json:"path"` // here
	By   string `json:"by"`   // the program that looked for it
}

// Unpack writes a toolchain into the stage. report is called with the bytes
// written so far and in all.
func (s *Stage) Unpack(p *pack.Pack, tree *merkle.Tree, report func(done, total int64)) error {
	if s.packs[tree.Root] != "" {
		return nil
	}
	dir := filepath.Join(s.dir, fmt.Sprint("pack", len(s.packs)))
	var done int64
	for i := range p.Entries {
		e := &p.Entries[i]
		if err := writeEntry(filepath.Join(dir, filepath.FromSlash(e.Path)), e); err != nil {
			return err
		}
		done += e.Digest.Size
		report(done, p.Size())
	}
	s.packs[tree.Root] = dir
	return nil
}

func writeEntry(name string, e *pack.Entry) error {
	mode := os.FileMode(0o644)
	if e.Executable {
		mode = 0o755
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if e.Source == "" {
		return os.WriteFile(name, e.Data, mode)
	}
	return copyFile(e.Source, name, mode)
}

func copyFile(from, to string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// Rehearse runs the Command of l, whose toolchain was unpacked. An error means
// that it could not be run.
func (s *Stage) Rehearse(ctx context.Context, l *layout.Layout) (*Report, error) {
	s.runs++
	home := filepath.Join(s.dir, fmt.Sprint("run", s.runs))
	defer func() { _ = os.RemoveAll(home) }()
	x := &execution{layout: l, root: filepath.Join(home, "root"), base: filepath.Join(home, "base")}
	x.at = "/srv/" + filepath.Base(s.dir) + "/" + filepath.Base(home)
	for _, dir := range []string{x.root, x.base} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := s.materialise(x); err != nil {
		return nil, fmt.Errorf("write input root: %w", err)
	}
	r, err := x.run(ctx, s.self)
	if err != nil {
		return nil, err
	}
	r.Stdout, r.Stderr = l.ToClient(r.Stdout), l.ToClient(r.Stderr)
	r.Outputs = x.outputs()
	return r, nil
}

// materialise writes the InputRoot but for the toolchain, which is mounted.
func (s *Stage) materialise(x *execution) error {
	for i := range x.layout.Entries {
		e := &x.layout.Entries[i]
		name := filepath.Join(x.root, filepath.FromSlash(e.Path))
		folder := filepath.Dir(name)
		if e.Dir || e.Mount != nil {
			folder = name
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := s.materialiseEntry(x, e, name); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) materialiseEntry(x *execution, e *merkle.Entry, name string) error {
	switch {
	case e.Dir:
		return nil
	case e.Mount != nil:
		x.pack, x.packed = s.packs[e.Mount.Root], e.Path
		if x.pack == "" {
			return errors.New("toolchain was not unpacked")
		}
		return nil
	case e.Target != "":
		return os.Symlink(e.Target, name)
	}
	if _, err := os.Lstat(name); err == nil {
		return nil // in the list twice
	}
	mode := os.FileMode(0o644)
	if e.Executable {
		mode = 0o755
	}
	return copyFile(x.layout.Sources[e.Digest], name, mode)
}

// An execution is one run of a Command.
type execution struct {
	layout *layout.Layout
	root   string // the InputRoot
	base   string // an empty folder, to become the root of the file system
	at     string // where the InputRoot is in it
	pack   string // the toolchain
	packed string // where it is in the InputRoot
}

// outputs reads what the Command has made.
func (x *execution) outputs() map[string][]byte {
	made := make(map[string][]byte)
	for _, o := range x.layout.Outputs {
		if data, err := os.ReadFile(filepath.Join(x.root, x.layout.WorkingDir, filepath.FromSlash(o.Path))); err == nil {
			made[o.Path] = data
		}
	}
	return made
}

// makes reports whether a file of the InputRoot is one that the Command writes.
func (x *execution) makes(rest string) bool {
	return slices.ContainsFunc(x.layout.Outputs, func(o layout.Output) bool { return path.Join(x.layout.WorkingDir, o.Path) == rest })
}

// here returns which file of this machine the confined path stands for, empty
// for none, and where it is in this run, empty for nowhere. ours says that it is
// a file of the toolchain.
func (x *execution) here(confined string) (client, staged string, ours bool) {
	rest, inside := cutDir(confined, x.at)
	if !inside {
		return confined, "", false
	}
	if name, ok := cutDir(rest, x.packed); ok && x.packed != "" {
		return x.layout.PackedFile(name), path.Join(x.pack, name), true
	}
	if x.makes(rest) {
		return "", "", false
	}
	return x.layout.ClientFile(rest), path.Join(x.root, rest), false
}

// cutDir returns what of a path is below dir.
func cutDir(p, dir string) (rest string, ok bool) {
	if p == dir {
		return "", true
	}
	if len(p) > len(dir) && p[:len(dir)] == dir && p[len(dir)] == '/' {
		return p[len(dir)+1:], true
	}
	return "", false
}
