package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/localserver/rehearse"
	"github.com/rexwrap/rexwrap/toolchains"
)

// verifyReport is `toolchain verify --json`.
type verifyReport struct {
	Missed []rehearse.Missed `json:"missed"`
	Status int               `json:"status"` // the compiler's
	// Lookups is how many names it looked for.
	Lookups int    `json:"lookups"`
	Inputs  int    `json:"inputs"` // that were sent with it
	Stdout  string `json:"stdout"`
	Stderr  string `json:"stderr"`
	// Local says why workers are not asked all the same.
	Local string `json:"local,omitempty"`
}

func (a *app) toolchainVerify(c *cli.Context) error {
	args, asJSON := c.Args().Slice(), false
	if len(args) > 0 && args[0] == "--json" {
		args, asJSON = args[1:], true
	}
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		return a.dispatch(c.Context, []string{"help", "toolchain", "verify"})
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return usagef("toolchain verify needs a compiler call: rexwrap toolchain verify -- gcc -c main.c")
	}
	r, err := a.rehearse(c.Context, args)
	if err != nil {
		return err
	}
	if asJSON {
		err = a.stdout.json(r)
	} else {
		a.verified(r)
	}
	if err == nil && (r.Status != 0 || len(r.Missed) > 0) {
		err = exitError(exitFailed)
	}
	return err
}

// verified says how a rehearsal went.
func (a *app) verified(r *verifyReport) {
	a.stderr.printf("%s", r.Stderr)
	if r.Local != "" {
		a.stderr.printf("rexwrap: toolchain verify: this compile runs here only: %s\n", r.Local)
	}
	for _, m := range r.Missed {
		a.stdout.printf("missed: %s (by %s)\n", m.Path, m.By)
	}
	switch {
	case len(r.Missed) > 0:
		a.stdout.printf("%s: a worker would not have %s\n", plural(int64(len(r.Missed)), "missed file"), pronoun(len(r.Missed)))
	case r.Status != 0:
		a.stdout.printf("the compiler ended with status %d; no file was missed\n", r.Status)
	default:
		a.stdout.printf("nothing was missed: %s, %s for files\n", plural(int64(r.Inputs), "input"), plural(int64(r.Lookups), "lookup"))
	}
}

// rehearse runs a call where nothing but its inputs is.
func (a *app) rehearse(ctx context.Context, argv []string) (*verifyReport, error) {
	call, err := a.compilerCall("verify", argv)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rexwrap-verify")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	t := a.newTools(dir)
	defer t.close()
	s, err := t.pipeline.Shipped(ctx, call)
	if err == nil && !s.Mounted() {
		err = s.Layout.Unproven
	}
	if reason, arg, ok := toolchains.ReasonOf(err); ok {
		return nil, fmt.Errorf("toolchain verify: this compile runs here only: %s", because(reason, arg))
	}
	if err != nil {
		return nil, fmt.Errorf("toolchain verify: %w", err)
	}
	return a.onStage(ctx, s, dir)
}

// onStage runs a compile that was laid out in dir.
func (a *app) onStage(ctx context.Context, s *pipeline.Shipped, dir string) (*verifyReport, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	stage, bar := rehearse.NewStage(dir, self, "toolchain", confineVerb), a.progress("unpacking")
	err = stage.Unpack(s.Pack, s.Tree, func(done, total int64) { _ = bar.report(&admin.Progress{Done: done, Total: total}) })
	bar.end()
	if err != nil {
		return nil, fmt.Errorf("toolchain verify: %w", err)
	}
	got, err := stage.Rehearse(ctx, s.Layout)
	if err != nil {
		return nil, fmt.Errorf("toolchain verify: %w", err)
	}
	r := &verifyReport{
		Status: got.Status, Lookups: got.Lookups, Inputs: len(s.Layout.Sources), Stdout: string(got.Stdout), Stderr: string(got.Stderr),
		Missed: slices.DeleteFunc(got.Missed, func(m rehearse.Missed) bool { return s.Pack.DoesWithout(m.Path) }),
	}
	if reason, arg, ok := toolchains.ReasonOf(s.Layout.Unproven); ok {
		r.Local = because(reason, arg)
	}
	return r, nil
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
