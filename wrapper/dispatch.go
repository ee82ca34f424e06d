package wrapper

import "strings"

// A meaning is what a command line of ours asks for.
type meaning int

const (
	meansUsage    meaning = iota // nothing: explain
	meansManage                  // a verb: rexd's
	meansCompile                 // rexwrap COMPILER ARGUMENTS…
	meansPlain                   // rexwrap ARGUMENTS…, as CC=rexwrap gives it
	meansDisguise                // COMPILER ARGUMENTS…, rexwrap being COMPILER
)

// dispatch says what argv means, and returns the words after our own name. A
// doubled wrapper ("rexwrap rexwrap gcc") counts once.
func dispatch(argv []string) (meaning, []string) {
	if len(argv) == 0 {
		return meansUsage, nil
	}
	if !isOurName(argv[0]) {
		return meansDisguise, argv
	}
	words := argv[1:]
	for len(words) > 0 && isOurName(words[0]) {
		words = words[1:]
	}
	switch {
	case len(words) == 0:
		return meansUsage, nil
	case isVerb(words[0]), len(words) == 1 && isLoneOption(words[0]):
		return meansManage, words
	case isOption(words[0]), strings.HasPrefix(words[0], "@"), isInput(words[0]):
		return meansPlain, words
	}
	return meansCompile, words
}

func isOurName(path string) bool {
	return strings.TrimSuffix(foldName(base(path)), ".exe") == "rexwrap"
}

// isVerb holds for the names of rexd's verbs. The list is closed: a compiler
// of such a name has to be given by its path.
func isVerb(word string) bool {
	switch word {
	case "exec", "stats", "explain", "log", "config", "doctor", "links", "server", "cache", "scan",
		"action", "session", "toolchain", "help", "version", "completion":
		return true
	}
	return false
}

// isLoneOption holds for what means a verb only where it stands alone, because
// compilers know it too: ccache's and sccache's spellings among them.
func isLoneOption(word string) bool {
	switch word {
	case "--help", "-h", "--version", "-V", "-s", "--show-stats", "-z", "--zero-stats",
		"-C", "--clear", "--start-server", "--stop-server":
		return true
	}
	return false
}

// isInput holds for the inputs that people put first ("cc x.c -o x"). No
// compiler is called so.
func isInput(word string) bool {
	switch extension(word) {
	case "c", "i", "m", "mi", "s", "S", "sx", "o", "a":
		return true
	}
	return isCPlusPlusFile(word)
}

// base returns what follows the last separator of path.
func base(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if isSeparator(path[i]) {
			return path[i+1:]
		}
	}
	return path
}
