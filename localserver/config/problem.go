package config

import (
	"path/filepath"
	"strconv"
	"strings"
)

// A Problem is one thing wrong in a source. Its text names file and line, or
// the variable, and never holds a value.
type Problem struct {
	Origin Origin
	Key    string
	What   string
}

// Error returns "WHERE: KEY: WHAT".
func (p *Problem) Error() string {
	if p.Key == "" || p.Origin.Source == FromEnvironment {
		return p.Origin.String() + ": " + p.What
	}
	return p.Origin.String() + ": " + p.Key + " " + p.What
}

// Problems is the error of Loader.Load and its like: everything wrong in all
// sources, the strongest first. It is never empty.
type Problems []*Problem

// Error returns the problems, one a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "\n")
}

// position names a place in a file.
func position(file string, line int) string {
	if line == 0 {
		return filepath.Clean(file)
	}
	return filepath.Clean(file) + ":" + strconv.Itoa(line)
}
