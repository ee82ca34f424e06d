// Package pack says which files a toolchain consists of and where they go in an
// InputRoot, so that a worker needs no compiler of its own. A Pack is a list of
// entries under one folder, which may stand anywhere; client/merkle makes its
// Directory digests of it, once per toolchain.
//
// # Layout
//
// Programs keep their places relative to each other, as drivers look for what
// they start from where they stand themselves: usr/bin/gcc-12,
// usr/lib/gcc/TRIPLE/12/cc1. What a driver would find by PATH (as, objcopy) goes
// where it looks before, since PATH is the worker's. In the place of a program
// that needs a loader stands the launcher (cmd/rexlaunch), the program beside it
// in .real; shared libraries and the loader lie in lib. So nothing of the
// worker's is loaded or started: that a packed gcc would load the worker's libc,
// and take as from PATH, was seen with gcc 12.
//
// The folder of a packed rustc is a sysroot: bin/rustc, lib/rustlib/TARGET/lib of
// one target, wherever these stand here. With it goes, for crates that are linked,
// what links: gcc's driver, collect2 and ld, or the linker that rustc brings along.
//
// A root (NewRoot) is laid out otherwise: for workers that run a command where the
// InputRoot, or what a property of theirs names, is the root of the file system.
//
// # Not packed
//
// System headers, and the libraries and start files that a link reads: each
// compile's own are inputs like others. Locales and iconv modules: a worker's
// compile of C runs under LC_ALL=C, rustc has no other language. The sources of
// Rust's library, which only messages quote. The loader reads the worker's /etc/ld.so.preload all the same:
// a file that is there on no worker by default.
//
// The files are read, never executed. Used by localserver/layout and the verbs
// on toolchains.
package pack

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// libraryDir is where shared libraries and the loader lie in a pack.
const libraryDir = "lib"

// An Entry is one regular file of a Pack.
type Entry struct {
	Path       string // slash-separated, relative to the pack's folder
	Executable bool
	Source     string // the file to read; empty where Data is all there is
	Data       []byte
	Digest     digest.Digest
	For        string // what needs it: a program's name, or "driver"
}

// A Pack is a toolchain as a worker gets it. It is immutable.
type Pack struct {
	// Family, Version and Target are the toolchain's.
	Family, Version, Target string
	// Toolchain is the identity of what was packed.
	Toolchain digest.Digest
	// Driver is what a Command starts, relative to the pack's folder. Linker is
	// the driver of the linker that rustc starts, empty where none is packed, and
	// LinkedBy its toolchain's identity.
	Driver, Linker string
	LinkedBy       digest.Digest
	// Root is set for the packs of NewRoot, whose paths are those of this
	// machine, relative to its root. LibraryDirs, absolute, is where their
	// libraries are.
	Root        bool
	LibraryDirs []string
	// Arguments are to stand before the compile's own: clang is told what its
	// name does not say, and to start itself again as argv[0] where
	// /proc/self/exe is the loader.
	Arguments []string
	// Entries are all files, sorted by path.
	Entries []Entry
}

// Size returns the bytes of all entries.
func (p *Pack) Size() int64 {
	var n int64
	for _, e := range p.Entries {
		n += e.Digest.Size
	}
	return n
}

// DoesWithout reports whether the pack's programs, started elsewhere, do the same
// without a file that they read by an absolute path here: clang's driver learns
// from the first of these that is there what to tell the linker
// (clang/lib/Driver/Distro.cpp).
func (p *Pack) DoesWithout(path string) bool {
	if p.Family != "clang" {
		return false
	}
	switch path {
	case "/etc/os-release", "/usr/lib/os-release", "/etc/lsb-release", "/etc/debian_version", "/etc/redhat-release",
		"/etc/SuSE-release", "/etc/exherbo-release", "/etc/alpine-release", "/etc/arch-release", "/etc/gentoo-release":
		return true
	}
	return false
}

// A Launcher is the program of cmd/rexlaunch for the toolchain's machine.
type Launcher struct{ Data []byte }

// New packs what tc needs to compile a language (toolchains.Compile.Language), or
// all of them where that is empty.
// Errors are *toolchains.UnsupportedError with one of the reasons pack-family,
// pack-layout, pack-library, pack-loader, pack-unreadable: the toolchain
// cannot be packed, and its compiles run where it is.
func New(tc *toolchains.Toolchain, language string, launcher Launcher, files toolchains.Files) (*Pack, error) {
	b := newBuilder(tc, launcher, files)
	if err := b.place(language); err != nil {
		return nil, err
	}
	p, err := b.pack()
	if err == nil && tc.Family == "clang" {
		p.Arguments = append([]string{"-no-canonical-prefixes"}, b.mode...)
	}
	return p, err
}

// A builder makes one Pack.
type builder struct {
	tc       *toolchains.Toolchain
	all      []toolchains.Program // in which libraries are looked for
	files    toolchains.Files
	launcher Launcher
	driver   toolchains.Program
	mode     []string             // arguments that say what the driver's name does not
	programs []toolchains.Program // to be packed, the driver first
	at       map[string]string    // program's path → path in the pack
	images   map[string]*image    // by path
	loaded   []library
	entries  []Entry
}

func newBuilder(tc *toolchains.Toolchain, launcher Launcher, files toolchains.Files) *builder {
	return &builder{
		tc: tc, all: tc.Programs, files: files, launcher: launcher, images: map[string]*image{}, at: map[string]string{},
	}
}

// pack makes the Pack of the programs that were placed.
func (b *builder) pack() (*Pack, error) {
	if err := b.load(); err != nil {
		return nil, err
	}
	if err := b.write(); err != nil {
		return nil, err
	}
	slices.SortFunc(b.entries, func(a, c Entry) int { return cmp.Compare(a.Path, c.Path) })
	tc := b.tc
	return &Pack{
		Family: tc.Family, Version: tc.Version, Target: tc.Target, Toolchain: tc.Digest, Driver: b.at[b.driver.Path], Entries: b.entries,
	}, nil
}

// A library is a shared library of the pack, or its loader.
type library struct {
	program toolchains.Program
	by      string
}

// subprograms are what a driver starts for a compile, without linking.
func subprograms(family, language string) []string {
	if family != "gcc" {
		return []string{"as", "objcopy"}
	}
	switch {
	case language == "":
		return []string{"cc1", "cc1plus", "cc1obj", "cc1objplus", "as", "objcopy", linkerPlugin}
	case language == "assembler":
		return []string{"as", "objcopy"}
	case strings.HasPrefix(language, "objective-c++"):
		return []string{"cc1objplus", "as", "objcopy", linkerPlugin}
	case strings.HasPrefix(language, "objective-c"):
		return []string{"cc1obj", "as", "objcopy", linkerPlugin}
	case strings.HasPrefix(language, "c++"):
		return []string{"cc1plus", "as", "objcopy", linkerPlugin}
	}
	return []string{"cc1", "as", "objcopy", linkerPlugin}
}

// linkerPlugin is what gcc insists on under -fsyntax-only, though it does not link.
const linkerPlugin = "liblto_plugin.so"

// place chooses the programs and where each goes.
func (b *builder) place(language string) error {
	i := slices.IndexFunc(b.tc.Programs, func(p toolchains.Program) bool { return p.Path == b.tc.Program })
	if i < 0 || b.tc.Family != "gcc" && b.tc.Family != "clang" {
		return toolchains.Unsupported("pack-family", b.tc.Family)
	}
	b.driver = b.tc.Programs[i]
	home := filepath.Dir(b.tc.Real) // drivers look around the file that they are
	var name string
	name, b.mode = driverName(b.tc)
	b.add(b.driver, path.Join(inPack(home), name))
	inner, err := b.innerDir(home)
	if err != nil {
		return err
	}
	b.addAll(inner, subprograms(b.tc.Family, language))
	return nil
}

// modeCPlusPlus tells clang's driver that it was called as clang++.
const modeCPlusPlus = "--driver-mode=g++"

// CPlusPlus reports whether p's driver compiles .c as C++.
func (p *Pack) CPlusPlus() bool {
	return strings.Contains(path.Base(p.Driver), "++") || slices.Contains(p.Arguments, modeCPlusPlus)
}

// driverName is what tc's driver is called in a pack, by which it then speaks of itself,
// and what it is to be told for the name that it was called by: gcc speaks of itself by
// that, clang by the name of the file that it is (clang/tools/driver/driver.cpp).
func driverName(tc *toolchains.Toolchain) (name string, mode []string) {
	called := filepath.Base(tc.Program)
	if tc.Family != "clang" {
		return called, nil
	}
	switch strings.TrimRight(called, "-.0123456789") {
	case "clang", "gcc", "cc":
		return filepath.Base(tc.Real), nil
	case "clang++", "g++", "c++":
		return filepath.Base(tc.Real), []string{modeCPlusPlus}
	}
	return called, nil
}

// addAll adds programs to the folder in which the driver looks first.
func (b *builder) addAll(inner string, names []string) {
	for _, name := range names {
		if p, ok := b.find(name); ok {
			b.add(p, path.Join(inPack(inner), name))
		}
	}
}

// innerDir is the first folder in which the driver looks for what it starts.
func (b *builder) innerDir(home string) (string, error) {
	if b.tc.Family == "clang" {
		return home, nil
	}
	for _, name := range []string{"cc1", "cc1plus"} {
		if p, ok := b.find(name); ok {
			return filepath.Dir(p.Path), nil
		}
	}
	return "", toolchains.Unsupported("pack-layout", b.tc.Program)
}

func (b *builder) find(name string) (toolchains.Program, bool) {
	for _, p := range b.all {
		if p.Name == name && p.Path != "" && p.Path != b.driver.Path {
			return p, true
		}
	}
	return toolchains.Program{}, false
}

func (b *builder) add(p toolchains.Program, at string) {
	b.programs = append(b.programs, p)
	b.at[p.Path] = at
}

// inPack is where a folder of this machine is in a pack.
func inPack(dir string) string { return strings.TrimPrefix(filepath.ToSlash(dir), "/") }

// load finds the libraries that the programs need, and the loader.
func (b *builder) load() error {
	known := make(map[string]toolchains.Program, len(b.all))
	for _, p := range b.all {
		if other, ok := known[p.Name]; ok && other.Digest != p.Digest {
			return toolchains.Unsupported("pack-library", p.Name) // which of them depends on who asks
		}
		known[p.Name] = p
	}
	seen := map[string]bool{}
	type want struct{ name, by string }
	var queue []want
	for _, p := range b.programs {
		im, err := b.image(p.Path)
		if err != nil {
			return err
		}
		if im.interpreter == "" {
			continue
		}
		queue = append(queue, want{path.Base(im.interpreter), p.Name})
		for _, name := range im.needed {
			queue = append(queue, want{name, p.Name})
		}
	}
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		if seen[w.name] {
			continue
		}
		seen[w.name] = true
		p, ok := known[w.name]
		if !ok || p.Path == "" {
			return toolchains.Unsupported("pack-library", w.name)
		}
		im, err := b.image(p.Path)
		if err != nil {
			return err
		}
		b.loaded = append(b.loaded, library{p, w.by})
		for _, name := range im.needed {
			queue = append(queue, want{name, w.name})
		}
	}
	return nil
}

func (b *builder) image(path string) (*image, error) {
	if im, ok := b.images[path]; ok {
		return im, nil
	}
	im, err := readImage(path)
	if err != nil {
		return nil, err
	}
	b.images[path] = im
	return im, nil
}

// write makes the entries.
func (b *builder) write() error {
	loader := ""
	for i, p := range b.programs {
		by := b.driver.Name
		if i == 0 {
			by = "driver"
		}
		at, im := b.at[p.Path], b.images[p.Path]
		if im.interpreter == "" {
			if err := b.file(at, p, true, by); err != nil {
				return err
			}
			continue
		}
		loader = path.Join(libraryDir, path.Base(im.interpreter))
		b.data(at, b.launcher.Data, true, p.Name)
		if err := b.file(launch.Real(at), p, true, by); err != nil {
			return err
		}
	}
	for _, l := range b.loaded {
		at := path.Join(libraryDir, l.program.Name)
		if at == loader && !takesOptions(l.program.Path) {
			return toolchains.Unsupported("pack-loader", l.program.Path)
		}
		if err := b.file(at, l.program, true, l.by); err != nil {
			return err
		}
	}
	if loader != "" {
		b.data(launch.MarkName, launch.Mark(loader, libraryDir, b.rpaths()), false, "rexlaunch")
	}
	return b.specs()
}

// rpaths are the libraries with a DT_RPATH, with the empty name for the programs.
func (b *builder) rpaths() []string {
	names := map[string]bool{}
	for _, p := range b.programs {
		if b.images[p.Path].rpath {
			names[""] = true
		}
	}
	for _, l := range b.loaded {
		if b.images[l.program.Path].rpath {
			names[l.program.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// specs adds the file of that name that gcc reads from beside its programs.
func (b *builder) specs() error {
	if b.tc.Family != "gcc" {
		return nil
	}
	inner, err := b.innerDir("")
	if err != nil {
		return err
	}
	source := filepath.Join(inner, "specs")
	d, err := b.files.Digest(source)
	if err != nil {
		return nil // most have none
	}
	b.entries = append(b.entries, Entry{Path: path.Join(inPack(inner), "specs"), Source: source, Digest: d, For: b.driver.Name})
	return nil
}

// file adds a file of this machine, which must still be what the toolchain was
// identified by.
func (b *builder) file(at string, p toolchains.Program, executable bool, by string) error {
	d, err := b.files.Digest(p.Path)
	if err != nil || d != p.Digest {
		return toolchains.Unsupported("pack-unreadable", p.Path)
	}
	b.entries = append(b.entries, Entry{Path: at, Executable: executable, Source: p.Path, Digest: d, For: by})
	return nil
}

func (b *builder) data(at string, data []byte, executable bool, by string) {
	b.entries = append(b.entries, Entry{Path: at, Executable: executable, Data: data, Digest: digest.Of(data), For: by})
}
