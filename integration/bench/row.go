//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A Row is one measurement beside its target.
type Row struct {
	Name string `json:"name"`
	// Over names what Base measured; empty where the row stands alone.
	Over     string    `json:"over,omitempty"`
	Unit     string    `json:"unit"`
	Ours     Figures   `json:"ours"`
	Base     *Figures  `json:"base,omitempty"`
	Verdicts []Verdict `json:"verdicts"`
	// Note is what else a reader should know.
	Note string `json:"note,omitempty"`
}

// Figures are what one side took, in the row's unit.
type Figures struct {
	Wall    float64 `json:"wall"`
	WallP99 float64 `json:"wall_p99,omitempty"`
	CPU     float64 `json:"cpu,omitempty"`
	CPUP99  float64 `json:"cpu_p99,omitempty"`
	// Server is the share of CPU and CPUP99 that the server used.
	Server float64 `json:"server,omitempty"`
	Runs   int     `json:"runs"`
}

// A Verdict compares one figure with what it should not exceed.
type Verdict struct {
	Of     string  `json:"of"`     // what is compared: wall, cpu, p99/median, rss
	As     string  `json:"as"`     // how: ratio, difference, value
	Value  float64 `json:"value"`  // in the row's unit unless a ratio
	Target float64 `json:"target"` // 0: none, for information
	OK     bool    `json:"ok"`
}

func judge(of, as string, value, target float64) Verdict {
	return Verdict{Of: of, As: as, Value: value, Target: target, OK: target == 0 || value <= target}
}

// ratio compares ours with base by wall and CPU time.
func ratio(name, over string, ours, base Figures, target float64) Row {
	return Row{Name: name, Over: over, Unit: "ms", Ours: ours, Base: &base, Verdicts: []Verdict{
		judge("cpu", "ratio", ours.CPU/base.CPU, target),
		judge("wall", "ratio", ours.Wall/base.Wall, target),
	}}
}

// difference says how much longer ours takes.
func difference(name, over string, ours, base Figures, target float64) Row {
	return Row{Name: name, Over: over, Unit: "ms", Ours: ours, Base: &base, Verdicts: []Verdict{
		judge("cpu", "difference", ours.CPU-base.CPU, target),
		judge("wall", "difference", ours.Wall-base.Wall, target),
	}}
}

// String gives the verdict as the table shows it.
func (v Verdict) String() string {
	format := map[string]string{"ratio": "%s ×%.2f", "difference": "%s %+.2f", "value": "%s %.0f"}[v.As]
	value := fmt.Sprintf(format, v.Of, v.Value)
	switch {
	case v.Target == 0:
		return value
	case v.OK:
		return fmt.Sprintf("%s ≤ %.4g ok", value, v.Target)
	default:
		return fmt.Sprintf("%s > %.4g MISS", value, v.Target)
	}
}

// String gives median and p99 of CPU and of wall time.
func (f Figures) String() string {
	if f.WallP99 == 0 {
		return fmt.Sprintf("%.2f / %.2f", f.CPU, f.Wall)
	}
	return fmt.Sprintf("%.2f (%.2f) / %.2f (%.2f)", f.CPU, f.CPUP99, f.Wall, f.WallP99)
}

// printTable prints one line per row, and what was said about the run.
func printTable(w io.Writer, rows []Row, remark string) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "what\tover\tCPU / wall, median (p99)\tthe other's\trexd's CPU\tresult")
	for _, r := range rows {
		base := "-"
		if r.Base != nil {
			base = r.Base.String()
		}
		ours, server := fmt.Sprintf("%s %s", r.Ours, r.Unit), fmt.Sprintf("%.2f", r.Ours.Server)
		if r.Unit == "MB" {
			ours, server = fmt.Sprintf("%.0f MB", r.Ours.Wall), "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Over, ours, base, server, r.results())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w, remark)
	return err
}

func (r *Row) results() string {
	var words []string
	for _, v := range r.Verdicts {
		words = append(words, v.String())
	}
	if r.Note != "" {
		words = append(words, r.Note)
	}
	return strings.Join(words, "; ")
}
