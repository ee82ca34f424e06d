package pack

import (
	"cmp"
	"path"
	"path/filepath"
	"slices"

	"github.com/rexwrap/rexwrap/toolchains"
)

// NewRoot packs what New packs for a worker whose file system is the pack's: all
// stands where it stands here, nothing is started by a launcher, and the loader is
// told of the folders of libraries, since it has no cache there. Errors are those
// of New.
func NewRoot(tc *toolchains.Toolchain, language string, files toolchains.Files) (*Pack, error) {
	b := newBuilder(tc, Launcher{}, files)
	if err := b.place(language); err != nil {
		return nil, err
	}
	p, err := b.rootPack(b.programs[1:])
	if err == nil {
		p.Arguments = b.mode
	}
	return p, err
}

// NewRustRoot is NewRoot for rustc; see NewRust.
func NewRustRoot(tc, linker *toolchains.Toolchain, target string, files toolchains.Files) (*Pack, error) {
	b := newBuilder(tc, Launcher{}, files)
	at, err := b.placeRust(linker, target, func(p toolchains.Program, _ string) string { return inPack(p.Path) })
	if err != nil {
		return nil, err
	}
	b.at[b.driver.Path] = path.Join(inPack(filepath.Dir(tc.Real)), b.driver.Name)
	own := b.programs[1:]
	if linker != nil {
		own = b.programs[2:] // the driver of the linker stands beside the file that it is
	}
	p, err := b.rootPack(own)
	if err == nil && linker != nil {
		p.Linker, p.LinkedBy = at, linker.Digest
	}
	return p, err
}

// ownPlace is where a program goes that a driver starts: where it was found. rustc's
// own linker goes where ownLinker has it.
func ownPlace(p toolchains.Program) string {
	if dir, name := path.Split(inPack(p.Path)); name == "rust-lld" {
		return dir + "gcc-ld/ld.lld"
	}
	return inPack(p.Path)
}

// rootPack makes the Pack of what was placed. own are the programs that stand where
// they were found.
func (b *builder) rootPack(own []toolchains.Program) (*Pack, error) {
	for _, p := range own {
		b.at[p.Path] = ownPlace(p)
	}
	if err := b.load(); err != nil {
		return nil, err
	}
	if err := b.writeRoot(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.entries, func(a, c Entry) int { return cmp.Compare(a.Path, c.Path) })
	b.entries = slices.CompactFunc(b.entries, func(a, c Entry) bool { return a.Path == c.Path }) // rustc's libraries are in its sysroot
	tc := b.tc
	return &Pack{
		Family: tc.Family, Version: tc.Version, Target: tc.Target, Toolchain: tc.Digest, Driver: b.at[b.driver.Path], Entries: b.entries,
		Root: true, LibraryDirs: b.libraryDirs(),
	}, nil
}

// writeRoot makes the entries of a root.
func (b *builder) writeRoot() error {
	loaders := map[string]string{} // by name, where programs ask for them
	for i, p := range b.programs {
		by := b.driver.Name
		if i == 0 {
			by = "driver"
		}
		if err := b.file(b.at[p.Path], p, true, by); err != nil {
			return err
		}
		if interpreter := b.images[p.Path].interpreter; interpreter != "" {
			loaders[path.Base(interpreter)] = interpreter
		}
	}
	for _, l := range b.loaded {
		at := cmp.Or(loaders[l.program.Name], l.program.Path)
		if err := b.file(inPack(at), l.program, true, l.by); err != nil {
			return err
		}
	}
	return b.specs()
}

func (b *builder) libraryDirs() []string {
	var dirs []string
	for _, l := range b.loaded {
		dirs = append(dirs, filepath.Dir(l.program.Path))
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}
