package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/toolchains"
)

// The exit codes of the verbs.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitNotFound = 3
	exitFellBack = 4 // answered, but not by the means asked for
)

// An app is one run of a verb.
type app struct {
	version        string
	env            toolchains.Environ
	dir            string
	stdout, stderr *printer
	// connect returns how to reach the server, starting one if start is
	// set and there is none.
	connect func(start bool) admin.Dialer
	// serve runs a server in this process.
	serve func(ctx context.Context) error
}

// errUsage is wrapped by errors about the command line.
var errUsage = errors.New("usage")

func usagef(format string, args ...any) error {
	return admin.Errorf(errUsage, format, args...)
}

// An exitError ends the program with a code and nothing said.
type exitError int

// Error names the code.
func (e exitError) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// run runs the verb that args, without the program's name, ask for, and returns
// the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	err := a.dispatch(ctx, args)
	var code exitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	a.stderr.printf("rexwrap: %v\n", err)
	switch {
	case errors.Is(err, errUsage), errors.Is(err, admin.ErrUsage):
		return exitUsage
	case errors.Is(err, admin.ErrNotFound), errors.Is(err, admin.ErrNoServer):
		return exitNotFound
	default:
		return exitFailed
	}
}

func (a *app) dispatch(ctx context.Context, args []string) error {
	program := a.program()
	args = spelled(args)
	if len(args) > 1 || len(args) == 1 && strings.HasPrefix(args[0], "-") {
		args = interspersed(program.Commands, args)
	}
	return program.RunContext(ctx, append([]string{"rexwrap"}, args...))
}

// program is the command line as a whole.
func (a *app) program() *cli.App {
	p := &cli.App{
		Name:            "rexwrap",
		Version:         a.version,
		HideVersion:     true,
		HideHelpCommand: true,
		Writer:          a.stdout,
		ErrWriter:       a.stderr,
		ExitErrHandler:  func(*cli.Context, error) {},
		OnUsageError:    usageError,
		Commands: []*cli.Command{
			a.execCommand(), a.statsCommand(), a.explainCommand(), a.logCommand(), a.configCommand(),
			a.doctorCommand(), a.linksCommand(), a.serverCommand(), a.cacheCommand(), a.scanCommand(),
			a.actionCommand(), a.sessionCommand(), a.toolchainCommand(), a.completionCommand(), a.versionCommand(), a.helpCommand(),
		},
	}
	p.Action = func(c *cli.Context) error {
		if c.NArg() == 0 {
			a.stderr.printf("%s", programHelp(p.Commands))
			return exitError(exitUsage)
		}
		return unknownVerb("", c.Args().First(), p.Commands)
	}
	p.CustomAppHelpTemplate = verbatim(programHelp(p.Commands))
	for _, c := range p.Commands {
		finish(c, "rexwrap")
	}
	return p
}

// finish sets what all commands have in common. parent are the words before
// the command's name.
func finish(c *cli.Command, parent string) {
	path := parent + " " + c.Name
	c.OnUsageError = usageError
	c.HideHelpCommand = true
	c.CustomHelpTemplate = verbatim(commandHelp(path, c))
	for _, sub := range c.Subcommands {
		finish(sub, path)
	}
	if len(c.Subcommands) > 0 && c.Action == nil {
		c.Action = func(ctx *cli.Context) error {
			if ctx.NArg() == 0 {
				return usagef("%s needs one of %s", path, strings.Join(names(c.Subcommands), ", "))
			}
			return unknownVerb(c.Name+" ", ctx.Args().First(), c.Subcommands)
		}
	}
}

func usageError(_ *cli.Context, err error, _ bool) error {
	text := strings.Replace(err.Error(), "flag provided but not defined: -", "no such option: --", 1)
	return usagef("%s; rexwrap help VERB lists the options", strings.ReplaceAll(text, "----", "--"))
}

func names(commands []*cli.Command) []string {
	var list []string
	for _, c := range commands {
		if !c.Hidden {
			list = append(list, c.Name)
		}
	}
	return list
}

func unknownVerb(group, name string, commands []*cli.Command) error {
	if near := nearest(name, names(commands)); near != "" {
		return usagef("no verb %s%s; did you mean %s%s?", group, name, group, near)
	}
	return usagef("no verb %s%s; rexwrap help lists them", group, name)
}

// noArguments is the Before of verbs without arguments.
func noArguments(c *cli.Context) error { return atMost(c, 0) }

func atMost(c *cli.Context, n int) error {
	if c.NArg() > n {
		return usagef("%s: one argument too many: %q", c.Command.Name, c.Args().Get(n))
	}
	return nil
}

func jsonFlag() *cli.BoolFlag {
	return &cli.BoolFlag{Name: "json", Usage: "print JSON for programs"}
}

// client returns a client of the server, which is started if there is none.
func (a *app) client() *admin.Client { return admin.NewClient(a.connect(true)) }

// running returns a client of the server that is running, if one is.
func (a *app) running() *admin.Client { return admin.NewClient(a.connect(false)) }

func (a *app) versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version",
		Flags: []cli.Flag{jsonFlag()}, Before: noArguments,
		Action: func(c *cli.Context) error {
			if c.Bool("json") {
				return a.stdout.json(map[string]string{"version": a.version})
			}
			a.stdout.printf("rexwrap %s\n", a.version)
			return nil
		},
	}
}

func (a *app) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "explain a verb", ArgsUsage: "[VERB...]",
		Action: func(c *cli.Context) error {
			commands, group := c.App.Commands, ""
			var found *cli.Command
			for _, name := range c.Args().Slice() {
				i := slices.IndexFunc(commands, func(cmd *cli.Command) bool { return cmd.Name == name })
				if i < 0 {
					return unknownVerb(group, name, commands)
				}
				found, commands, group = commands[i], commands[i].Subcommands, group+name+" "
			}
			if found == nil {
				a.stdout.printf("%s", programHelp(c.App.Commands))
				return nil
			}
			a.stdout.printf("%s", commandHelp("rexwrap "+strings.TrimSpace(group), found))
			return nil
		},
	}
}
