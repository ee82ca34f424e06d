package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
)

// A worker whose root of the file system is the InputRoot, or is what a property
// names together with it, sees all files by the client's own paths. Then nothing is
// rewritten: the command line is the client's own but for its dep-file, and what a
// path does to the result it does there too. Checkouts at different places share
// nothing.

// isRooted reports whether the compile is laid out so.
func (b *builder) isRooted() bool { return b.r.Ship != nil && b.r.Ship.Pack.Root }

// rooted lays a compile out at its own paths.
func (b *builder) rooted() (*Layout, error) {
	switch err := b.buildRooted(); {
	case err != nil:
		return b.verbatim(err)
	case b.doubt != "":
		b.l.Unproven = unprovenBy(b.doubt)
	}
	return b.l, nil
}

func (b *builder) buildRooted() error {
	switch {
	case b.c.Recorded:
		return unprovenBy("recorded") // the name of the dep-file would be
	case b.r.Mode == Relocatable:
		return unprovenBy("paths")
	}
	b.m = rootMirror(b.r)
	b.l.WorkingDir = b.m.workdir()
	if real, _, err := b.m.walk(b.c.Call.ApparentDir()); err != nil || real != b.m.dir {
		return unprovenBy("PWD")
	}
	words, err := b.rootedWords()
	if err != nil {
		return err
	}
	if err := b.outputs(); err != nil {
		return err
	}
	if b.c.Crate != nil && b.c.Crate.Links() {
		b.l.Outputs = append(b.l.Outputs, Output{RoleLinkList, linkList})
	}
	if err := b.tree(); err != nil {
		return err
	}
	b.rootedEntries()
	if b.l.Tree, err = merkle.Build(b.l.Entries); err != nil {
		return err
	}
	b.l.Arguments = slices.Concat([]string{"/" + b.r.Ship.Pack.Driver}, b.r.Ship.Pack.Arguments, words, b.tail)
	b.l.mirror = b.m
	return nil
}

// rootedWords returns the words behind the compiler's, and fills Env.
func (b *builder) rootedWords() ([]string, error) {
	if b.c.Crate != nil {
		return b.rootedCrate()
	}
	words := b.arguments()
	b.rootedEnvironment()
	b.languageDoubts()
	return words, nil
}

// rootedCrate is rootedWords for rustc. That paths were mapped, to themselves,
// counts, as in Identity.
func (b *builder) rootedCrate() ([]string, error) {
	b.l.LocalArguments = Identity(b.c)
	if b.l.LocalArguments == nil || b.r.Crate == nil {
		return nil, unprovenBy(remapOption)
	}
	b.crateDoubts()
	words := b.crateArguments()
	b.crateEnvironment()
	if b.c.Crate.Links() {
		words = append(words, "-C", "link-arg=-Wl,--dependency-file="+linkList)
	}
	b.l.DepTargets = []string{b.c.Crate.OutDir}
	return append(words, b.l.LocalArguments...), nil
}

// rootedSearchPath is PATH for a packed rustc, with the linker's driver.
func (b *builder) rootedSearchPath() string {
	if linker := b.r.Ship.Pack.Linker; linker != "" {
		return "/" + path.Dir(linker) + ":" + b.hostSearchPath()
	}
	return b.hostSearchPath()
}

// rootMirror is the mirror of a worker that calls everything as the client does.
func rootMirror(r *Request) *mirror {
	m := &mirror{dir: path.Clean(r.Compile.Call.Dir), here: here, links: make(map[string]string, len(r.Inputs.Symlinks)), mounts: []mount{{}}}
	for _, l := range r.Inputs.Symlinks {
		m.links[l.Path] = l.Target
	}
	return m
}

// rootedEnvironment fills Env. PATH is for what a driver finds by it.
func (b *builder) rootedEnvironment() {
	b.l.Env = append(withoutLocale(b.compilerVariables()), "LC_ALL=C", "PWD="+b.c.Call.ApparentDir(), "PATH="+b.searchPath())
	if dirs := b.r.Ship.Pack.LibraryDirs; len(dirs) > 0 {
		b.l.Env = append(b.l.Env, "LD_LIBRARY_PATH="+strings.Join(dirs, ":"))
	}
}

// rootedEntries adds the toolchain, which is not in the InputRoot where a property
// names it, and the folder for temporary files.
func (b *builder) rootedEntries() {
	b.l.Entries = append(b.l.Entries, merkle.Entry{Path: "tmp", Dir: true})
	if b.r.Ship.Apart {
		return
	}
	for i := range b.r.Ship.Pack.Entries {
		e := &b.r.Ship.Pack.Entries[i]
		b.l.Entries = append(b.l.Entries, merkle.Entry{Path: e.Path, Digest: e.Digest, Executable: e.Executable})
	}
}
