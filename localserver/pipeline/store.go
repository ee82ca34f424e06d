package pipeline

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// candidateOf makes the candidate under which a compile with these inputs will
// be found again. Diagnostics name files as they are spelled: a compile that was
// not quiet is found only at its own place.
func (r *request) candidateOf(ctx context.Context, in *depscan.Inputs, quiet bool) (*Candidate, error) {
	needs, err := needsOf(r.compile, in, r.at)
	if err != nil {
		return nil, err
	}
	if !quiet && spellsPlace(r.compile, in, r.at) {
		needs |= needsPlace
	}
	g, err := guard(needs, r.compile, r.at, r.record.Time)
	if err != nil {
		return nil, toolchains.Unsupported("source-unreadable", r.compile.Source)
	}
	if later, err := guard(needs, r.compile, r.at, r.p.o.Now()); err != nil || later != g {
		return nil, toolchains.Unsupported("date-changed", "")
	}
	c := &Candidate{Needs: needs, Guard: g, Dirs: r.encodeAll(in.Dirs), Absent: r.encodeAll(in.Absent)}
	for _, list := range [][]depscan.File{in.Files, in.Probed} {
		for _, f := range list {
			path := r.at.encode(f.Path)
			c.Files = append(c.Files, Input{Path: path, Digest: f.Digest})
			if f.ModTime != 0 {
				c.Times = append(c.Times, Time{Path: path, ModTime: f.ModTime})
			}
		}
	}
	return c, r.addFacts(ctx, c)
}

// addFacts adds what the compiler brings along of itself: built-in search
// directories that do not exist, and files that it reads without being told.
func (r *request) addFacts(ctx context.Context, c *Candidate) error {
	facts, err := r.facts(ctx)
	if err != nil {
		return err
	}
	for _, dir := range facts.AbsentDirs {
		c.Absent = append(c.Absent, strings.TrimSuffix(dir, separator)+separator)
	}
	for _, path := range facts.ReadFiles {
		d, err := r.p.files.Digest(path)
		if err != nil {
			return toolchains.Unsupported("input-unreadable", path)
		}
		c.Files = append(c.Files, Input{Path: path, Digest: d})
	}
	return nil
}

// facts returns what the compiler says of itself. It says nothing where it does
// not preprocess.
func (r *request) facts(ctx context.Context) (*toolchains.Facts, error) {
	if l := r.compile.Language; l == "assembler" || strings.HasSuffix(l, "cpp-output") {
		return &toolchains.Facts{}, nil
	}
	facts, err := r.p.o.Facts(ctx, r.compile)
	if err != nil {
		return nil, toolchains.Unsupported("no-facts", err.Error())
	}
	return facts, nil
}

func (r *request) encodeAll(paths []string) []string {
	out := make([]string, len(paths))
	for i, p := range paths {
		out[i] = r.at.encode(p)
	}
	return out
}

// actionOf returns the digest of the Action that the compile with the inputs of
// c is. Inputs below the exec root make the InputRoot; what lies outside, and
// the toolchain, stand in the Command's environment by digest.
func (r *request) actionOf(c *Candidate, streams string) (digest.Digest, error) {
	var entries []merkle.Entry
	outside := digest.NewBuilder("rexwrap outside 1")
	seen := make(map[string]bool, len(c.Files))
	for _, f := range c.Files {
		rel, ok := r.belowRoot(f.Path)
		switch {
		case !ok:
			outside.String(f.Path)
			outside.Digest(f.Digest)
		case !seen[rel]:
			seen[rel] = true
			entries = append(entries, merkle.Entry{Path: rel, Digest: f.Digest})
		}
	}
	root, err := merkle.Build(entries)
	if err != nil {
		return digest.Digest{}, err
	}
	spec := &action.Spec{
		Arguments:  append([]string{filepath.Base(r.call.Program)}, r.key.Args...),
		Env:        r.actionEnv(c, outside.Sum(), streams),
		WorkingDir: strings.TrimPrefix(r.key.Dir, rootMark),
		InputRoot:  root.Root,
	}
	for _, o := range r.compile.Outputs {
		spec.OutputFiles = append(spec.OutputFiles, string(o.Role))
	}
	e, err := action.Encode(spec)
	if err != nil {
		return digest.Digest{}, err
	}
	return e.Action, nil
}

// actionEnv is the Command's environment: what the compiler reads, and what the
// result depends on beside files and arguments.
func (r *request) actionEnv(c *Candidate, outside digest.Digest, streams string) []string {
	env := []string{
		"REXWRAP_TOOLCHAIN=" + r.key.Toolchain.Hex(),
		"REXWRAP_OUTSIDE=" + outside.Hex(),
		"REXWRAP_NATIVE=" + r.key.Native,
		"REXWRAP_LANGUAGE=" + r.key.Language,
		"REXWRAP_DEP=" + r.key.Dep,
		"REXWRAP_OUTPUT=" + r.key.Output,
		"REXWRAP_MODE=" + string('0'+rune(r.key.Mode)),
		"REXWRAP_GUARD=" + c.Guard.Hex(),
		"REXWRAP_STREAMS=" + streams,
		"REXWRAP_EXTRA=" + strings.Join(r.key.Extra, " "),
	}
	for _, kv := range r.key.Env {
		if strings.Contains(kv, "=") {
			env = append(env, kv)
		}
	}
	return env
}

// belowRoot returns the path of an encoded input relative to the exec root.
func (r *request) belowRoot(encoded string) (string, bool) {
	if r.at.root == "" {
		return "", false
	}
	abs := filepath.Clean(r.call.Abs(r.at.spell(encoded)))
	if !filepath.IsAbs(r.at.spell(encoded)) {
		abs = filepath.Join(r.at.dir, encoded)
	}
	rel, ok := strings.CutPrefix(abs, r.at.root+separator)
	return filepath.ToSlash(rel), ok
}
