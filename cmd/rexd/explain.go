package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/journal"
)

func (a *app) explainCommand() *cli.Command {
	return &cli.Command{
		Name: "explain", Usage: "say why a compile was a hit or not", ArgsUsage: "[OUTPUT | SOURCE | ID | CRATE]",
		Description: "What happened to the latest compile of a file, or to the very last one, and\n" +
			"for a miss exactly what differs from the compile before. --build groups the\n" +
			"misses of a whole build by cause: the last one, or that of an exec.\n\n" +
			"rexwrap explain build/main.o\nrexwrap explain r1042\nrexwrap explain serde\nrexwrap explain --build",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "last", Usage: "the last compile (the default)"},
			&cli.BoolFlag{Name: "build", Usage: "the last build, or the one with the given id"},
		},
		Before: func(c *cli.Context) error { return atMost(c, 1) },
		Action: func(c *cli.Context) error {
			switch target := c.Args().First(); {
			case c.Bool("last") && (target != "" || c.Bool("build")):
				return usagef("explain: --last stands alone")
			case c.Bool("build"):
				return a.explainBuild(c, target)
			default:
				return a.explain(c, target)
			}
		},
	}
}

func (a *app) explain(c *cli.Context, target string) error {
	x, err := a.client().Explain(c.Context, &admin.ExplainRequest{Target: target, Dir: a.dir})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return a.stdout.json(x)
	}
	a.stdout.explanation(x)
	return nil
}

func (a *app) explainBuild(c *cli.Context, id string) error {
	b, err := a.client().ExplainBuild(c.Context, &admin.ExplainBuildRequest{Build: id})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return a.stdout.json(b)
	}
	a.stdout.build(b)
	return nil
}

func (p *printer) explanation(x *journal.Explanation) {
	r := x.Record
	what := r.Output
	if what == "" {
		what = r.Source
	}
	p.printf("%s %s\n", p.bold(r.ID.String()), what)
	for i, text := range wrap(x.Summary, maxColumns-2) {
		if i == 0 {
			text = p.bold(text)
		}
		p.printf("  %s\n", text)
	}
	for _, c := range x.Changes {
		p.change(&c)
	}
	for _, note := range notes(x) {
		for _, text := range wrap("note: "+note, maxColumns-2) {
			p.printf("  %s\n", text)
		}
	}
	p.facts(r, x.Earlier, x.Reproducer)
}

func notes(x *journal.Explanation) []string {
	if x.Hint == "" {
		return x.Notes
	}
	return append([]string{x.Hint}, x.Notes...)
}

func (p *printer) facts(r, earlier *journal.Entry, reproducer []string) {
	fact := func(name, value string) {
		if value != "" {
			p.printf("  %-10s %s\n", name, value)
		}
	}
	fact("when", r.Time)
	fact("compiler", r.Compiler)
	fact("crate", r.Crate)
	fact("source", r.Source)
	fact("directory", r.Dir)
	if earlier != nil {
		fact("before", fmt.Sprintf("%s (%s, %s)", earlier.ID, label(strings.ReplaceAll(earlier.Outcome.String(), "_", " ")), earlier.Time))
	}
	fact("action", r.Action)
	fact("worker", r.Worker)
	fact("page", r.Page)
	fact("again", quoted(reproducer))
	fact("took", steps(r.Steps))
	if r.MaxRSS > 0 {
		fact("memory", size(r.MaxRSS)+" at most, of the compiler")
	}
}

// steps names the total and the three longest steps.
func steps(us map[string]int64) string {
	total := us["total"]
	if total == 0 {
		return ""
	}
	var parts []string
	for _, name := range ranked(us) {
		if name != "total" && len(parts) < 3 {
			parts = append(parts, name+" "+milliseconds(us[name]))
		}
	}
	text := milliseconds(total)
	if len(parts) > 0 {
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	return text
}

func milliseconds(us int64) string { return fmt.Sprintf("%.1f ms", float64(us)/1000) }

// change writes one difference. Names stand alone at the end of a line, uncut,
// so that they can be copied.
func (p *printer) change(c *journal.Change) {
	write := func(format string, args ...any) { p.printf("  * "+format+"\n", args...) }
	switch c.Kind {
	case journal.ChangeArg:
		write("argument %s, before %s", p.bold(c.New), c.Old)
	case journal.ChangeArgAdded:
		write("new argument %s", p.bold(c.Name))
	case journal.ChangeArgRemoved:
		write("argument gone: %s", p.bold(c.Name))
	case journal.ChangeArgOrder:
		write("arguments in another order, from %s on", p.bold(c.Name))
	case journal.ChangeVariable:
		write("variable %s changed", p.bold(c.Name))
	case journal.ChangeVariableSet:
		write("variable %s is set now", p.bold(c.Name))
	case journal.ChangeVariableUnset:
		write("variable %s is no longer set", p.bold(c.Name))
	case journal.ChangeDirectory:
		write("directory %s, before %s", p.bold(orNone(c.New)), orNone(c.Old))
	case journal.ChangeCompiler:
		write("compiler %s, before %s", p.bold(c.New), c.Old)
	case journal.ChangeInputAppeared:
		write("new file where none was found before: %s", p.bold(c.Name))
	case journal.ChangeInputAdded:
		write("now read, too: %s", p.bold(c.Name))
	case journal.ChangeInputRemoved:
		write("no longer read: %s", p.bold(c.Name))
	case journal.ChangeInputsNotKnown:
		write("other input files of %s", p.bold(c.Name))
	case journal.ChangeSource, journal.ChangeInput, journal.ChangeProgram:
		write("changed: %s", p.bold(c.Name))
		p.printf("      %s, before %s\n", shortDigest(c.New), shortDigest(c.Old))
	default:
		write("%s: %s", label(c.Kind), p.bold(c.Name))
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// shortDigest shows enough of a digest to tell two files apart.
func shortDigest(s string) string {
	hash, bytes, ok := strings.Cut(s, "/")
	if !ok || len(hash) < 12 {
		return orNone(s)
	}
	return hash[:12] + " (" + bytes + " bytes)"
}

func (p *printer) build(b *journal.BuildReport) {
	title := "Last build"
	if b.Build != "" {
		title = "Build " + b.Build
	}
	p.printf("%s, %s to %s\n", p.bold(title), b.First, b.Last)
	compiles := b.Hits + b.Misses
	p.line(1, "Hits:", share(b.Hits, compiles))
	p.line(1, "Misses:", share(b.Misses, compiles))
	p.counts(1, "Stepped aside:", b.SteppedAside, "Fell back:", b.FellBack, "Errors:", b.Errors)
	p.reasons(2, b.Reasons)
	p.line(1, "Time avoided:", fmt.Sprintf("%8s", duration(b.TimeAvoided)))
	p.line(1, "Spent on misses:", fmt.Sprintf("%8s", duration(b.TimeSpent)))
	if len(b.Groups) == 0 {
		return
	}
	p.printf("\n%s\n", p.bold(fmt.Sprintf("%12s %6s  %s", "SECONDS", "MISSES", "CAUSE")))
	for i, g := range b.Groups {
		if i == 2*maxRows {
			p.printf("%20s and %s; --json lists all\n", "", plural(int64(len(b.Groups)-i), "other cause"))
			return
		}
		p.printf("%12.1f %6d  %s\n", g.Seconds, g.Count, p.cause(&g))
		for _, example := range g.Examples {
			p.printf("%20s   %s\n", "", cut(example, maxColumns-23))
		}
	}
}

func (p *printer) cause(g *journal.MissGroup) string {
	text := label(g.Cause)
	if g.Culprit != "" {
		text += ": " + cut(g.Culprit, maxColumns-24-len(text))
	}
	return text
}
