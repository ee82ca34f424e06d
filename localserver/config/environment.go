package config

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// prefix starts the names of all our variables.
const prefix = "REXWRAP_"

// internal are variables of ours that are no settings.
func internal() []string {
	return []string{
		"REXWRAP_BUILD",          // the id that `rexwrap exec` gives its build
		"REXWRAP_CC",             // compiler of plain CC=rexwrap
		"REXWRAP_CL",             // what rexwrap as cl.exe stands for
		"REXWRAP_CXX",            // the same for C++
		"REXWRAP_GUARD",          // the wrappers above a process
		"REXWRAP_REXD",           // where the thin binary finds rexd
		"REXWRAP_SLOT",           // a compiler runs in a slot
		"REXWRAP_TEST_ALL_TOOLS", // tests: a missing tool is a failure
		"REXWRAP_TEST_LONG",      // tests: long runs
		"REXWRAP_TEST_WINE",      // tests: the binaries to run under Wine
		"REXWRAP_VERBOSE",        // the thin binary says why it runs a compiler by itself
	}
}

// applyEnvironment sets what the variables of env say in s. An empty variable
// says nothing. Unknown variables are no problem: see Unknown.
func applyEnvironment(s *Settings, env toolchains.Environ, dir, home string) Problems {
	var problems Problems
	for i := range s.table {
		f := &s.table[i]
		name := variable(f.key)
		text, ok := env.Lookup(name)
		if !ok || text == "" {
			continue
		}
		origin := Origin{Source: FromEnvironment, Variable: name}
		if err := f.set(s, value{text: text, env: true, base: dir, home: home}); err != nil {
			problems = append(problems, &Problem{Origin: origin, Key: f.key, What: err.Error()})
			continue
		}
		s.origins[i] = origin
	}
	return problems
}

// Unknown returns a line for every REXWRAP_ variable of env that means nothing,
// sorted. Such variables never change what a compile does.
func Unknown(env toolchains.Environ) []string {
	known := internal()
	for _, f := range newTable() {
		known = append(known, variable(f.key))
	}
	var lines []string
	for _, kv := range env {
		name, _, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, prefix) || slices.Contains(known, name) {
			continue
		}
		line := name + " means nothing"
		if near := nearest(name, known); near != "" {
			line += "; did you mean " + near + "?"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}
