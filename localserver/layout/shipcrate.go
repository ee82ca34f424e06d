package layout

import (
	"path"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// What is different about rustc where it is shipped. The pack is its sysroot. The
// files that a link reads from the system stand in the mount of the root of the
// file system, by their own paths: that is the linker's sysroot, so that what its
// scripts name is found there, and its driver is told of the folders that it would
// have found by itself. Neither reaches the result (shown by integration/shipped).

// shipRustc returns the words by which the worker calls the packed rustc.
func (b *builder) shipRustc() []string {
	return []string{b.relative(b.r.Ship.Pack.Driver), "--sysroot=" + b.packedHere()}
}

// relative is the worker's name of a file of the pack, by which programs are
// started.
func (b *builder) relative(name string) string {
	return relativeTo(b.l.WorkingDir, b.packed(name))
}

// packedHere is the worker's name of the pack.
func (b *builder) packedHere() string { return b.m.top + "/" + b.packed("") }

// shipMapsHere is mapsHere for workers without a shell.
func (b *builder) shipMapsHere() []string {
	note := ""
	if b.c.Crate.Links() {
		note = workerDir
	}
	return []string{b.relative(launch.HereName), b.named(b.m.dir), note, remapOption}
}

// shipSearchPath is PATH, in which rustc looks for the linker.
func (b *builder) shipSearchPath() string {
	if linker := b.r.Ship.Pack.Linker; linker != "" {
		return b.packedHere() + "/" + path.Dir(linker)
	}
	return nowhere
}

// ofSystem reports whether a file is one of the machine's own that a shipped link
// reads.
func (b *builder) ofSystem(p string) bool {
	k := b.r.Crate
	return b.r.Ship != nil && k != nil && k.System != nil && path.IsAbs(p) && k.System(p)
}

// shipSystemFile puts a file of the system where a shipped linker finds it. Those
// of the sysroot are in the pack.
func (b *builder) shipSystemFile(f *depscan.File) {
	p := path.Clean(f.Path)
	if within(p, path.Join(b.c.Toolchain.Sysroot, pack.Sysroot)) {
		return
	}
	if b.r.Ship.Apart && slices.ContainsFunc(b.r.Ship.Pack.Entries, func(e pack.Entry) bool { return "/"+e.Path == p }) {
		return
	}
	packed := slices.IndexFunc(b.r.Ship.Pack.Entries, func(e pack.Entry) bool { return e.Digest == f.Digest })
	b.l.Entries = append(b.l.Entries, merkle.Entry{
		// One file has one mode wherever it stands.
		Path: b.m.at(b.m.system(), p), Digest: f.Digest, Executable: packed >= 0 && b.r.Ship.Pack.Entries[packed].Executable,
	})
	b.l.Sources[f.Digest] = p
}

// system is the mount of the root of the file system.
func (m *mirror) system() int {
	return slices.IndexFunc(m.mounts, func(mt mount) bool { return mt.real == "" })
}

// shipLinkArguments tell a packed linker's driver where the files of the system
// are.
func (b *builder) shipLinkArguments() []string {
	if b.r.Ship == nil {
		return nil
	}
	root := b.m.mounts[b.m.system()].worker
	words := []string{"-C", "link-arg=--sysroot=" + root}
	holding := make(map[string]bool)
	for i := range b.l.Entries {
		holding[path.Dir(b.l.Entries[i].Path)] = true
	}
	for _, dir := range b.r.Crate.Linker.LibraryDirs {
		dir = path.Clean(dir)
		if at := b.m.at(b.m.system(), dir); holding[at] {
			holding[at] = false // once
			words = append(words, "-C", "link-arg=-B"+root+dir+"/")
		}
	}
	return words
}

// shipNames are the names of what the pack stands for here.
func (b *builder) shipNames() Names {
	if b.r.Ship == nil {
		return nil
	}
	b.l.packed, b.l.sysroot = b.packed(""), b.c.Toolchain.Sysroot
	return Names{{Worker: b.packedHere(), Client: b.c.Toolchain.Sysroot}}
}

// PackedFile returns which file of the client one of the pack stands for, by its path
// in the pack.
func (l *Layout) PackedFile(name string) string { return l.sysroot + "/" + name }

// shipCrateDoubts are about links that a shipped linker may do otherwise.
func (b *builder) shipCrateDoubts() {
	if b.r.Ship == nil || !b.c.Crate.Links() {
		return
	}
	if b.r.Ship.Pack.Linker == "" || b.r.Crate.Linker == nil {
		b.doubts("linker")
	}
	for i := 0; i < len(b.c.Args) && !b.isRooted(); i++ {
		switch o := b.c.Args[i].Option; strings.TrimSuffix(o, "=") {
		case "-Clinker-flavor", "-Clink-self-contained", "-Clinker-features":
			b.doubts(o)
		}
	}
}
