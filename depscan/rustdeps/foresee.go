package rustdeps

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// Foreseen is what a compile will read where nobody runs it but a worker, which
// has nothing else: whatever is not among it makes the compile fail there.
type Foreseen struct {
	*Result
	c    *collector
	info *DepInfo
}

// Foresee asks the compiler for the dep-info of c alone, which takes a part of the
// time of the compile, and follows the arguments. scratch is as in Plan. Of what
// the linker will read system are the files beside those of c's own folders. The
// compiler runs procedural macros: where any is loaded, and macros is not set, the
// error is an *UnsupportedError before that.
func (a *Asker) Foresee(ctx context.Context, run toolchains.Runner, c *toolchains.Compile, scratch string, r Run, files Files, system []string, macros bool) (*Foreseen, error) {
	k := &collector{
		Plan: &Plan{asker: a, c: c}, run: r, files: files, seen: map[string]bool{}, absent: map[string]bool{}, ahead: true,
	}
	for _, step := range []func() error{k.named, k.crates, k.staticLibraries, k.nativeLibraries} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	if k.macros && !macros {
		return nil, toolchains.Unsupported("proc-macro", "")
	}
	for _, path := range system {
		if err := k.add(path); err != nil {
			return nil, err
		}
	}
	text, err := depInfo(ctx, run, c, scratch+".d")
	if err != nil {
		return nil, err
	}
	info, err := k.sourcesOf(text)
	if err != nil {
		return nil, err
	}
	res, err := k.result(info)
	return &Foreseen{res, k, info}, err
}

// depInfo runs the compiler for its dep-info.
func depInfo(ctx context.Context, run toolchains.Runner, c *toolchains.Compile, path string) ([]byte, error) {
	argv := []string{c.Toolchain.Real}
	for i := range c.Args {
		a := &c.Args[i]
		switch strings.TrimSuffix(a.Option, "=") {
		case "--emit", "--out-dir", "-Cincremental":
		default:
			argv = append(argv, a.Words()...)
		}
	}
	defer os.Remove(path)
	jobs := func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == "CARGO_MAKEFLAGS" || name == "MAKEFLAGS" || name == "MFLAGS"
	}
	res, err := run(ctx, toolchains.Command{
		Argv: append(argv, "--emit=dep-info="+path), Dir: c.Call.Dir, Env: slices.DeleteFunc(slices.Clone(c.Call.Env), jobs),
	})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil || res.Status != 0 {
		return nil, toolchains.Unsupported("dep-info", c.Source)
	}
	return text, nil
}

// nativeLibraries takes all libraries of the folders that the call names for them,
// where a linker may look there.
func (c *collector) nativeLibraries() error {
	if !c.c.Crate.Links() {
		return nil
	}
	for _, s := range c.c.Crate.Search {
		if s.Kind != "native" && s.Kind != "all" || c.linkersOwn(s.Dir) {
			continue
		}
		entries, err := os.ReadDir(c.c.Call.Abs(s.Dir))
		if err != nil {
			continue
		}
		for _, entry := range entries {
			name := entry.Name()
			if !strings.HasSuffix(name, ".a") && !strings.Contains(name, ".so") {
				continue
			}
			if err := c.add(strings.TrimSuffix(s.Dir, "/") + "/" + name); err != nil {
				return err
			}
		}
	}
	return nil
}

// linkersOwn reports whether the linker looks in a folder anyway.
func (c *collector) linkersOwn(dir string) bool {
	return c.run.Linker != nil && slices.ContainsFunc(c.run.Linker.LibraryDirs, func(own string) bool {
		return filepath.Clean(own) == filepath.Clean(c.c.Call.Abs(dir))
	})
}

// Linked checks the list of what a worker's linker has read. All of it must be
// among what was foreseen, or of the toolchain, or be the run's own; spell gives
// the client's names of files. Inputs then has the names that must stay absent,
// too.
func (f *Foreseen) Linked(list []byte, spell func(path string) string, ofToolchain func(path string) bool) error {
	c := f.c
	seen := map[string]bool{}
	for path := range c.seen {
		seen[filepath.Clean(c.c.Call.Abs(path))] = true
	}
	files := linkedFiles(list)
	if len(files) == 0 {
		return toolchains.Unsupported("linker-list", "")
	}
	for _, path := range files {
		here := c.c.Call.Abs(spell(path))
		if !seen[filepath.Clean(here)] {
			here = c.c.Call.Abs(spell(unquoteMake(path)))
		}
		switch {
		case seen[filepath.Clean(here)], ofToolchain(here):
			c.shadowing(here)
		case c.passing(here), passingIn("/tmp", here):
		default:
			return toolchains.Unsupported("linker-input", path)
		}
	}
	_, err := c.result(f.info)
	return err
}

// Same reports whether a worker's dep-info says what was foreseen: the same files
// and variables, those of which env says what the worker had.
func (f *Foreseen) Same(text []byte, spell func(path string) string, env func(name string) (string, bool)) bool {
	info, err := ParseDepInfo(text)
	if err != nil || len(info.Variables) != len(f.Variables) {
		return false
	}
	for i := range info.Files {
		info.Files[i] = spell(info.Files[i])
	}
	for _, v := range info.Variables {
		value, set := env(v.Name)
		if set != v.Set || value != v.Value || !slices.ContainsFunc(f.Variables, func(w Variable) bool { return w.Name == v.Name }) {
			return false
		}
	}
	return slices.Equal(slices.Sorted(slices.Values(info.Files)), slices.Sorted(slices.Values(f.Sources)))
}
