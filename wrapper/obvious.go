package wrapper

import "strings"

// Reasons of calls that are run without asking the server.
const (
	reasonLink       = "link"
	reasonPreprocess = "preprocess"
	reasonQuery      = "query"
)

// obvious returns the reason why a call of program with args is surely no
// compile; it is empty where only the server can tell. Erring towards a reason
// costs a hit, never a wrong result: the compiler is run as it was called.
func obvious(program string, args []string) string {
	switch {
	case speaksRust(program):
		return obviousRust(args)
	case !speaksGNU(program):
		return ""
	}
	compiles, header, asks := false, false, false
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "@"):
			return ""
		case arg == "-E", arg == "-M", arg == "-MM":
			return reasonPreprocess
		case isQuery(arg):
			asks = true
		case isCompileMode(arg):
			compiles = true
		case arg == "-x":
			header = header || i+1 < len(args) && strings.HasSuffix(args[i+1], "header")
		case strings.HasPrefix(arg, "-x"):
			header = header || strings.HasSuffix(arg, "header")
		case isHeaderFile(arg):
			header = true
		}
	}
	switch {
	case asks:
		return reasonQuery
	case compiles, header:
		return ""
	}
	return reasonLink
}

// isCompileMode holds for what makes a driver stop before the linker.
func isCompileMode(arg string) bool {
	switch arg {
	case "-c", "-S", "-fsyntax-only", "--analyze", "--compile", "--assemble", "--syntax-only":
		return true
	}
	return false
}

// isQuery holds for what makes a driver answer instead of compiling, whatever
// else is asked of it.
func isQuery(arg string) bool {
	switch arg {
	case "--version", "-###", "--help", "--target-help",
		"-dumpversion", "-dumpfullversion", "-dumpmachine", "-dumpspecs":
		return true
	}
	for _, prefix := range []string{"-print-", "--print-", "--help="} {
		if strings.HasPrefix(arg, prefix) {
			return true
		}
	}
	return false
}

// isHeaderFile holds for an input of which a driver makes a precompiled header
// without being told to.
func isHeaderFile(arg string) bool {
	if strings.HasPrefix(arg, "-") {
		return false
	}
	switch extension(arg) {
	case "h", "H", "hh", "hp", "hpp", "hxx", "h++", "HPP", "tcc":
		return true
	}
	return false
}

// speaksGNU reports whether program is, by its name, a driver of gcc or clang:
// with a triple before it or a version after it.
func speaksGNU(program string) bool {
	name := strings.TrimSuffix(foldName(base(program)), ".exe")
	if i := strings.LastIndexByte(name, '-'); i > 0 && isVersion(name[i+1:]) {
		name = name[:i]
	}
	if i := strings.LastIndexByte(name, '-'); i > 0 {
		name = name[i+1:]
	}
	switch name {
	case "gcc", "g++", "cc", "c++", "clang", "clang++", "c89", "c99":
		return true
	}
	return false
}

func isVersion(s string) bool {
	for i := range len(s) {
		if (s[i] < '0' || s[i] > '9') && s[i] != '.' {
			return false
		}
	}
	return s != ""
}
