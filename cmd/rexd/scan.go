package main

import (
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
)

func (a *app) scanCommand() *cli.Command {
	return &cli.Command{
		Name: "scan", Usage: "list the files that a compile reads", ArgsUsage: "[--json] -- COMPILER ARGUMENTS...",
		Description: "One path a line, as the compiler spells it and in its order. The exit code is\n" +
			"4 where the answer had to come from the compiler itself.\n\n" +
			"rexwrap scan -- gcc -Iinclude -c main.c",
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			asJSON := len(args) > 0 && args[0] == "--json"
			if asJSON {
				args = args[1:]
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
