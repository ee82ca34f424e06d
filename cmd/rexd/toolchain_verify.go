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

// verifyReport is `toolchain verify --json` of one call.
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

func (r *verifyReport) passed() bool { return r.Status == 0 && len(r.Missed) == 0 }

func (a *app) toolchainVerify(c *cli.Context) error {
	args, asJSON, commands := c.Args().Slice(), false, ""
options:
	for ; len(args) > 0; args = args[1:] {
		switch {
		case args[0] == "--json":
			asJSON = true
		case args[0] == "--commands" && len(args) > 1:
			commands, args = args[1], args[1:]
		default:
			break options
		}
	}
	if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
		return a.dispatch(c.Context, []string{"help", "toolchain", "verify"})
	}
	if commands != "" && len(args) == 0 {
		return a.verifyAll(c.Context, commands, asJSON)
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if commands != "" || len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return usagef("toolchain verify needs a compiler call: rexwrap toolchain verify -- gcc -c main.c")
	}
	return a.verifyOne(c.Context, args, asJSON)
}

func (a *app) verifyOne(ctx context.Context, argv []string, asJSON bool) error {
	call, err := a.compilerCall("verify", a.dir, argv)
	if err != nil {
		return err
	}
	v, err := a.newVerifier()
	if err != nil {
		return err
	}
	defer v.close()
	r, err := v.rehearse(ctx, call)
	if err != nil {
		return fmt.Errorf("toolchain verify: %w", err)
	}
	if asJSON {
		err = a.stdout.json(r)
	} else {
		a.verified(r)
	}
	if err == nil && !r.passed() {
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

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}

// A verifier rehearses compiles. Each toolchain is packed and unpacked once.
type verifier struct {
	app   *app
	tools *tools
	stage *rehearse.Stage
	dir   string
}

func (a *app) newVerifier() (*verifier, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "rexwrap-verify")
	if err != nil {
		return nil, err
	}
	return &verifier{app: a, tools: a.newTools(dir), stage: rehearse.NewStage(dir, self, "toolchain", confineVerb), dir: dir}, nil
}

func (v *verifier) close() {
	v.tools.close()
	_ = os.RemoveAll(v.dir)
}

// A hereOnlyError is that of a compile of which no worker is ever asked.
type hereOnlyError struct{ why string }

// Error implements error.
func (e *hereOnlyError) Error() string { return "this compile runs here only: " + e.why }

// rehearse runs a call where nothing but its inputs is.
func (v *verifier) rehearse(ctx context.Context, call *toolchains.Call) (*verifyReport, error) {
	s, err := v.tools.pipeline.Shipped(ctx, call)
	if err == nil && !s.Mounted() {
		err = s.Layout.Unproven
	}
	if reason, arg, ok := toolchains.ReasonOf(err); ok {
		return nil, &hereOnlyError{because(reason, arg)}
	}
	if err != nil {
		return nil, err
	}
	return v.onStage(ctx, s)
}

// onStage runs a compile that was laid out.
func (v *verifier) onStage(ctx context.Context, s *pipeline.Shipped) (*verifyReport, error) {
	bar := v.app.progress("unpacking")
	err := v.stage.Unpack(s.Pack, s.Tree, func(done, total int64) { _ = bar.report(&admin.Progress{Done: done, Total: total}) })
	bar.end()
	if err != nil {
		return nil, err
	}
	got, err := v.stage.Rehearse(ctx, s.Layout)
	if err != nil {
		return nil, err
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
