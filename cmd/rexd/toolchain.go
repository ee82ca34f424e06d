package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/localexec"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/localserver/rehearse"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/toolchains/pack/archive"
	"github.com/rexwrap/rexwrap/toolchains/probe"
)

func (a *app) toolchainCommand() *cli.Command {
	language := &cli.StringFlag{Name: "language", Usage: "what is compiled: c, c++, assembler or all"}
	return &cli.Command{
		Name: "toolchain", Usage: "look at the compilers that are sent to workers",
		Description: "With toolchain = \"ship\", or \"auto\" and workers that have another compiler, a\n" +
			"compile takes its compiler along. These verbs work on this machine alone.\n\n" +
			"rexwrap toolchain list\nrexwrap toolchain show g++\nrexwrap toolchain pack gcc -o gcc.tar.zst\n" +
			"rexwrap toolchain verify -- gcc -Iinclude -c main.c",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the compilers of PATH and what sending them takes",
				Flags: []cli.Flag{jsonFlag()}, Before: noArguments, Action: a.toolchainList,
			},
			{
				Name: "show", Usage: "list the files of a pack and what needs each", ArgsUsage: "[COMPILER]",
				Flags:  []cli.Flag{language, jsonFlag()},
				Before: func(c *cli.Context) error { return atMost(c, 1) },
				Action: a.toolchainShow,
			},
			{
				Name: "pack", Usage: "write a pack into a file", ArgsUsage: "[COMPILER]",
				Description: "The file is for toolchain = \"file:FILE\", and for images of workers.",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "o", Usage: "the file, such as gcc.tar.zst"},
					&cli.BoolFlag{Name: "root", Usage: "all files at their own paths, as for an image"},
					language, jsonFlag(),
				},
				Before: func(c *cli.Context) error { return atMost(c, 1) },
				Action: a.toolchainPack,
			},
			{
				Name: "verify", Usage: "compile where nothing but the inputs is", ArgsUsage: "[--json] -- CALL... | [--json] --commands FILE",
				Description: "The compile runs in an empty mount namespace, with its compiler and its inputs,\n" +
					"as on a worker. Each file is named that it then misses; the exit code is 1.\n" +
					"Outputs are not written. With --commands, all compiles of a compilation\n" +
					"database.\n\n" +
					"rexwrap toolchain verify -- gcc -Iinclude -c main.c\n" +
					"rexwrap toolchain verify --commands build/compile_commands.json",
				SkipFlagParsing: true, Action: a.toolchainVerify,
			},
			{
				Name: confineVerb, Hidden: true, SkipFlagParsing: true,
				Action: func(c *cli.Context) error { return exitError(rehearse.Confine(c.Args().Slice())) },
			},
		},
	}
}

// confineVerb is what `toolchain verify` starts of this program.
const confineVerb = "confine"

// tools resolve, pack and lay out without a server. Their memory ends with the
// verb.
type tools struct {
	files    *filestate.State
	resolver *toolchains.Resolver
	pipeline *pipeline.Pipeline
	cc       string // what links for rustc, empty for none
	root     bool   // packs are roots
	close    func()
}

// newTools returns tools that write what they must into scratch.
func (a *app) newTools(scratch string) *tools {
	run, files := localexec.Runner(localexec.Limits{}), filestate.New(filestate.Options{})
	t := &tools{files: files, resolver: toolchains.NewResolver(files, run, toolchains.Forgetful{}), cc: a.search().find("cc")}
	prober := probe.New(files, run, toolchains.Forgetful{})
	scanner := cpp.New(cpp.Options{Compiler: prober, Files: files})
	loader := config.NewLoader()
	asker := ask.New(ask.Options{Run: run, ModTimes: true})
	t.close = scanner.Close
	t.pipeline = pipeline.New(pipeline.Options{
		Files: files, Resolver: t.resolver, Family: newFamilies().family, Scanner: scanner, Facts: prober.Facts,
		Fallback: ask.NewScanner(ask.ScannerOptions{Asker: asker, Run: run, Files: files, Facts: prober.Facts, Scratch: scratch}),
		Settings: func(call *toolchains.Call) (*config.Settings, error) { return loader.Load(call.Env, call.Dir) },
		Crates:   rustdeps.New(), Run: run, Scratch: scratch,
		Launcher: launcher(), Now: time.Now, Log: zerolog.Nop(),
	})
	return t
}

// compilerCall is a call, in a directory, of a compiler by the name or path of
// argv[0].
func (a *app) compilerCall(verb, dir string, argv []string) (*toolchains.Call, error) {
	program := argv[0]
	if filepath.Base(program) == program {
		program = a.search().find(program)
	}
	if program == "" {
		return nil, admin.Errorf(admin.ErrNotFound, "toolchain %s: %s is not on PATH", verb, argv[0])
	}
	call := &toolchains.Call{Argv: argv, Dir: dir, Env: a.env}
	if real, err := filepath.EvalSymlinks(dir); err == nil && real != dir {
		call.Dir, call.PWD = real, dir
	}
	call.Program = call.Abs(program)
	return call, nil
}

// A packing is a compiler with its pack, or why it has none.
type packing struct {
	Program string `json:"program"`
	Family  string `json:"family,omitempty"`
	Version string `json:"version,omitempty"`
	Target  string `json:"target,omitempty"`
	// Toolchain is the identity of the compiler, Pack the digest of the
	// folder that workers get.
	Toolchain string       `json:"toolchain,omitempty"`
	Pack      string       `json:"pack,omitempty"`
	Language  string       `json:"language,omitempty"`
	Bytes     int64        `json:"bytes"`
	Count     int          `json:"files_count"`
	Files     []packedFile `json:"files,omitempty"`
	// Reason and Arg say why there is no pack.
	Reason string `json:"reason,omitempty"`
	Arg    string `json:"arg,omitempty"`

	pack *pack.Pack
}

// packedFile is one file of a pack.
type packedFile struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	Digest string `json:"digest"`
	Source string `json:"source,omitempty"`
	For    string `json:"for"`
}

// packing packs a compiler for a language; empty stands for the one that it
// compiles by default.
func (t *tools) packing(ctx context.Context, call *toolchains.Call, language string) (*packing, error) {
	tc, err := t.resolver.Resolve(ctx, call)
	if err != nil {
		return &packing{Program: call.Program}, err
	}
	x := &packing{
		Program: tc.Program, Family: tc.Family, Version: tc.Version, Target: tc.Target, Toolchain: tc.Digest.String(), Language: language,
	}
	switch {
	case tc.Family == "rustc":
		x.Language = "rust"
	case language == "" && tc.CPlusPlus:
		x.Language = "c++"
	case language == "":
		x.Language = "c"
	}
	l := launcher()
	if len(l.Data) == 0 {
		return x, errors.New("this rexd was built without rexlaunch, which starts packed programs; build it with make")
	}
	switch {
	case tc.Family == "rustc":
		x.pack, err = t.packRust(ctx, call, tc, l)
	case t.root:
		x.pack, err = pack.NewRoot(tc, packLanguage(x.Language), t.files)
	default:
		x.pack, err = pack.New(tc, packLanguage(x.Language), l, t.files)
	}
	if err != nil {
		return x, err
	}
	tree, err := layout.PackTree(x.pack)
	if err != nil {
		return x, err
	}
	x.Pack, x.Bytes, x.Count = tree.Root.String(), x.pack.Size(), len(x.pack.Entries)
	return x, nil
}

// packRust packs a rustc with what links for it by default, for its own machine.
func (t *tools) packRust(ctx context.Context, call *toolchains.Call, tc *toolchains.Toolchain, l pack.Launcher) (*pack.Pack, error) {
	linker, err := t.linker(ctx, call)
	if err != nil {
		return nil, err
	}
	if t.root {
		return pack.NewRustRoot(tc, linker, "", t.files)
	}
	return pack.NewRust(tc, linker, "", l, t.files)
}

// linker returns what links for rustc by default.
func (t *tools) linker(ctx context.Context, call *toolchains.Call) (*toolchains.Toolchain, error) {
	if t.cc == "" {
		return nil, toolchains.Unsupported("linker", "cc")
	}
	link := *call
	link.Program, link.Argv = t.cc, []string{"cc"}
	return t.resolver.ResolveLinker(ctx, &link)
}

// allLanguages is the value of --language that stands for all of them.
const allLanguages = "all"

// packLanguage is a language as pack.New takes it.
func packLanguage(language string) string {
	if language == allLanguages {
		return ""
	}
	return language
}

// packed packs the compiler that a verb was given, gcc by default.
func (a *app) packed(c *cli.Context, t *tools, language string) (*packing, error) {
	call, err := a.compilerCall(c.Command.Name, a.dir, []string{cmp.Or(c.Args().First(), "gcc")})
	if err != nil {
		return nil, err
	}
	switch language {
	case "", "c", "c++", "assembler", allLanguages:
	default:
		return nil, usagef("toolchain %s: --language is c, c++, assembler or all, not %q", c.Command.Name, language)
	}
	x, err := t.packing(c.Context, call, language)
	if reason, arg, ok := toolchains.ReasonOf(err); ok {
		return nil, fmt.Errorf("%s cannot be packed: %s", call.Program, because(reason, arg))
	}
	return x, err
}

// toolchainReport is `toolchain list --json`. The keys are stable.
type toolchainReport struct {
	SchemaVersion int        `json:"schema_version"`
	Toolchains    []*packing `json:"toolchains"`
}

func (a *app) toolchainList(c *cli.Context) error {
	t := a.newTools(os.TempDir())
	defer t.close()
	r, seen := &toolchainReport{SchemaVersion: 1}, map[string]bool{}
	bar, names := a.progress("reading compilers"), append(a.search().compilers(), "rustc")
	for i, name := range names {
		_ = bar.report(&admin.Progress{Done: int64(i), Total: int64(len(names))})
		call, err := a.compilerCall("list", a.dir, []string{name})
		if err != nil {
			continue // gone meanwhile, or no rustc
		}
		if real, err := filepath.EvalSymlinks(call.Program); err == nil {
			if seen[real] {
				continue // another name of a compiler that is listed
			}
			seen[real] = true
		}
		x, err := t.packing(c.Context, call, "")
		if err != nil {
			var ok bool
			if x.Reason, x.Arg, ok = toolchains.ReasonOf(err); !ok {
				x.Reason, x.Arg = "error", err.Error()
			}
		}
		r.Toolchains = append(r.Toolchains, x)
	}
	bar.end()
	return a.answer(c, r, func() { a.stdout.toolchains(r) })
}

func (p *printer) toolchains(r *toolchainReport) {
	const columns = "%-24s %-14s %-20s %5s %10s\n"
	p.printf(columns, "COMPILER", "VERSION", "TARGET", "FILES", "SIZE")
	for _, x := range r.Toolchains {
		if x.Reason != "" {
			p.printf("%-24s %s\n", cut(x.Program, 24), cutEnd("runs here only: "+because(x.Reason, x.Arg), 55))
			continue
		}
		p.printf(columns, cut(x.Program, 24), cutEnd(x.Family+" "+x.Version, 14), cutEnd(x.Target, 20), fmt.Sprint(x.Count), size(x.Bytes))
	}
}

func (a *app) toolchainShow(c *cli.Context) error {
	t := a.newTools(os.TempDir())
	defer t.close()
	x, err := a.packed(c, t, c.String("language"))
	if err != nil {
		return err
	}
	for _, e := range x.pack.Entries {
		x.Files = append(x.Files, packedFile{e.Path, e.Digest.Size, e.Digest.String(), e.Source, e.For})
	}
	return a.answer(c, x, func() { a.stdout.packing(x) })
}

func (p *printer) packing(x *packing) {
	p.printf("%s %s for %s, to compile %s\n", p.bold(x.Family), x.Version, x.Target, x.Language)
	p.printf("  compiler  %s\n  folder    %s\n  size      %s in %s\n\n", x.Program, shortDigest(x.Pack), size(x.Bytes), plural(int64(x.Count), "file"))
	p.printf("%10s  %-46s %s\n", "SIZE", "FILE", "NEEDED BY")
	for _, f := range x.Files {
		p.printf("%10s  %-46s %s\n", size(f.Bytes), cut(f.Path, 46), cutEnd(f.For, 20))
	}
}

// packFile is `toolchain pack --json`.
type packFile struct {
	File   string `json:"file"`
	Pack   string `json:"pack"`
	Bytes  int64  `json:"bytes"`
	Stored int64  `json:"stored_bytes"`
	Files  int    `json:"files_count"`
}

func (a *app) toolchainPack(c *cli.Context) error {
	file := c.String("o")
	if file == "" {
		return usagef("toolchain pack needs a file: rexwrap toolchain pack gcc -o gcc.tar.zst")
	}
	t := a.newTools(os.TempDir())
	defer t.close()
	t.root = c.Bool("root")
	x, err := a.packed(c, t, cmp.Or(c.String("language"), allLanguages))
	if err != nil {
		return err
	}
	stored, err := a.writePack(file, x.pack)
	if err != nil {
		return fmt.Errorf("toolchain pack: %w", err)
	}
	return a.answer(c, &packFile{file, x.Pack, x.Bytes, stored, x.Count}, func() {
		a.stdout.printf("%s: %s, %s in %s\n", file, size(stored), size(x.Bytes), plural(int64(x.Count), "file"))
	})
}

// writePack writes an archive and returns its size. Half of one is removed.
func (a *app) writePack(file string, p *pack.Pack) (int64, error) {
	if !filepath.IsAbs(file) {
		file = filepath.Join(a.dir, file)
	}
	out, err := os.CreateTemp(filepath.Dir(file), ".rexwrap-pack")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(out.Name()) }() // renamed by then, where all is well
	bar := a.progress("packing")
	err = archive.Write(out, p, func(done int64) { _ = bar.report(&admin.Progress{Done: done, Total: p.Size()}) })
	bar.end()
	info, statErr := out.Stat()
	if err := errors.Join(err, statErr, out.Chmod(0o644), out.Close()); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(out.Name(), file)
}

// because is a reason with what it is about, if anything.
func because(reason, arg string) string { return strings.TrimSuffix(reason+": "+arg, ": ") }
