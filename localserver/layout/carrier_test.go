package layout

import (
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
)

// TestEveryCarrierIsKnown tries every option of the families' tables: one by
// which a path reaches the bytes must have a name in the table of proven classes,
// or a compile that has it beside a proven one would pass for proven.
func TestEveryCarrierIsKnown(t *testing.T) {
	for family, version := range families() {
		table := gcc.New().Table()
		var parser toolchains.Family = gcc.New()
		if family == "clang" {
			table, parser = clang.New().Table(), clang.New()
		}
		tc := &toolchains.Toolchain{Family: family, Program: "/usr/bin/" + family, Version: version, Target: "x86_64-linux-gnu"}
		carrying := 0
		for _, row := range table.Rows() {
			for _, words := range spelled(&row) {
				call := &toolchains.Call{Program: tc.Program, Argv: append([]string{family}, append(words, "-c", "x.c")...), Dir: "/"}
				c, err := parser.Parse(call, tc)
				if err != nil || c.Carries == 0 {
					continue
				}
				carrying++
				known := false
				for i := range c.Args {
					known = known || carrier(&c.Args[i]) != ""
				}
				if !known {
					t.Errorf("%s %q: paths reach the bytes by an option without a name", family, words)
				}
			}
		}
		if carrying < 20 {
			t.Errorf("%s: only %d options carry paths", family, carrying)
		}
	}
}

// spelled returns the ways to write an option, with values that the parsers take.
func spelled(row *argtable.Option) [][]string {
	var out [][]string
	if row.Forms.Has(argtable.AsFlag | argtable.AsFamily) {
		out = append(out, []string{row.Name})
	}
	for _, value := range []string{"1", "2", "4", "5", "address", "/etc/passwd", "trace-pc-guard", "yaml"} {
		if row.Forms.Has(argtable.AsJoined) {
			out = append(out, []string{row.Name + value})
		}
		if row.Forms.Has(argtable.AsSeparate) {
			out = append(out, []string{row.Name, value})
		}
	}
	return out
}
