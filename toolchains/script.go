package toolchains

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ReasonScript is the reason for programs that are scripts; see Forwarded.
const ReasonScript = "compiler-is-script"

// maxScript bounds the scripts that are read.
const maxScript = 4096

// Forwarded returns the call that a script makes of call, where the script is the
// program of call and does nothing but pass its arguments on, behind some of its own,
// to a program that it names by its whole path; nil for every other script and program.
//
//	script    = "#!" shell [ " -e" ] LF { comment LF } exec [ LF { comment LF } ] ;
//	shell     = [ " " ] ( "/bin/" | "/usr/bin/" ) ( "sh" | "bash" | "dash" ) ;
//	comment   = blanks [ "#" text ] | "set -e" ;
//	exec      = "exec" path { word } arguments ;
//	arguments = `"$@"` | `${1+"$@"}` ;
//
// Path and word are letters, digits and characters that no shell takes for its own,
// bare or in quotes. A shell that starts with functions, options or a file of its
// own from the environment is asked nothing of.
func Forwarded(call *Call) *Call {
	if shellIsSetUp(call.Env) {
		return nil
	}
	text, err := readScript(call.Program)
	if err != nil {
		return nil
	}
	words := forwards(text)
	if words == nil {
		return nil
	}
	out := *call
	out.Program, out.Argv = words[0], append(words, call.Argv[min(1, len(call.Argv)):]...)
	return &out
}

// shellIsSetUp reports whether an environment changes what a script does before its
// first line.
func shellIsSetUp(env Environ) bool {
	return slices.ContainsFunc(env, func(kv string) bool {
		name := variableOf(kv)
		switch name {
		case "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "BASH_COMPAT", "BASH_XTRACEFD":
			return true
		}
		return strings.HasPrefix(name, "BASH_FUNC_")
	})
}

var errNoScript = errors.New("no short script")

func readScript(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if err == nil && (len(text) > maxScript || !strings.HasPrefix(string(text), "#!")) {
		err = errNoScript
	}
	return string(text), err
}

// forwards returns the words that a script puts before its arguments, the program
// first, nil for a script of another form.
func forwards(text string) []string {
	lines := strings.Split(text, "\n")
	if !isShell(strings.TrimPrefix(lines[0], "#!")) {
		return nil
	}
	var found []string
	for _, line := range lines[1:] {
		line = strings.Trim(line, " \t")
		switch {
		case line == "" || line[0] == '#':
		case found != nil:
			return nil // never reached, but then why is it there
		case line == "set -e":
		default:
			if found = execWords(line); found == nil {
				return nil
			}
		}
	}
	return found
}

func isShell(line string) bool {
	line = strings.TrimSuffix(strings.TrimPrefix(line, " "), " -e")
	dir, name := filepath.Split(line)
	return (dir == "/bin/" || dir == "/usr/bin/") && (name == "sh" || name == "bash" || name == "dash")
}

// execWords are the words between exec and the script's arguments.
func execWords(line string) []string {
	line, ok := strings.CutPrefix(line, "exec ")
	if !ok {
		return nil
	}
	rest, ok := strings.CutSuffix(line, ` "$@"`)
	if !ok {
		if rest, ok = strings.CutSuffix(line, ` ${1+"$@"}`); !ok {
			return nil
		}
	}
	words := strings.Fields(rest)
	for i, word := range words {
		if len(word) > 1 && (word[0] == '"' || word[0] == '\'') && word[len(word)-1] == word[0] {
			word = word[1 : len(word)-1]
		}
		if word == "" || strings.ContainsFunc(word, func(c rune) bool { return !isPlain(c) }) {
			return nil
		}
		words[i] = word
	}
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return nil
	}
	return words
}

// isPlain reports whether a character means itself to every shell, wherever it stands
// in a word.
func isPlain(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./+=:,@%", c)
}
