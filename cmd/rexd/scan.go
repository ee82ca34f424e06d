package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
)

func (a *app) scanCommand() *cli.Command {
	return &cli.Command{
		Name: "scan", Usage: "list the files that a compile reads", ArgsUsage: "[--json] -- COMPILER ARGUMENTS... | --headers [--json] [DIR]",
		Description: "One path a line, as the compiler spells it and in its order. The exit code is\n" +
			"4 where the answer had to come from the compiler itself.\n\n" +
			"With --headers: what the recorded compiles read (in DIR), with the CPU time that\n" +
			"a change costs and the number of compiles, the dearest first.\n\n" +
			"rexwrap scan -- gcc -Iinclude -c main.c\n" +
			"rexwrap scan --headers include",
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			asJSON, headers := false, false
			for ; len(args) > 0 && (args[0] == "--json" || args[0] == "--headers"); args = args[1:] {
				asJSON = asJSON || args[0] == "--json"
				headers = headers || args[0] == "--headers"
			}
			if headers {
				return a.headers(c, args, asJSON)
			}
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return a.dispatch(c.Context, []string{"help", "scan"})
			}
			if len(args) > 0 && args[0] == "--" {
				args = args[1:]
			}
			if len(args) == 0 || args[0][0] == '-' {
				return usagef("scan needs a compiler call: rexwrap scan -- gcc -c main.c")
			}
			return a.scan(c, args, asJSON)
		},
	}
}

func (a *app) scan(c *cli.Context, argv []string, asJSON bool) error {
	program := argv[0]
	if filepath.Base(program) == program {
		program = a.search().find(program)
	}
	if program == "" {
		return admin.Errorf(admin.ErrNotFound, "scan: %s is not on PATH", argv[0])
	}
	argv = append([]string{program}, argv[1:]...)
	reply, err := a.client().Scan(c.Context, &admin.CallRequest{Argv: argv, Dir: a.dir, Env: a.env})
	if err != nil {
		return err
	}
	if asJSON {
		err = a.stdout.json(reply)
	} else {
		for _, f := range reply.Files {
			a.stdout.printf("%s\n", f.Path)
		}
	}
	if err != nil || len(reply.Fallbacks) == 0 {
		return err
	}
	for _, why := range reply.Fallbacks {
		a.stderr.printf("rexwrap: scan: the compiler was asked, as %s\n", why)
	}
	return exitError(exitFellBack)
}

// headers ranks what the recorded compiles read.
func (a *app) headers(c *cli.Context, args []string, asJSON bool) error {
	if len(args) > 0 && args[len(args)-1] == "--json" {
		args, asJSON = args[:len(args)-1], true
	}
	req := &admin.HeadersRequest{}
	switch {
	case len(args) > 1 || len(args) == 1 && args[0] != "" && args[0][0] == '-':
		return usagef("scan --headers takes one directory: rexwrap scan --headers include")
	case len(args) == 1 && filepath.IsAbs(args[0]):
		req.Dir = filepath.Clean(args[0])
	case len(args) == 1:
		req.Dir = filepath.Join(a.dir, args[0])
	}
	report, err := a.client().Headers(c.Context, req)
	if err != nil {
		return err
	}
	if asJSON {
		return a.stdout.json(report)
	}
	for _, h := range report.Headers {
		a.stdout.printf("%9.1f s %6d  %s\n", h.Seconds, h.Compiles, h.Path)
	}
	return nil
}
