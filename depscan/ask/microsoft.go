package ask

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// How the inputs of cl.exe and clang-cl are found out:
//
//	clang-cl                            CC_PRINT_HEADERS_FILE
//	clang-cl with /showIncludes         its notes, if they are all that it prints
//	clang-cl with /showIncludes:user,   a run of the preprocessor (-M), since the
//	  with debug information            object holds the arguments
//	cl.exe                              /sourceDependencies, the user's or our own
//	cl.exe, before a run                the preprocessor (/E) with /showIncludes
//
// Names are then looked up in the directories that Facts say, after those of all files
// that may have led to the includer: which of them did is not modelled.

// gnuView is c with those of its arguments that a search depends on, as gcc spells them.
// Facts have the system's search directories, and of cl.exe all.
func gnuView(c *toolchains.Compile) *toolchains.Compile {
	view := *c
	view.Args = nil
	for i := range c.Args {
		a := c.Args[i]
		if a.Option == "" {
			continue
		}
		switch a.Option[1:] {
		case "D":
			a.Option, a.Value = "-D", defined(a.Value)
		case "U":
			a.Option = "-U"
		case "FI":
			a.Option = "-include"
		case "I":
			a.Option = "-I"
		case "external:I":
			a.Option = "-isystem"
		case "source-charset:":
			a.Option = "-finput-charset="
		default:
			continue
		}
		view.Args = append(view.Args, a)
	}
	return &view
}

// defined returns the value of /D with "=" for the "#" that may stand for it.
func defined(value string) string {
	if i := strings.IndexAny(value, "=#"); i >= 0 && value[i] == '#' {
		return value[:i] + "=" + value[i+1:]
	}
	return value
}

// planMicrosoft is Plan for cl.exe and clang-cl.
func (a *Asker) planMicrosoft(c *toolchains.Compile, scratch string) (*Plan, error) {
	p := &Plan{Argv: c.Call.Argv, asker: a, c: gnuView(c), microsoft: c}
	switch {
	case c.Toolchain.Family == toolchains.FamilyMSVC:
		p.from = fromSourceDependencies
		if o := c.Output(toolchains.RoleSourceDeps); o != nil {
			p.list, p.listIsUsers = c.Call.Abs(o.Path), true
			return p, nil
		}
		p.list = scratch + ".json"
		p.insert("/sourceDependencies", p.list)
	case c.Microsoft.Includes && !c.Microsoft.UserIncludes:
		p.from, p.list = fromNotes, scratch+".d"
	case c.Recorded || c.Microsoft.Includes:
		p.from, p.list = fromPreprocessor, scratch+".d"
	default:
		p.from, p.list = fromHeaderFile, scratch+".headers"
		p.Env = []string{"CC_PRINT_HEADERS=1", "CC_PRINT_HEADERS_FILE=" + p.list}
	}
	return p, nil
}

// PlanSeveral plans one run of a call with several sources: members are its compiles, argv
// the arguments of the whole, folder an existing folder of ours. The first Plan is for the
// run, the others, one for each member, are for Collect.
func (a *Asker) PlanSeveral(members []*toolchains.Compile, argv []string, folder string) (*Plan, []*Plan, error) {
	whole := &Plan{Argv: argv}
	plans := make([]*Plan, len(members))
	for i, c := range members {
		p, err := a.planMicrosoft(c, filepath.Join(folder, "run"))
		if err != nil {
			return nil, nil, err
		}
		switch {
		case p.from == fromSourceDependencies && !p.listIsUsers:
			p.list = filepath.Join(folder, filepath.Base(c.Source)+".json")
			if i == 0 {
				whole.insert("/sourceDependencies", folder+string(filepath.Separator))
			}
		case p.from == fromPreprocessor || p.from == fromNotes:
			p.from = fromPreprocessor // what is said is said of all
			p.list = filepath.Join(folder, strconv.Itoa(i)+".d")
		}
		whole.Env, plans[i] = p.Env, p
	}
	return whole, plans, nil
}

// sourceDependencies reads what /sourceDependencies wrote.
func (p *Plan) sourceDependencies() ([]string, error) {
	text, err := os.ReadFile(p.list)
	if err != nil {
		return nil, toolchains.Unsupported("no-source-dependencies", p.c.Toolchain.Version)
	}
	var file struct {
		Data struct {
			Includes, ImportedHeaderUnits, ImportedModules []any
			PCH                                            string
		}
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, toolchains.Unsupported("dep-file", p.list)
	}
	if file.Data.PCH != "" || len(file.Data.ImportedModules)+len(file.Data.ImportedHeaderUnits) > 0 {
		return nil, toolchains.Unsupported("modules", p.c.Source)
	}
	listed := []string{p.c.Source}
	for _, include := range file.Data.Includes {
		path, ok := include.(string)
		if !ok {
			return nil, toolchains.Unsupported("dep-file", p.list)
		}
		listed = append(listed, path)
	}
	return listed, nil
}

// preprocessMicrosoft runs clang-cl's preprocessor for the files that c reads; own is a
// file of ours.
func preprocessMicrosoft(ctx context.Context, c *toolchains.Compile, run toolchains.Runner, own string) ([]string, error) {
	defer func() { _ = os.Remove(own) }()
	argv := []string{c.Call.Program, "-clang:-M", "-clang:-MF" + own, "-clang:-MTx"}
	for i := range c.Args {
		a := &c.Args[i]
		if !a.Class.Has(argtable.Dep|argtable.Output) && !strings.HasPrefix(a.Option[min(1, len(a.Option)):], "showIncludes") {
			argv = append(argv, a.Words()...)
		}
	}
	res, err := run(ctx, toolchains.Command{Argv: argv, Dir: c.Call.Dir, Env: withoutCL(c.Call.Env)})
	if err != nil {
		return nil, fmt.Errorf("run the preprocessor: %w", err)
	}
	if res.Status != 0 {
		return nil, fmt.Errorf("preprocessor ended with status %d", res.Status)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		return nil, fmt.Errorf("read dep-file of the preprocessor: %w", err)
	}
	f, _, ok := depfile.Match("clang", text, []string{"x"})
	if !ok {
		return nil, toolchains.Unsupported("dep-file", own)
	}
	return onlyFiles(f.Prereqs), nil
}

// noted returns the headers of /showIncludes. It reports false where more was printed: the
// streams may be one, and a note may be torn.
func (p *Plan) noted(stdout []byte) ([]string, bool) {
	listed := []string{p.c.Source}
	for line := range strings.Lines(string(stdout)) {
		name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), includedNote)
		if !ok || !strings.HasSuffix(line, "\n") {
			return nil, false
		}
		listed = append(listed, strings.TrimLeft(name, " "))
	}
	return unique(listed), true
}

// includedNote is how clang-cl, and cl.exe in English, names a header among what it prints.
const includedNote = "Note: including file:"

// preprocessCL runs cl.exe's preprocessor for the files that c reads. Whatever else than
// headers and the source's name it says, in another language too, is an error: a header
// could be missed.
func preprocessCL(ctx context.Context, c *toolchains.Compile, run toolchains.Runner) ([]string, error) {
	argv := []string{c.Call.Program, "/nologo", "/E", "/showIncludes"}
	for i := range c.Args {
		switch a := &c.Args[i]; {
		case a.Option != "" && (a.Option[1:] == "c" || strings.HasPrefix(a.Option[1:], "showIncludes")):
		case a.Class.Has(argtable.Dep | argtable.Output | argtable.NoKey | argtable.Debug):
		default:
			argv = append(argv, a.Words()...)
		}
	}
	env := append(toolchains.Environ{"VSLANG=1033"}, withoutCL(c.Call.Env)...)
	res, err := run(ctx, toolchains.Command{Argv: argv, Dir: c.Call.Dir, Env: env})
	if err != nil {
		return nil, fmt.Errorf("run the preprocessor: %w", err)
	}
	if res.Status != 0 {
		return nil, fmt.Errorf("preprocessor ended with status %d", res.Status)
	}
	listed := []string{c.Source}
	for line := range strings.Lines(string(res.Stderr)) {
		line = strings.TrimRight(line, "\r\n")
		name, ok := strings.CutPrefix(line, includedNote)
		switch {
		case ok:
			listed = append(listed, strings.TrimLeft(name, " "))
		case line != "" && line != filepath.Base(c.Source):
			return nil, toolchains.Unsupported("preprocessor-messages", line)
		}
	}
	return listed, nil
}

// relative returns the files that cl.exe lists by the names by which it has found them,
// nil where they are the same: it lists absolute names of files that stand beside the
// source, or in folders that arguments name relative to where it runs.
func (p *Plan) relative(listed []string, facts *toolchains.Facts) []string {
	if p.c.Toolchain.Family != toolchains.FamilyMSVC {
		return nil
	}
	var out []string
	dirs := slices.Clone(facts.AngleDirs)
	for _, a := range p.c.Args {
		if a.Class.Has(argtable.Search) {
			dirs = append(dirs, a.Value)
		}
	}
	for i, name := range listed {
		if !filepath.IsAbs(name) || name == p.c.Source || inAny(dirs, name) {
			continue
		}
		rel, err := filepath.Rel(p.c.Call.Dir, name)
		if err != nil {
			continue // on another drive
		}
		if out == nil {
			out = slices.Clone(listed)
		}
		out[i] = rel
	}
	return out
}

// inAny reports whether a file is in one of the folders with absolute names.
func inAny(dirs []string, name string) bool {
	return slices.ContainsFunc(dirs, func(dir string) bool {
		rel, err := filepath.Rel(dir, name)
		return filepath.IsAbs(dir) && err == nil && filepath.IsLocal(rel)
	})
}

// namesAbsolute reports whether a file may have been included by its absolute name.
func (g *gathering) namesAbsolute() bool {
	for _, t := range g.texts {
		absolute := func(n Name) bool { return filepath.IsAbs(g.slashed(n.Path)) }
		if t.ComputedInclude || slices.ContainsFunc(t.Names, absolute) {
			return true
		}
	}
	return slices.ContainsFunc(g.c.Args, func(a toolchains.Arg) bool { return a.Option == "-include" && filepath.IsAbs(a.Value) })
}

// withoutCL leaves out the variables whose arguments Compile.Args holds.
func withoutCL(env toolchains.Environ) toolchains.Environ {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		return strings.HasPrefix(kv, "CL=") || strings.HasPrefix(kv, "_CL_=")
	})
}

// chainOfMicrosoft is the chain of a gnuView.
func chainOfMicrosoft(c *toolchains.Compile, facts *toolchains.Facts) *chain {
	ch := &chain{}
	var system []searchDir
	for i := range c.Args {
		switch value := c.Args[i].Value; {
		case c.Args[i].Option == "-include":
			ch.forced = append(ch.forced, value)
		case c.Toolchain.Family != toolchains.FamilyClangCL:
		case c.Args[i].Option == "-I":
			ch.dirs = append(ch.dirs, searchDir{path: value})
		case c.Args[i].Option == "-isystem":
			system = append(system, searchDir{path: value, system: true})
		}
	}
	if c.Toolchain.Family == toolchains.FamilyClangCL {
		ch.add(envDirs(c, "CPATH", false))
		system = append(system, envDirs(c, languageVariable(c.Language), true)...)
	}
	ch.add(system)
	ch.builtins = len(ch.dirs)
	ch.builtin(facts)
	ch.markDuplicates(c.Call)
	return ch
}

// slashed is a name as it is looked for.
func (g *gathering) slashed(name string) string {
	if g.c.Microsoft != nil && filepath.Separator == '/' {
		return strings.ReplaceAll(name, `\`, "/")
	}
	return name
}

// atIncluders looks for name in the directories of all files that were read: those by
// which its includer was included come before the chain. What is found there is one of
// the inputs, if the compiler took another file or not.
func (s *search) atIncluders(name string) []hit {
	if s.g.c.Microsoft == nil {
		return nil
	}
	if s.includers == nil {
		for _, f := range s.g.closure {
			if dir := dirOf(f.Path); !slices.Contains(s.includers, dir) {
				s.includers = append(s.includers, dir)
			}
		}
	}
	var hits []hit
	for _, dir := range s.includers {
		hits = append(hits, s.own(dir, name)...)
	}
	return hits
}
