package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/journal"
)

func (a *app) logCommand() *cli.Command {
	return &cli.Command{
		Name: "log", Usage: "list the latest calls, the oldest first",
		Description: "rexwrap log -n 50\nrexwrap log --follow\nrexwrap log -n 1000 --json | jq -r .reason",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "n", Value: 20, Usage: "how many"},
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "go on with the calls to come"},
			&cli.BoolFlag{Name: "json", Usage: "print one line of JSON per call"},
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			if c.Int("n") < 0 {
				return usagef("log: -n must not be negative")
			}
			each := func(e *journal.Entry) error { a.stdout.logLine(e, a.dir, time.Local); return nil }
			if c.Bool("json") {
				each = func(e *journal.Entry) error { return a.stdout.jsonLine(e) }
			}
			return a.client().Log(c.Context, &admin.LogRequest{Count: c.Int("n"), Follow: c.Bool("follow")}, each)
		},
	}
}

// logLine writes a call as "ID TIME OUTCOME TOOK WHAT (WHY)".
func (p *printer) logLine(e *journal.Entry, dir string, zone *time.Location) {
	when := e.Time
	if t, err := time.Parse(time.RFC3339, e.Time); err == nil {
		when = t.In(zone).Format("15:04:05")
	}
	took := ""
	if us := e.Steps["total"]; us > 0 {
		took = milliseconds(us)
	}
	head := fmt.Sprintf("%-8s %8s %s %9s ", e.ID, when, p.outcome(e.Outcome), took)
	room := maxColumns - 45
	why := label(e.Cause)
	if e.Reason != "" {
		why = strings.TrimSuffix(label(e.Reason)+": "+e.Arg, ": ")
	}
	if why != "" {
		why = " (" + cutEnd(why, 2*room/3) + ")"
	}
	p.printf("%s%s%s\n", head, cut(shown(e, dir), room-len([]rune(why))), why)
}

func (p *printer) outcome(o journal.Outcome) string {
	text := fmt.Sprintf("%-15s", label(strings.ReplaceAll(o.String(), "_", " ")))
	switch {
	case o.Hit():
		return p.green(text)
	case o == journal.Failed, o == journal.FellBack:
		return p.red(text)
	case o.Miss():
		return p.yellow(text)
	default:
		return text
	}
}

// shown is what a call is about, seen from dir: its output, else its source,
// else its compiler.
func shown(e *journal.Entry, dir string) string {
	name := e.Output
	switch {
	case name != "":
	case e.Source != "":
		name = e.Source
	default:
		return filepath.Base(e.Compiler)
	}
	if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsAbs(name) && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return name
}
