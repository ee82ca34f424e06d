package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

const (
	// packDir is the folder of the InputRoot that holds the toolchain.
	packDir = ".rexwrap-toolchain"
	// nowhere is a PATH in which no program is found.
	nowhere = "/dev/null"
)

// A Ship is a toolchain that travels with the compile.
//
// The built-in search directories become -isystem options behind the user's own,
// in their order, under -nostdinc: a packed compiler would look for them at
// places of the worker. A relative --sysroot would do as well, but leaks the
// worker's path into DWARF. Under -nostdinc gcc leaves out stdc-predef.h, which
// -include brings back, before all others and by its bare name, so that it is a
// system's header: with the same bytes, those of -g3 among them.
type Ship struct {
	Pack *pack.Pack
	// Tree is the folder of the Pack, made by PackTree.
	Tree *merkle.Tree
	// Apart is set where a root is not to be in the InputRoot, since a property
	// of the platform names it.
	Apart bool
	// Facts are the compiler's for this compile, nil where nothing is
	// preprocessed.
	Facts *toolchains.Facts
}

// PackTree makes the folder of a pack. It costs as much as the pack is large, and
// is to be done once for each.
func PackTree(p *pack.Pack) (*merkle.Tree, error) {
	entries := make([]merkle.Entry, len(p.Entries))
	for i := range p.Entries {
		e := &p.Entries[i]
		entries[i] = merkle.Entry{Path: e.Path, Digest: e.Digest, Executable: e.Executable}
	}
	return merkle.Build(entries)
}

// program returns the words of the command line before the compile's own.
func (b *builder) program() []string {
	s := b.r.Ship
	if s == nil {
		return []string{b.c.Toolchain.Program}
	}
	words := append([]string{relativeTo(b.l.WorkingDir, b.packed(s.Pack.Driver))}, s.Pack.Arguments...)
	for _, name := range b.implicit() {
		words = append(words, "-include", path.Base(name))
	}
	return words
}

// packed is where a file of the toolchain stands in the InputRoot.
func (b *builder) packed(name string) string { return path.Join(b.m.prefix, packDir, name) }

// implicit are the headers that the compiler includes by itself.
func (b *builder) implicit() []string {
	if s := b.r.Ship; s != nil && s.Facts != nil && !b.isRooted() {
		return s.Facts.Implicit
	}
	return nil
}

// shipSearch names the built-in search directories.
func (b *builder) shipSearch() []string {
	s := b.r.Ship
	if s == nil || s.Facts == nil || b.isRooted() {
		return nil
	}
	words := []string{"-nostdinc"}
	for _, dir := range s.Facts.AngleDirs {
		words = append(words, "-isystem", b.searched(dir))
	}
	for _, dir := range s.Facts.AbsentDirs {
		b.rewritten = append(b.rewritten, strings.TrimRight(dir, "/")) // absent on the worker too
	}
	return words
}

// searched is the worker's name of a built-in search directory. That of a cross
// compiler climbs (/usr/lib/gcc-cross/T/12/../../../../T/include), and gcc calls
// what it finds there by the real path, which is shorter: then the worker gets
// that, since nothing is shorter there; see shortened.
func (b *builder) searched(dir string) string {
	clean := path.Clean(dir)
	if b.c.Toolchain.Family != "gcc" || !strings.Contains(dir, "..") || b.namesFile(strings.TrimRight(dir, "/")) {
		return b.path(dir, dir)
	}
	b.rewritten = append(b.rewritten, strings.TrimRight(dir, "/"))
	return b.path(clean, clean)
}

// namesFile reports whether an input is named as one below dir.
func (b *builder) namesFile(dir string) bool {
	return slices.ContainsFunc(b.in.Files, func(f depscan.File) bool { return within(f.Path, dir) })
}

// neverSearched reports whether a folder that is not there is one above a built-in
// search directory: the worker does not look there.
func (b *builder) neverSearched(dir string) bool {
	s := b.r.Ship
	return s != nil && s.Facts != nil && slices.ContainsFunc(s.Facts.AbsentDirs, func(absent string) bool { return within(absent, dir) })
}

// shipDoubts are about what a shipped toolchain does not bring along, or finds in
// another order.
func (b *builder) shipDoubts() {
	s := b.r.Ship
	if s == nil {
		return
	}
	if ownRoot(b.c) {
		b.doubts("--sysroot=")
	}
	if s.Facts != nil && len(s.Facts.ReadFiles)+len(s.Facts.QuoteDirs)+len(s.Facts.FrameworkDirs) > 0 {
		b.doubts("built-in files")
	}
	for _, name := range b.implicit() {
		if !slices.ContainsFunc(s.Facts.AngleDirs, func(dir string) bool { return path.Clean(dir) == path.Dir(name) }) {
			b.doubts(name)
		}
	}
	for _, name := range gnu.SearchVariables(b.c.Language) {
		// Their folders come before the built-in ones, and after -isystem.
		if name != "CPATH" && b.c.Call.Env.Value(name) != "" {
			b.doubts(name)
		}
	}
	b.languageDoubts()
}

// languageDoubts are about locales and character sets, of which none is packed.
func (b *builder) languageDoubts() {
	for i := range b.c.Args {
		a := &b.c.Args[i]
		if isCharset(gnu.Canonical(a.Option)) && !strings.EqualFold(a.Value, "utf-8") {
			b.doubts(a.Option + a.Value) // needs modules of iconv
		}
	}
	b.l.Quiet = speaks(b.c.Call.Env)
}

// isCharset reports whether an option names a character set to convert from or to.
func isCharset(option string) bool {
	switch strings.TrimSuffix(option, "=") {
	case "-finput-charset", "-fexec-charset", "-fwide-exec-charset":
		return true
	}
	return false
}

// speaks reports whether the environment asks for messages in another language,
// or in other letters, than the C locale's: none is packed.
func speaks(env toolchains.Environ) bool {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LC_CTYPE", "LANG"} {
		switch env.Value(name) {
		case "", "C", "POSIX":
		default:
			return true
		}
	}
	return false
}

// withoutLocale leaves out what asks for a locale: none is packed, and but for
// messages it makes no difference. gcc takes sources for UTF-8 in all of them,
// clang knows nothing else.
func withoutLocale(env []string) []string {
	return slices.DeleteFunc(env, func(kv string) bool {
		return strings.HasPrefix(kv, "LC_") || strings.HasPrefix(kv, "LANG=") || strings.HasPrefix(kv, "LANGUAGE=")
	})
}

// shipEntries adds the toolchain to the InputRoot.
func (b *builder) shipEntries() {
	if s := b.r.Ship; s != nil {
		b.l.Entries = append(b.l.Entries, merkle.Entry{Path: b.packed(""), Mount: s.Tree})
	}
}
