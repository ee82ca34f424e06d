package trace

import (
	"errors"
	"slices"
	"strconv"
)

// A Plan says what is to be traced. Its words are
//
//	REPORT DEPINFO NUMBER FOLDER... PROGRAM ARGV...
type Plan struct {
	// Report is where the report goes: a file that does not exist.
	Report string
	// DepInfo is the file that the compiler writes when all is expanded.
	DepInfo string
	// Folders hold the libraries of macros.
	Folders []string
	// Program is run with Argv.
	Program string
	Argv    []string
}

func (p *Plan) words() []string {
	return slices.Concat([]string{p.Report, p.DepInfo, strconv.Itoa(len(p.Folders))}, p.Folders, []string{p.Program}, p.Argv)
}

var errWords = errors.New("too few words")

func planOf(words []string) (*Plan, error) {
	if len(words) < 3 {
		return nil, errWords
	}
	n, err := strconv.Atoi(words[2])
	if err != nil || n < 0 || len(words) < 3+n+2 {
		return nil, errWords
	}
	rest := words[3+n:]
	return &Plan{Report: words[0], DepInfo: words[1], Folders: words[3 : 3+n], Program: rest[0], Argv: rest[1:]}, nil
}
