package toolchains

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// rustDescriptionFormat is raised when what is asked of a rustc changes.
const rustDescriptionFormat = "toolchains/rust/1"

// isRustDriver reports whether a program is, by its name, rustc or clippy-driver.
func isRustDriver(program string) bool {
	switch strings.TrimSuffix(filepath.Base(program), ".exe") {
	case "rustc", "clippy-driver":
		return true
	}
	return false
}

// resolveRust is Resolve for rustc and clippy-driver. Where the program is
// rustup's proxy, the answer depends on the working directory too.
func (r *Resolver) resolveRust(ctx context.Context, call *Call) (*Toolchain, error) {
	around := surroundingsOf(call, nil)
	proxy := proxyOf(call)
	key := append([]byte("rust\x00"+call.Program), 0)
	key = proxy.appendKey(around.appendKey(key))
	return r.recall(ctx, key, call.Program, func(ctx context.Context, look *observer) (*Toolchain, error) {
		return r.identifyRust(ctx, look, call.Program, proxy, around)
	})
}

// A rustCompiler is a driver of rustc with what it says of itself.
type rustCompiler struct {
	program, real string
	sysroot       string
	version, host string
}

func (r *Resolver) identifyRust(ctx context.Context, look *observer, program string, proxy *proxyCall, around *surroundings) (*Toolchain, error) {
	driver, err := proxy.driver(look, program)
	if err != nil {
		return nil, err
	}
	key, ok := look.stat(driver)
	if !ok || !key.isRegular() {
		return nil, Unsupported("compiler-unreadable", driver)
	}
	real, err := filepath.EvalSymlinks(driver)
	if err != nil {
		return nil, err
	}
	switch kind, err := formatOf(real); {
	case err != nil:
		return nil, err
	case kind == scriptFormat:
		return nil, Unsupported("compiler-is-script", driver)
	case kind != elfFormat:
		return nil, Unsupported("executable-format", driver)
	}
	c := &rustCompiler{program: driver, real: real}
	loaded, err := loadedPrograms(look, c, around)
	if err != nil {
		return nil, err
	}
	if err := r.describeRust(ctx, c, loaded, around); err != nil {
		return nil, err
	}
	tc := &Toolchain{Family: "rustc", Version: c.version, Target: c.host, Program: program, Real: real, Sysroot: c.sysroot}
	if tc.Programs, err = rustPrograms(look, c, loaded); err != nil {
		return nil, err
	}
	_, sources := look.stat(filepath.Join(c.sysroot, "lib/rustlib/src/rust/library"))
	tc.Digest = rustIdentity(tc, c, sources)
	return tc, nil
}

// describeRust asks for version, host and sysroot, or recalls them: what a driver
// says follows from where it is and from what it loads.
func (r *Resolver) describeRust(ctx context.Context, c *rustCompiler, loaded []Program, around *surroundings) error {
	b := digest.NewBuilder(rustDescriptionFormat)
	b.String(c.program)
	b.String(c.real)
	for _, p := range loaded {
		b.String(p.Path)
		b.Digest(p.Digest)
	}
	key := b.Sum()
	if value, ok := r.load(key); ok && c.decode(string(value)) {
		return nil
	}
	if err := r.askRust(ctx, c, around); err != nil {
		return err
	}
	r.store(key, []byte(c.version+"\n"+c.host+"\n"+c.sysroot))
	return nil
}

func (c *rustCompiler) decode(text string) bool {
	parts := strings.Split(text, "\n")
	if len(parts) != 3 || !filepath.IsAbs(parts[2]) {
		return false
	}
	c.version, c.host, c.sysroot = parts[0], parts[1], parts[2]
	return true
}

func (r *Resolver) askRust(ctx context.Context, c *rustCompiler, around *surroundings) error {
	ask := func(args ...string) (string, error) {
		argv := []string{c.program}
		if filepath.Base(c.program) != "rustc" {
			argv = append(argv, "rustc") // clippy-driver then answers as rustc does
		}
		result, err := r.run(ctx, Command{Argv: append(argv, args...), Dir: "/", Env: around.environ()})
		if err != nil {
			return "", fmt.Errorf("%w: %w", errProbe, err)
		}
		if result.Status != 0 {
			return "", errNotDriver
		}
		return string(result.Stdout), nil
	}
	version, err := ask("-vV")
	if err != nil {
		return err
	}
	sysroot, err := ask("--print", "sysroot")
	if err != nil {
		return err
	}
	for line := range strings.Lines(version) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch name {
		case "release":
			c.version = value
		case "host":
			c.host = value
		}
	}
	c.sysroot = strings.TrimSpace(sysroot)
	if c.version == "" || c.host == "" || !filepath.IsAbs(c.sysroot) {
		return errNotDriver
	}
	return nil
}

// loadedPrograms are the driver and the libraries that it loads: librustc_driver,
// LLVM and the system's.
func loadedPrograms(look *observer, c *rustCompiler, around *surroundings) ([]Program, error) {
	programs := []Program{{Name: filepath.Base(c.program), Path: c.program}}
	libraries := newLoader(look, around)
	if err := libraries.add(c.program, c.real); err != nil {
		return nil, err
	}
	for _, library := range libraries.found {
		programs = append(programs, library)
	}
	sortByPath(programs)
	return programs, digestAll(look, programs)
}

// rustPrograms adds to what a driver loads all of the sysroot that compiles read:
// the standard library of every installed target, and the linkers and back ends
// that come with them.
func rustPrograms(look *observer, c *rustCompiler, loaded []Program) ([]Program, error) {
	var tree []Program
	root := filepath.Join(c.sysroot, "lib", "rustlib")
	for _, target := range look.list(root) {
		dir := filepath.Join(root, target)
		for _, part := range []string{"lib", "bin", "codegen-backends"} {
			tree = appendTree(look, tree, filepath.Join(dir, part), filepath.Join(target, part))
		}
	}
	if err := digestAll(look, tree); err != nil {
		return nil, err
	}
	programs := slices.Concat(loaded, tree)
	sortByPath(programs)
	return slices.CompactFunc(programs, func(a, b Program) bool { return a.Path == b.Path }), nil
}

func sortByPath(programs []Program) {
	slices.SortFunc(programs, func(a, b Program) int { return strings.Compare(a.Path, b.Path) })
}

// appendTree appends the regular files below dir, named relative to the sysroot.
func appendTree(look *observer, programs []Program, dir, name string) []Program {
	if key, ok := look.stat(dir); !ok || !key.isDir() {
		return programs
	}
	for _, entry := range look.list(dir) {
		path := filepath.Join(dir, entry)
		key, ok := look.stat(path)
		switch {
		case !ok:
		case key.isDir():
			programs = appendTree(look, programs, path, filepath.Join(name, entry))
		case key.isRegular():
			programs = append(programs, Program{Name: filepath.Join(name, entry), Path: path})
		}
	}
	return programs
}

// rustIdentity is the digest of a rustc. Where its sysroot is counts, because
// diagnostics can quote the standard library's sources.
func rustIdentity(tc *Toolchain, c *rustCompiler, sources bool) digest.Digest {
	b := digest.NewBuilder("toolchain/rust/1")
	b.String(tc.Version)
	b.String(tc.Target)
	b.String(filepath.Base(c.program))
	if sources {
		b.String(c.sysroot)
	} else {
		b.String("")
	}
	parts := make([]string, len(tc.Programs))
	for i, p := range tc.Programs {
		parts[i] = p.Name + "\x00" + p.Digest.String()
	}
	slices.Sort(parts)
	b.Strings(parts)
	return b.Sum()
}
