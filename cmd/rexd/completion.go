package main

import (
	"embed"

	"github.com/urfave/cli/v2"
)

// completions holds what shells source: rexwrap.bash, _rexwrap, rexwrap.fish.
//
//go:embed all:completion
var completions embed.FS

func (a *app) completionCommand() *cli.Command {
	return &cli.Command{
		Name: "completion", Usage: "print what makes a shell complete the verbs", ArgsUsage: "bash|zsh|fish",
		Description: "source <(rexwrap completion bash)",
		Before:      func(c *cli.Context) error { return atMost(c, 1) },
		Action: func(c *cli.Context) error {
			file, ok := map[string]string{
				"bash": "rexwrap.bash", "zsh": "_rexwrap", "fish": "rexwrap.fish",
			}[c.Args().First()]
			if !ok {
				return usagef("completion needs a shell: bash, zsh or fish")
			}
			text, err := completions.ReadFile("completion/" + file)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
}
