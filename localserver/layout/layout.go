package layout

import (
	"runtime"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Mode says which paths the result holds.
type Mode uint8

const (
	// Exact results hold the client's own paths.
	Exact Mode = iota
	// Relocatable results hold, in place of the base, a path that is the same
	// for all checkouts.
	Relocatable
)

// A Request is a compile to lay out.
type Request struct {
	Compile *toolchains.Compile
	Inputs  *depscan.Inputs
	// Root is the exec root, absolute, as the working directory spells it;
	// empty where none applies.
	Root string
	// Beside are further folders, absolute and without symbolic links, that
	// are mounted under names of their own, so that checkouts share what
	// lies there: the source's repository, where the working directory is
	// outside it.
	Beside []string
	Mode   Mode
	// HostFile reports whether the worker has the file, or the directory
	// with all that is in it, at the same absolute path by itself. Nil means
	// that it has nothing but the compiler.
	HostFile func(path string) bool
	// Text returns the content of an input. It is asked for in few cases; nil
	// means to read the file.
	Text func(path string) ([]byte, error)
	// Crate is set for rustc only.
	Crate *Crate
	// Ship, if set, is the toolchain that the InputRoot brings along: the
	// worker then has nothing by itself, and HostFile must be nil.
	Ship *Ship
}

// A Layout is a compile as a worker sees it.
type Layout struct {
	// Arguments are the worker's command line. Arguments[0] is the compiler's
	// absolute path.
	Arguments []string
	// Env is the whole environment, NAME=value, in no order.
	Env []string
	// WorkingDir is relative to the InputRoot, empty for its top.
	WorkingDir string
	// Entries are the nodes of the InputRoot, Tree is all of it.
	Entries []merkle.Entry
	Tree    *merkle.Tree
	// Sources says from where the client reads the content of an entry. The
	// files of a shipped toolchain are not among them.
	Sources map[digest.Digest]string
	// Host are inputs that the worker must have at their own absolute paths,
	// HostAbsent names that it must not have; one with a slash at its end
	// stands for all names in a directory.
	Host       []depscan.File
	HostAbsent []string
	// Outputs are what the command writes, in the order of Compile.Outputs.
	Outputs []Output
	// DepTargets are the targets of the rule in the worker's dep-file; of
	// rustc's the folder of the outputs as the worker spells it.
	DepTargets []string
	// Quiet is set where the worker's messages may be in another language
	// than the client's: the answer of a compile that printed something is
	// not the client's own.
	Quiet bool
	// LocalArguments are what a local compile needs before its own arguments
	// to make the same bytes: none in Exact, those of Relocation in
	// Relocatable.
	LocalArguments []string
	// Unproven is not nil where a worker may make other bytes: an
	// *toolchains.UnsupportedError with ReasonUnproven and the argument that
	// it is about. The Action is a key all the same.
	Unproven error

	names  Names
	mirror *mirror
	files  []depscan.File
	dep    *toolchains.DepFile
	// packed is the folder of the InputRoot that holds a rustc whose sysroot
	// here is sysroot; empty for others.
	packed, sysroot string
}

// An Output is a file that the command writes.
type Output struct {
	Role toolchains.Role
	// Path is relative to the working directory, separated by slashes.
	Path string
}

// ReasonUnproven is the reason of Layout.Unproven.
const ReasonUnproven = "remote-unproven"

// New lays out a compile. It fails only where the inputs contradict each other:
// two contents at one place.
func New(r *Request) (*Layout, error) {
	b := newBuilder(r)
	switch {
	case b.isRooted():
		return b.rooted()
	case r.Compile.Crate != nil:
		return b.crate()
	case r.Compile.Recorded:
		return b.verbatim(unprovenBy("recorded"))
	}
	if runtime.GOOS == "windows" { // names of files are other ones
		return b.verbatim(unprovenBy(runtime.GOOS))
	}
	if err := b.build(); err != nil {
		return b.verbatim(err)
	}
	b.l.Unproven = b.unproven()
	return b.l, nil
}

// A builder makes one Layout.
type builder struct {
	r  *Request
	c  *toolchains.Compile
	in *depscan.Inputs
	m  *mirror
	l  *Layout
	// absolute is set when an absolute path is spelled by another name.
	absolute  bool
	rewritten []string // folders that absolute arguments name, as spelled
	tail      []string // the words from "--" on
	doubt     string   // the first argument that makes the compile unproven
}

func newBuilder(r *Request) *builder {
	return &builder{r: r, c: r.Compile, in: r.Inputs, l: &Layout{
		Sources: make(map[digest.Digest]string, len(r.Inputs.Files)),
		files:   r.Inputs.Files, dep: r.Compile.Dep,
	}}
}

// doubts notes why the compile is unproven.
func (b *builder) doubts(arg string) {
	if b.doubt == "" {
		b.doubt = arg
	}
}

func (b *builder) build() error {
	var err error
	if b.r.Mode == Relocatable {
		b.l.LocalArguments = Relocation(b.c, b.r.Root)
	}
	if b.m, err = newMirror(b.r, b.l.LocalArguments); err != nil {
		return err
	}
	b.l.WorkingDir = b.m.workdir()
	words := b.arguments()
	b.environment()
	b.shipDoubts()
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
	b.shortened()
	b.l.Arguments = append(b.program(), b.withMaps(words)...)
	b.l.names, b.l.mirror = b.m.names(), b.m
	return nil
}

// verbatim is the layout of a compile that cannot be laid out elsewhere: good as
// a key only. Arguments and environment stand as they are, and files by their
// absolute paths.
func (b *builder) verbatim(why error) (*Layout, error) {
	l := &Layout{
		Arguments:      append([]string{b.c.Toolchain.Program}, b.l.LocalArguments...),
		LocalArguments: b.l.LocalArguments, Sources: b.l.Sources, files: b.l.files, dep: b.c.Dep, Unproven: why,
	}
	for i := range b.c.Args {
		l.Arguments = append(l.Arguments, b.c.Args[i].Words()...)
	}
	l.Env = append(b.compilerVariables(), "PWD="+b.c.Call.ApparentDir(), "REXWRAP_DIR="+b.c.Call.Dir)
	for _, list := range [][]depscan.File{b.in.Files, b.in.Probed} {
		for _, f := range list {
			at := f.Real
			if at == "" {
				at = absolute(b.c.Call.Dir, f.Path)
			}
			l.Entries = append(l.Entries, merkle.Entry{Path: below(at), Digest: f.Digest})
			l.Sources[f.Digest] = at
		}
	}
	for _, o := range b.c.Outputs {
		l.Outputs = append(l.Outputs, Output{o.Role, string(o.Role)})
	}
	if b.c.Dep != nil {
		l.DepTargets = b.c.Dep.Targets
	}
	var err error
	l.Tree, err = merkle.Build(l.Entries)
	return l, err
}
