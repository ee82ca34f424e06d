package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// spelled turns the spellings of ccache, sccache and most other programs into
// verbs. Each stands alone.
func spelled(args []string) []string {
	if len(args) == 0 {
		return nil
	}
	var verb []string
	switch args[0] {
	case "-s", "--show-stats":
		verb = []string{"stats"}
	case "-z", "--zero-stats":
		verb = []string{"stats", "--zero"}
	case "-C", "--clear":
		verb = []string{"cache", "clear"}
	case "--start-server":
		verb = []string{"server", "start"}
	case "--stop-server":
		verb = []string{"server", "stop"}
	case "-V", "--version":
		verb = []string{"version"}
	case "-h", "--help":
		verb = []string{"help"}
	default:
		return args
	}
	return append(verb, args[1:]...)
}

// interspersed moves the options of a verb before its arguments, where the
// library looks for them, up to "--" or the arguments of another program.
func interspersed(commands []*cli.Command, args []string) []string {
	var head []string
	var command *cli.Command
	for len(args) > 0 {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.Name == args[0] })
		if i < 0 {
			break
		}
		command, commands = commands[i], commands[i].Subcommands
		head, args = append(head, args[0]), args[1:]
	}
	if command == nil || command.SkipFlagParsing {
		return append(head, args...)
	}
	var options, rest []string
	for len(args) > 0 && args[0] != "--" {
		word := args[0]
		args = args[1:]
		if len(word) < 2 || word[0] != '-' {
			rest = append(rest, word)
			continue
		}
		options = append(options, word)
		if takesValue(command, word) && len(args) > 0 {
			options, args = append(options, args[0]), args[1:]
		}
	}
	return slices.Concat(head, options, rest, args)
}

// takesValue reports whether the word after the option is its value.
func takesValue(c *cli.Command, option string) bool {
	name := strings.TrimLeft(option, "-")
	for _, f := range c.Flags {
		if slices.Contains(f.Names(), name) {
			_, isBool := f.(*cli.BoolFlag)
			return !isBool
		}
	}
	return false
}

// nearest returns the name that was perhaps meant, empty for none: one that
// differs by one letter added, left out, changed or swapped, or of which name
// is the beginning.
func nearest(name string, names []string) string {
	for _, n := range names {
		if oneEdit(name, n) || len(name) > 1 && strings.HasPrefix(n, name) {
			return n
		}
	}
	return ""
}

func oneEdit(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	a, b = a[i:], b[i:]
	switch {
	case len(a) == len(b) && len(a) > 1 && a[0] == b[1] && a[1] == b[0]:
		return a[2:] == b[2:]
	case len(a) == len(b) && len(a) > 0:
		return a[1:] == b[1:]
	case len(a) == len(b)+1:
		return a[1:] == b
	default:
		return len(b) == len(a)+1 && a == b[1:]
	}
}
