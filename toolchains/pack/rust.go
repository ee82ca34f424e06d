package pack

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// Sysroot is where the standard libraries of a packed rustc are, below the pack as
// below its own sysroot.
const Sysroot = "lib/rustlib"

// NewRust packs what a rustc needs to compile for target, its own machine where
// that is empty. linker, if not nil, is what links, from
// toolchains.Resolver.ResolveLinker. Errors are those of New, and pack-linker for a
// driver other than gcc's: clang looks for gcc's folders on the machine where it is.
func NewRust(tc, linker *toolchains.Toolchain, target string, launcher Launcher, files toolchains.Files) (*Pack, error) {
	b := newBuilder(tc, launcher, files)
	at, err := b.placeRust(linker, target, func(_ toolchains.Program, name string) string { return path.Join(Sysroot, name) })
	if err != nil {
		return nil, err
	}
	b.data(launch.HereName, launcher.Data, true, b.driver.Name)
	p, err := b.pack()
	if err == nil && linker != nil {
		p.Linker, p.LinkedBy = at, linker.Digest
	}
	return p, err
}

// placeRust chooses the programs, and adds the standard library by the paths that
// library says for its files, which are named relative to Sysroot.
func (b *builder) placeRust(linker *toolchains.Toolchain, target string, library func(toolchains.Program, string) string) (at string, err error) {
	tc := b.tc
	if target == "" {
		target = tc.Target
	}
	i := slices.IndexFunc(tc.Programs, func(p toolchains.Program) bool { return p.Name == "rustc" })
	if tc.Family != "rustc" || i < 0 {
		return "", toolchains.Unsupported("pack-family", tc.Family)
	}
	b.driver = tc.Programs[i]
	b.add(b.driver, "bin/rustc")
	if linker != nil {
		if at, err = b.placeLinker(linker); err != nil {
			return "", err
		}
	}
	return at, b.standardLibrary(target, library)
}

// placeLinker chooses what a link starts, and returns where its driver goes.
func (b *builder) placeLinker(linker *toolchains.Toolchain) (at string, err error) {
	i := slices.IndexFunc(linker.Programs, func(p toolchains.Program) bool { return p.Path == linker.Program })
	if linker.Family != "gcc" || i < 0 {
		return "", toolchains.Unsupported("pack-linker", linker.Program)
	}
	b.all = slices.Concat(b.tc.Programs, linker.Programs)
	at = path.Join(inPack(filepath.Dir(linker.Real)), filepath.Base(linker.Program))
	b.add(linker.Programs[i], at)
	collect, ok := b.find("collect2")
	if !ok {
		return "", toolchains.Unsupported("pack-layout", linker.Program)
	}
	b.addAll(filepath.Dir(collect.Path), []string{"collect2", "lto-wrapper", "real-ld", "collect-ld", "ld", linkerPlugin})
	b.ownLinker()
	return at, nil
}

// ownLinker places the linker that comes with rustc where gcc looks for it when
// rustc says so. The small program there would start it from beside itself, which
// under the pack's loader is elsewhere; all that it adds is the name that it is
// called by, as is the launcher.
func (b *builder) ownLinker() {
	bin := b.tc.Target + "/bin/"
	wrapper := slices.ContainsFunc(b.tc.Programs, func(p toolchains.Program) bool { return p.Name == bin+"gcc-ld/ld.lld" })
	if lld, ok := b.find(bin + "rust-lld"); ok && wrapper {
		b.add(lld, path.Join(Sysroot, bin, "gcc-ld/ld.lld"))
	}
}

// standardLibrary adds Rust's own libraries for a target.
func (b *builder) standardLibrary(target string, at func(toolchains.Program, string) string) error {
	n := len(b.entries)
	home := filepath.Join(b.tc.Sysroot, Sysroot, target, "lib") + string(filepath.Separator)
	for _, p := range b.tc.Programs {
		name, ok := strings.CutPrefix(p.Path, home) // rustc loads some itself: by name they are others
		if !ok {
			continue
		}
		shared := strings.HasSuffix(name, ".so") // as a file has one mode in all places
		if err := b.file(at(p, path.Join(target, "lib", filepath.ToSlash(name))), p, shared, b.driver.Name); err != nil {
			return err
		}
	}
	if len(b.entries) == n {
		return toolchains.Unsupported("pack-layout", target)
	}
	return nil
}
