package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/rehearse"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A command is an entry of a compilation database, as CMake, Meson and Bear write
// it (clang.llvm.org/docs/JSONCompilationDatabase.html).
type command struct {
	Directory string   `json:"directory"`
	File      string   `json:"file"`
	Command   string   `json:"command"`
	Arguments []string `json:"arguments"`
}

// readCommands reads a compilation database. Directories are absolute, or relative to
// its own.
func readCommands(file string) ([]command, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var all []command
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	for i := range all {
		if k := &all[i]; !filepath.IsAbs(k.Directory) {
			k.Directory = filepath.Join(filepath.Dir(file), k.Directory)
		}
	}
	return all, nil
}

// words are the arguments of a command, the compiler first. A launcher in front of
// the compiler, such as rexwrap itself, is left out.
func (k *command) words() ([]string, error) {
	words := k.Arguments
	if len(words) == 0 {
		var err error
		if words, err = argtable.GNU.Split(k.Command); err != nil {
			return nil, err
		}
	}
	if len(words) > 1 && strings.TrimSuffix(filepath.Base(words[0]), ".exe") == "rexwrap" {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil, errors.New("no command")
	}
	return words, nil
}

// verifyAllReport is `toolchain verify --commands --json`. The keys are stable.
type verifyAllReport struct {
	SchemaVersion int `json:"schema_version"`
	Compiles      int `json:"compiles"`
	// Passed are those to which nothing was missing, Local those that run here
	// only, by reason: the ones of which a worker would not be asked although
	// nothing was missing are among both.
	Passed  int              `json:"passed"`
	Local   map[string]int   `json:"local"`
	Failed  []*failedCompile `json:"failed"`
	Lookups int              `json:"lookups"`
}

// A failedCompile is one that missed files, that its compiler refused, or that
// could not be tried.
type failedCompile struct {
	File   string            `json:"file"`
	Error  string            `json:"error,omitempty"`
	Missed []rehearse.Missed `json:"missed,omitempty"`
	Status int               `json:"status,omitempty"`
	Stderr string            `json:"stderr,omitempty"`
}

// verifyAll rehearses all compiles of a compilation database.
func (a *app) verifyAll(ctx context.Context, file string, asJSON bool) error {
	if !filepath.IsAbs(file) {
		file = filepath.Join(a.dir, file)
	}
	commands, err := readCommands(file)
	if err != nil {
		return fmt.Errorf("toolchain verify: %w", err)
	}
	v, err := a.newVerifier()
	if err != nil {
		return err
	}
	defer v.close()
	r := &verifyAllReport{SchemaVersion: 1, Local: map[string]int{}, Failed: []*failedCompile{}}
	bar := a.progress("compiling")
	for i := range commands {
		_ = bar.report(&admin.Progress{Done: int64(i), Total: int64(len(commands))})
		if err = r.add(v.command(ctx, &commands[i])); err != nil {
			break
		}
	}
	bar.end()
	switch {
	case err != nil:
		return fmt.Errorf("toolchain verify: %w", err)
	case asJSON:
		err = a.stdout.json(r)
	default:
		a.stdout.verifiedAll(r)
	}
	if err == nil && len(r.Failed) > 0 {
		err = exitError(exitFailed)
	}
	return err
}

// command rehearses a compile of a database.
func (v *verifier) command(ctx context.Context, k *command) (*command, *verifyReport, error) {
	words, err := k.words()
	if err != nil {
		return k, nil, err
	}
	call, err := v.app.compilerCall("verify", k.Directory, words)
	if err != nil {
		return k, nil, err
	}
	got, err := v.rehearse(ctx, call)
	return k, got, err
}

// add counts a compile. It returns the errors that end the verb.
func (r *verifyAllReport) add(k *command, got *verifyReport, err error) error {
	r.Compiles++
	var here *hereOnlyError
	switch {
	case errors.Is(err, rehearse.ErrUnavailable), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &here):
		r.Local[here.why]++
		return nil
	case err != nil:
		r.Failed = append(r.Failed, &failedCompile{File: k.File, Error: err.Error()})
		return nil
	}
	if r.Lookups += got.Lookups; got.Local != "" {
		r.Local[got.Local]++
	}
	if got.passed() {
		r.Passed++
		return nil
	}
	r.Failed = append(r.Failed, &failedCompile{File: k.File, Missed: got.Missed, Status: got.Status, Stderr: got.Stderr})
	return nil
}

func (p *printer) verifiedAll(r *verifyAllReport) {
	for _, f := range r.Failed {
		switch {
		case f.Error != "":
			p.printf("%s: %s\n", f.File, f.Error)
		case len(f.Missed) == 0:
			p.printf("%s: the compiler ended with status %d; no file was missed\n", f.File, f.Status)
		}
		for _, m := range f.Missed {
			p.printf("%s: missed: %s (by %s)\n", f.File, m.Path, m.By)
		}
	}
	for _, why := range slices.Sorted(maps.Keys(r.Local)) {
		p.printf("%s here only: %s\n", plural(int64(r.Local[why]), "compile"), why)
	}
	p.printf("%d of %s missed nothing; %d failed\n", r.Passed, plural(int64(r.Compiles), "compile"), len(r.Failed))
}
