package pipeline

import (
	"context"
	"strings"

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
	if !quiet && r.compile.Crate == nil && (r.compile.Microsoft != nil || spellsPlace(r.compile, in, r.at)) {
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
	if l := r.compile.Language; l == "assembler" || l == "rust" || strings.HasSuffix(l, "cpp-output") {
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
