package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/journal"
)

func (a *app) statsCommand() *cli.Command {
	return &cli.Command{
		Name: "stats", Usage: "show what the cache has done",
		Description: "The totals since the cache was made or they were last set to zero.\n" +
			"A miss is a compile that ran; its causes stand below, the dearest first.\n\n" +
			"rexwrap stats\nrexwrap stats --json | jq .hits_local\nrexwrap stats --zero",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "zero", Aliases: []string{"z"}, Usage: "set the totals to zero"},
		},
		Before: noArguments,
		Action: func(c *cli.Context) error {
			if c.Bool("zero") {
				return a.client().Zero(c.Context)
			}
			s, err := a.client().Stats(c.Context)
			if err != nil {
				return err
			}
			s.Warnings = a.headings(s.Warnings)
			if c.Bool("json") {
				return a.stdout.json(s)
			}
			a.stdout.stats(s)
			return nil
		},
	}
}

// headings are what a user must know before trusting the totals: what is wrong
// with the settings of this folder, and what the server says.
func (a *app) headings(server []string) []string {
	r := a.settings()
	list := append([]string{}, slices.Concat(r.Errors, server, r.Warnings)...) // never null in JSON
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(s string) bool {
		again := seen[s]
		seen[s] = true
		return again
	})
}

// maxRows bounds the rows of a list within a table.
const maxRows = 8

// stats lays the totals out as ccache users know them.
func (p *printer) stats(s *journal.Stats) {
	for _, w := range s.Warnings {
		p.printf("%s %s\n", p.yellow("warning:"), w)
	}
	hits := s.HitsLocal + s.HitsRemote + s.Merged
	compiles := hits + s.Misses
	p.line(0, "Compiles:", share(compiles, s.Calls))
	p.line(1, "Hits:", p.green(share(hits, compiles)))
	p.counts(2, "Local:", s.HitsLocal, "Remote:", s.HitsRemote, "Merged:", s.Merged)
	p.line(1, "Misses:", share(s.Misses, compiles))
	p.counts(2, "Run here:", s.ExecutedLocal, "Run remotely:", s.ExecutedRemote)
	p.causes(s.MissCauses)
	p.line(0, "Other calls:", share(s.Calls-compiles, s.Calls))
	p.counts(1, "Stepped aside:", s.SteppedAside, "Fell back:", s.FellBack, "Errors:", s.Errors)
	p.reasons(2, s.Reasons)
	if len(s.NotStored) > 0 {
		p.line(0, "Not stored:", "")
		p.reasons(2, s.NotStored)
	}
	p.crates(s.Crates)
	p.line(0, "Time avoided:", fmt.Sprintf("%8s", duration(s.TimeAvoided)))
	p.line(1, "Spent on misses:", fmt.Sprintf("%8s", duration(s.TimeSpent)))
	if s.VerifyRuns > 0 {
		p.line(0, "Verified hits:", fmt.Sprintf("%8d", s.VerifyRuns))
		p.line(1, "Different:", p.badCount(s.VerifyDifferences))
	}
	if len(s.Databases) > 0 {
		p.line(0, "Objects with a shared database:", "")
		p.reasons(2, s.Databases)
	}
	p.line(0, "Cache:", "")
	p.line(1, "Size:", sizeOfLimit(s.CacheSize, s.CacheLimit))
	p.line(1, "Results:", fmt.Sprintf("%8d", s.Entries))
	p.line(1, "Stored in all:", fmt.Sprintf("%8s", size(s.BytesStored)))
	if s.Dropped > 0 {
		p.line(1, "Records dropped:", fmt.Sprintf("%8d", s.Dropped))
	}
}

func (p *printer) badCount(n int64) string {
	text := fmt.Sprintf("%8d", n)
	if n > 0 {
		return p.red(text)
	}
	return text
}

// counts writes those of the pairs of label and count that are not zero, and
// the first one always.
func (p *printer) counts(depth int, pairs ...any) {
	for i := 0; i < len(pairs); i += 2 {
		if n := pairs[i+1].(int64); n > 0 || i == 0 {
			p.line(depth, pairs[i].(string), fmt.Sprintf("%8d", n))
		}
	}
}

func (p *printer) causes(causes []journal.CauseCount) {
	for i, c := range causes {
		if i == maxRows {
			p.printf("    and %s\n", plural(int64(len(causes)-i), "other cause"))
			return
		}
		p.line(2, label(c.Cause.String())+":", fmt.Sprintf("%8d   %s", c.Count, duration(c.Seconds)))
	}
}

// reasons lists the reasons with their counts in the column of all counts.
func (p *printer) reasons(depth int, reasons map[string]int64) {
	const column = 32
	ranked := ranked(reasons)
	for i, name := range ranked {
		if i == maxRows {
			p.printf("%*sand %s; --json lists all\n", 2*depth, "", plural(int64(len(ranked)-i), "other reason"))
			return
		}
		head := fmt.Sprintf("%*s%s: ", 2*depth, "", cutEnd(name, maxColumns/2))
		p.printf("%s%*d\n", head, max(1, column-len([]rune(head))), reasons[name])
	}
}

// crates lists the crates that were no hits, with the reason of each.
func (p *printer) crates(list []journal.CrateLine) {
	if len(list) == 0 {
		return
	}
	p.line(0, "Crates, no hits when last compiled:", "")
	for i, l := range list {
		if i == maxRows {
			p.printf("    and %s; --json lists all\n", plural(int64(len(list)-i), "other crate"))
			return
		}
		why := label(l.Why)
		if l.Arg != "" && l.Arg != l.Crate {
			why += ": " + l.Arg
		}
		p.printf("    %s  %s\n", cutEnd(l.Crate, maxColumns/2), cutEnd(why, maxColumns/2-8))
	}
}

// ranked returns the names in the order of their counts, the largest first.
func ranked(counts map[string]int64) []string {
	return slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})
}

// label spells a name of the journal for people: "first-compile" is "first
// compile".
func label(name string) string { return strings.ReplaceAll(name, "-", " ") }

func sizeOfLimit(n, limit int64) string {
	if limit <= 0 {
		return fmt.Sprintf("%8s", size(n))
	}
	return fmt.Sprintf("%8s / %s (%5.2f%%)", size(n), size(limit), 100*float64(n)/float64(limit))
}
