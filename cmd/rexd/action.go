package main

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/admin"
)

func (a *app) actionCommand() *cli.Command {
	return &cli.Command{
		Name: "action", Usage: "show what the cache holds for an Action", ArgsUsage: "DIGEST | OUTPUT | ID",
		Description: "The digest is what explain shows, HASH/SIZE.\n\nrexwrap action build/main.o\nrexwrap action r1042",
		Flags:       []cli.Flag{jsonFlag()},
		Before:      func(c *cli.Context) error { return atMost(c, 1) },
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("action needs a digest, an output or a record: rexwrap action build/main.o")
			}
			digest, err := a.actionDigest(c.Context, c.Args().First())
			if err != nil {
				return err
			}
			reply, err := a.client().Action(c.Context, &admin.ActionRequest{Digest: digest})
			if err != nil {
				return err
			}
			return a.answer(c, reply, func() { a.stdout.action(reply) })
		},
	}
}

// actionDigest returns the digest that a user means: one as it stands, or that
// of the latest compile of an output or of a record.
func (a *app) actionDigest(ctx context.Context, target string) (string, error) {
	if _, err := digest.Parse(target); err == nil {
		return target, nil
	}
	x, err := a.client().Explain(ctx, &admin.ExplainRequest{Target: target, Dir: a.dir})
	if err != nil {
		return "", err
	}
	if x.Record.Action == "" {
		return "", admin.Errorf(admin.ErrNotFound, "%s has no Action: %s", x.Record.ID, x.Summary)
	}
	return x.Record.Action, nil
}

func (p *printer) action(r *admin.ActionReply) {
	p.printf("%s %s\n", p.bold("action"), r.Digest)
	if len(r.Arguments) > 0 {
		p.printf("  command    %s\n", quoted(r.Arguments))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Environment)) {
		p.printf("  variable   %s=%s\n", name, r.Environment[name])
	}
	fact := func(name, value string) {
		if value != "" {
			p.printf("  %-10s %s\n", name, value)
		}
	}
	fact("directory", r.WorkingDir)
	fact("inputs", r.InputRoot)
	for _, f := range r.Inputs {
		fact("input", shortInput(f))
	}
	for _, path := range r.OutputPaths {
		fact("makes", path)
	}
	if r.Result == nil {
		p.printf("  no result is in the cache\n")
		return
	}
	fact("status", strconv.Itoa(int(r.Result.ExitCode)))
	for _, out := range r.Result.Outputs {
		p.printf("  %-10s %s %s\n", "output", shortDigest(out.Digest), out.Path)
	}
	fact("stdout", r.Result.Stdout)
	fact("stderr", r.Result.Stderr)
	fact("worker", r.Result.Worker)
	if r.Result.Seconds > 0 {
		fact("took", duration(r.Result.Seconds))
	}
}

func shortInput(f admin.InputFile) string {
	if f.Target != "" {
		return f.Path + " -> " + f.Target
	}
	return shortDigest(f.Digest) + " " + f.Path
}

// quoted spells a command line for a POSIX shell.
func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = w
		if w == "" || strings.ContainsAny(w, " \t\n'\"\\$`&|;()<>*?[]#~!{}") {
			out[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
