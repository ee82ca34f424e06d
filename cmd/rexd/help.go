package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// programHelp is the text of `rexwrap help`.
func programHelp(commands []*cli.Command) string {
	var b strings.Builder
	b.WriteString(`rexwrap makes C and C++ builds faster without changing them.

  rexwrap COMPILER ARGUMENTS...          compile, or take it from the cache
  rexwrap VERB [OPTIONS] [ARGUMENTS...]

For example:

  make CC="rexwrap gcc" CXX="rexwrap g++"
  cmake -B build -DCMAKE_C_COMPILER_LAUNCHER=rexwrap \
    -DCMAKE_CXX_COMPILER_LAUNCHER=rexwrap
  rexwrap exec -- make -j8
  rexwrap stats

Verbs:

`)
	listCommands(&b, commands)
	b.WriteString(`
rexwrap help VERB explains one. ccache's and sccache's -s, -z, -C, --show-stats,
--zero-stats, --clear, --start-server, --stop-server do what they do there.
Exit codes: 0 done, 1 failed, 2 usage, 3 nothing found, 4 only by a fallback.
`)
	return b.String()
}

func listCommands(b *strings.Builder, commands []*cli.Command) {
	for _, c := range commands {
		if !c.Hidden {
			fmt.Fprintf(b, "  %-12s%s\n", c.Name, c.Usage)
		}
	}
}

// commandHelp is the text of `rexwrap help VERB`; path is the verb with those
// above it.
func commandHelp(path string, c *cli.Command) string {
	flags := slices.DeleteFunc(slices.Clone(c.Flags), isHelp) // the library adds it to every verb
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n  %s", path, c.Usage, path)
	for _, part := range []struct {
		holds bool
		text  string
	}{{len(c.Subcommands) > 0 && c.Name != "config", "VERB"}, {len(flags) > 0, "[OPTIONS]"}, {c.ArgsUsage != "", c.ArgsUsage}} {
		if part.holds {
			b.WriteString(" " + part.text)
		}
	}
	b.WriteString("\n")
	if c.Description != "" {
		b.WriteString("\n" + c.Description + "\n")
	}
	if len(c.Subcommands) > 0 {
		b.WriteString("\nVerbs:\n\n")
		listCommands(&b, c.Subcommands)
	}
	if len(flags) > 0 {
		b.WriteString("\nOptions:\n\n")
	}
	for _, f := range flags {
		fmt.Fprintf(&b, "  %-16s%s\n", option(f), f.(cli.DocGenerationFlag).GetUsage())
	}
	return b.String()
}

func isHelp(f cli.Flag) bool { return slices.Contains(f.Names(), "help") }

// option spells a flag with the word that stands for its value.
func option(f cli.Flag) string {
	var forms []string
	for _, name := range f.Names() {
		if len(name) == 1 {
			forms = append(forms, "-"+name)
		} else {
			forms = append(forms, "--"+name)
		}
	}
	text := strings.Join(forms, ", ")
	if _, isBool := f.(*cli.BoolFlag); !isBool {
		text += " X"
	}
	return text
}

// verbatim makes a template of text that renders as it stands.
func verbatim(text string) string {
	return strings.ReplaceAll(text, "{{", `{{"{{"}}`)
}
