package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// depTarget is the target of the rule in a worker's dep-file. The client's own
// targets do not stand in the Command, so calls that differ in them share it.
const depTarget = "rexwrap"

// arguments returns the worker's arguments without prefix maps: what cannot
// reach the result is left out, absolute paths are the worker's, and the
// dep-file is asked for in one way.
func (b *builder) arguments() []string {
	var words, tail []string
	for i := range b.c.Args {
		a := &b.c.Args[i]
		switch {
		case tail == nil && a.Option == "--":
			tail = []string{"--"}
		case tail != nil:
			tail = append(tail, b.argument(a)...)
		default:
			words = append(words, b.argument(a)...)
		}
	}
	words = append(words, b.shipSearch()...)
	words = append(words, b.depArguments()...)
	b.tail = tail
	return words
}

// argument returns one argument as the worker gets it.
func (b *builder) argument(a *toolchains.Arg) []string {
	name := gnu.Canonical(a.Option)
	switch {
	case a.Class.Has(argtable.Dep), a.Class.Has(argtable.NoKey) && b.c.Toolchain.Family != toolchains.FamilyClangCL: // which may complain of them
		return nil
	case a.Class.Has(argtable.LocalOnly):
		b.doubts(a.Option + a.Value)
	case isText(name):
	case a.Class.Has(argtable.Source):
		return a.Render(b.path(a.Value, folder(a.Value)))
	case a.Class.Has(argtable.Path):
		return a.Render(b.pathArgument(name, a))
	case strings.Contains(a.Value, "/") && !a.Class.Has(argtable.Macro|argtable.Prefix|argtable.Linker):
		b.doubts(a.Option) // may name a file by a path that is not ours to change
	}
	return a.Words()
}

// isText reports whether the value of an option is the text of a path: it goes
// into the result as it stands and is never opened.
func isText(option string) bool {
	switch option {
	case "-fdebug-compilation-dir", "-fdebug-compilation-dir=", "-ffile-compilation-dir=", "-fcoverage-compilation-dir=":
		return true
	}
	return false
}

// pathArgument returns the value of an option that names a file or directory. Of
// most it is not known what else the compiler would read there.
func (b *builder) pathArgument(name string, a *toolchains.Arg) string {
	if path.IsAbs(a.Value) && !a.Class.Has(argtable.Output) && b.host(path.Clean(a.Value)) {
		return a.Value
	}
	if a.Class.Has(argtable.Output) {
		return b.path(a.Value, "")
	}
	switch name {
	case "-I", "-iquote", "-isystem", "-idirafter", "-cxx-isystem", "-external:I":
		if strings.HasPrefix(a.Value, "=") || strings.HasPrefix(a.Value, "$SYSROOT") {
			b.doubts(a.Option + a.Value)
		}
		return b.path(a.Value, a.Value)
	case "-include", "-imacros", "-FI":
		return b.path(a.Value, folder(a.Value))
	}
	b.doubts(a.Option)
	return b.path(a.Value, a.Value)
}

// folder returns what stands before the last slash of a path.
func folder(p string) string { return p[:strings.LastIndexByte(p, '/')+1] }

// path returns the worker's name for a path as spelled by an argument. dir is the
// folder in which the compiler then finds files, empty for none.
func (b *builder) path(p, dir string) string {
	if !path.IsAbs(p) {
		return p
	}
	b.absolute = true
	if dir != "" {
		b.rewritten = append(b.rewritten, strings.TrimRight(dir, "/"))
	}
	return b.m.worker(p)
}

// depArguments ask for the dep-file that the call asks for.
func (b *builder) depArguments() []string {
	d := b.c.Dep
	if d == nil {
		return nil
	}
	words := []string{"-MMD"}
	if d.System {
		words = []string{"-MD"}
	}
	if d.Phony {
		words = append(words, "-MP")
	}
	b.l.DepTargets = []string{depTarget}
	return append(words, "-MT", depTarget, "-MF", b.path(d.Path, ""))
}

// outputs fills Outputs.
func (b *builder) outputs() error {
	for _, o := range b.c.Outputs {
		real, _, err := b.m.walk(o.Path)
		if err != nil {
			return err
		}
		rel := relativeTo(b.l.WorkingDir, b.m.place(real))
		if slices.ContainsFunc(b.l.Outputs, func(other Output) bool { return other.Path == rel }) {
			return unprovenBy(o.Path)
		}
		b.l.Outputs = append(b.l.Outputs, Output{o.Role, rel})
	}
	return nil
}

// relativeTo returns the path that leads from the directory dir to at, both in the
// InputRoot.
func relativeTo(dir, at string) string {
	from, to := split(dir), split(at)
	n := 0
	for n < len(from) && n < len(to)-1 && from[n] == to[n] {
		n++
	}
	return strings.Repeat("../", len(from)-n) + strings.Join(to[n:], "/")
}

func split(p string) []string {
	if p == "" {
		return nil
	}
	return strings.Split(p, "/")
}
