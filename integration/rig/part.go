//go:build linux

package rig

import "os"

// Long reports whether tests may take the time for all of their tables, as
// REXWRAP_TEST_LONG=1 says; else they take a part of some.
func Long() bool { return os.Getenv("REXWRAP_TEST_LONG") != "" }

// A Part is what a test takes of a table in one run.
type Part int

// Takes reports whether row n is to be run: every p-th, or, of a Long run, all.
func (p Part) Takes(n int) bool { return n%int(p) == 0 || Long() }
