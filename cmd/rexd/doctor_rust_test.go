//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestDoctorRust checks what is said of cargo, by the environment of the build.
func TestDoctorRust(t *testing.T) {
	for _, tt := range []struct {
		env         []string
		check, text string
		hint        string
	}{
		{nil, "cargo", "RUSTC_WRAPPER is not set", "after one cargo clean"},
		{nil, "cargo profile", "compiled incrementally, which cannot be", "CARGO_INCREMENTAL=0"},
		{[]string{"RUSTC_WRAPPER=/x/rexwrap"}, "cargo", "RUSTC_WRAPPER is /x/rexwrap", ""},
		{[]string{"RUSTC_WRAPPER=rexwrap"}, "build scripts", "are not cached", `CC="rexwrap cc"`},
		{[]string{"CARGO_INCREMENTAL=0"}, "cargo profile", "all crates are cached in every profile", ""},
		{nil, "cargo macros", "what procedural macros read", ""},
		{[]string{"REXWRAP_RUST_INCREMENTAL=drop"}, "cargo profile", "none is compiled incrementally", ""},
	} {
		m := newMachine(t, &fake{})
		script(t, m.in("one/cargo"), "")
		m.env = m.env.With(tt.env...)
		found := m.examine(t.Context()).find(tt.check)
		if len(found) != 1 || found[0].Status != fine || !strings.Contains(found[0].Text, tt.text) || !strings.Contains(found[0].Hint, tt.hint) {
			t.Errorf("%q: %+v, want %s: %s", tt.env, found, tt.check, tt.text)
		}
	}
	m := newMachine(t, &fake{})
	m.env = m.env.With("PATH=" + m.in("bin"))
	if found := m.examine(t.Context()).find("cargo"); len(found) != 0 {
		t.Errorf("without cargo: %+v", found)
	}
	script(t, m.in("bin/cargo"), "")
	m.env = m.env.With("RUSTC_WRAPPER=rexwrap", "CC=rexwrap cc")
	if found := m.examine(t.Context()).find("build scripts"); len(found) != 0 {
		t.Errorf("with CC: %+v", found)
	}
}
