package ask

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
)

// RunInfo is what came of the run that a Plan made.
type RunInfo struct {
	// Headers are the lines that -H wrote, where FilterHeaders was set.
	Headers []byte
	// Stdout is what the compiler wrote there, for clang-cl only.
	Stdout []byte
	// Mark is the moment before the compiler started. What changed after it
	// may not be what the compiler read.
	Mark filestate.Mark
	// Failed is set when the compile failed: only the user's dep-file is
	// made, as far as that is possible.
	Failed bool
	// Quiet is set when the compiler wrote no diagnostics. Otherwise files
	// named by #line count as inputs, since diagnostics quote them.
	Quiet bool
}

// A Result is what a run tells.
type Result struct {
	// Inputs is nil where the run failed or is not cacheable.
	Inputs *depscan.Inputs
	// UserDep is the text of the user's dep-file where the run did not
	// write it; nil where it did, and where it would have written none.
	UserDep []byte
}

// Collect reads the inputs off the finished run. An *UnsupportedError says why
// the result must not be stored; the Result is never nil, and its UserDep has to
// be written even then. facts must be those of the compile.
func (p *Plan) Collect(ctx context.Context, ran RunInfo, files Files, facts *toolchains.Facts) (*Result, error) {
	res := &Result{}
	listed, err := p.listed(ctx, ran)
	if err != nil {
		if ran.Failed && os.IsNotExist(err) {
			err = nil
		}
		return res, err
	}
	if ran.Failed && p.microsoft != nil {
		return res, nil
	}
	g, err := p.gather(listed, ran, files, facts)
	if p.makesDep {
		res.UserDep = p.userDep(ctx, listed, g)
	}
	if err == nil && !ran.Failed {
		res.Inputs = g.inputs()
	}
	return res, err
}

// listed returns the files that the run read by the compiler's own list, as it
// spells them, in the order of -MD.
func (p *Plan) listed(ctx context.Context, ran RunInfo) ([]string, error) {
	switch p.from {
	case fromDepFile:
		return p.fromDepFile()
	case fromHeaderLines:
		return unique([]string{p.c.Source}, headerLines(ran.Headers)), nil
	case fromHeaderFile:
		text, err := os.ReadFile(p.list)
		if err != nil {
			return nil, fmt.Errorf("read list of headers: %w", err)
		}
		return unique([]string{p.c.Source}, strings.Split(string(text), "\n")), nil
	case fromSourceDependencies:
		return p.sourceDependencies()
	case fromNotes, fromPreprocessor:
		if ran.Failed {
			return nil, nil
		}
		if listed, ok := p.noted(ran.Stdout); ok && p.from == fromNotes {
			return listed, nil
		}
		return preprocessMicrosoft(ctx, p.microsoft, p.asker.run, p.list)
	}
	return []string{normal(p.c.Source)}, nil
}

func (p *Plan) fromDepFile() ([]string, error) {
	text, err := os.ReadFile(p.list)
	if err != nil {
		return nil, fmt.Errorf("read dep-file: %w", err)
	}
	f, err := p.parseDepFile(text)
	if err != nil {
		return nil, toolchains.Unsupported("dep-file", p.list)
	}
	return onlyFiles(f.Prereqs), nil
}

// onlyFiles leaves out names that are no files ("<stdin>").
func onlyFiles(names []string) []string {
	return slices.DeleteFunc(names, func(path string) bool { return path == "" || path[0] == '<' })
}

// parseDepFile reads the dep-file of the list. Where its layout is not known, a
// target with a colon could be taken for more than the target.
func (p *Plan) parseDepFile(text []byte) (*depfile.File, error) {
	targets := []string{"x"}
	if p.c.Dep != nil && !p.makesDep {
		targets = p.c.Dep.Targets
	}
	if f, _, ok := depfile.Match(p.c.Toolchain.Family, text, targets); ok {
		return f, nil
	}
	return depfile.Parse(text)
}

// headerLines returns the paths in the output of gcc -H:
//
//	line = { "." } " " path ;       (* one "." for each level *)
//	     | ( "!" | "x" ) " " path ; (* a precompiled header, used or refused *)
//
// and, at the end, advice about include guards, which is skipped.
func headerLines(text []byte) []string {
	var out []string
	for line := range bytes.Lines(text) {
		line = bytes.TrimRight(line, "\n")
		rest := bytes.TrimLeft(line, ".")
		if len(rest) < len(line) && len(rest) > 1 && rest[0] == ' ' {
			out = append(out, string(rest[1:]))
		}
	}
	return out
}

// unique joins lists of paths, each path once and in its normal form. Names that
// are no files ("<stdin>") and empty ones are left out.
func unique(lists ...[]string) []string {
	var out []string
	seen := map[string]bool{}
	for _, list := range lists {
		for _, path := range list {
			path = normal(path)
			if path == "" || path[0] == '<' || seen[path] {
				continue
			}
			seen[path] = true
			out = append(out, path)
		}
	}
	return out
}
