package gnu

import (
	"iter"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// Canonical returns the short spelling of an option that has several:
// "-I" for "--include-directory=". Others are returned as they are.
func Canonical(option string) string {
	if strings.HasPrefix(option, "--") {
		return long(option)
	}
	switch option {
	case "-coverage":
		return "--coverage"
	case "-serialize-diagnostics":
		return "--serialize-diagnostics"
	case "-target":
		return "--target="
	case "-resource-dir=":
		return "-resource-dir"
	}
	return option
}

func long(option string) string {
	switch option {
	case "--include-directory", "--include-directory=":
		return "-I"
	case "--include-directory-after", "--include-directory-after=":
		return "-idirafter"
	case "--include", "--include=":
		return "-include"
	case "--imacros", "--imacros=":
		return "-imacros"
	case "--include-prefix", "--include-prefix=":
		return "-iprefix"
	case "--include-with-prefix", "--include-with-prefix=", "--include-with-prefix-after", "--include-with-prefix-after=":
		return "-iwithprefix"
	case "--include-with-prefix-before", "--include-with-prefix-before=":
		return "-iwithprefixbefore"
	case "--define-macro", "--define-macro=":
		return "-D"
	case "--undefine-macro", "--undefine-macro=":
		return "-U"
	case "--assert", "--assert=":
		return "-A"
	case "--no-standard-includes":
		return "-nostdinc"
	case "--sysroot":
		return "--sysroot="
	case "--prefix", "--prefix=":
		return "-B"
	case "--std", "--std=":
		return "-std="
	case "--stdlib", "--stdlib=":
		return "-stdlib="
	case "--ansi", "--trigraphs", "--traditional-cpp", "--pedantic", "--pedantic-errors", "--pipe":
		return option[1:]
	case "--output", "--output=":
		return "-o"
	case "--language", "--language=":
		return "-x"
	case "--compile":
		return "-c"
	case "--assemble":
		return "-S"
	case "--write-dependencies":
		return "-MD"
	case "--write-user-dependencies":
		return "-MMD"
	case "--debug", "--debug=":
		return "-g"
	case "--optimize", "--optimize=":
		return "-O"
	case "--profile":
		return "-p"
	case "--param=":
		return "--param"
	case "--specs=":
		return "-specs="
	case "--config=":
		return "--config"
	}
	return option
}

// Options yields the options of a parsed call, positional arguments left out,
// as canonical name and value, in the order in which the preprocessor sees
// them. Names are the tables' short spellings, with a value's "=" where it
// belongs to the name: "-I", "-D", "-isystem", "-include", "-std=",
// "--sysroot=", "-march=", "-fno-builtin", "-O" (value "2"), "-x". What stands
// behind -Wp, comes after everything else, as compilers pass it on ("-Wp,-DX"
// is "-D", "X"); after that come the words behind -Xclang, an option with its
// value (for those of TakesWord).
func Options(args []toolchains.Arg) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		late := false
		for i := range args {
			a := &args[i]
			switch {
			case a.Option == "" || a.Option == "--":
			case isLate(a.Option):
				late = true
			case !yield(Canonical(a.Option), a.Value):
				return
			}
		}
		if late && passThrough(args, yield) {
			innerOptions(args, yield)
		}
	}
}

// Macros for the preprocessor stand in Args as option "-Wp," with the rest as
// value ("-DX,-UY"); its dependency options are options of their own
// ("-Wp,-MD,").
const (
	passed         = "-Wp,"
	passedDefine   = "-Wp,-D"
	passedUndefine = "-Wp,-U"
)

func isLate(option string) bool {
	return option == "-Xclang" || option == "-Xclang=" || strings.HasPrefix(option, passed)
}

func passThrough(args []toolchains.Arg, yield func(name, value string) bool) bool {
	for i := range args {
		a := &args[i]
		if a.Option != passed {
			name, ok := strings.CutPrefix(a.Option, passed)
			if ok && !yield(strings.TrimSuffix(name, ","), a.Value) {
				return false
			}
			continue
		}
		for word := range strings.SplitSeq(a.Value, ",") { // -D and -U only
			if !yield(word[:2], word[2:]) {
				return false
			}
		}
	}
	return true
}

func innerOptions(args []toolchains.Arg, yield func(name, value string) bool) {
	pending := ""
	for i := range args {
		word := args[i].Value
		switch {
		case args[i].Option != "-Xclang" && args[i].Option != "-Xclang=":
		case pending != "":
			if !yield(pending, word) {
				return
			}
			pending = ""
		case TakesWord(word):
			pending = word
		default:
			if name, value := splitInner(word); !yield(name, value) {
				return
			}
		}
	}
}

// TakesWord reports whether an option of clang's inner compiler, as it stands
// behind -Xclang, has its value behind the next -Xclang. Only options that
// clang.Family lets pass are considered.
func TakesWord(word string) bool {
	switch word {
	case "-include", "-include-pch", "-target-feature", "-target-cpu", "-mllvm", "-load", "-add-plugin":
		return true
	}
	return strings.HasPrefix(word, "-plugin-arg-")
}

func splitInner(word string) (name, value string) {
	if strings.HasPrefix(word, "-D") || strings.HasPrefix(word, "-U") || strings.HasPrefix(word, "-O") {
		return word[:2], word[2:]
	}
	if i := strings.IndexByte(word, '='); i >= 0 {
		return word[:i+1], word[i+1:]
	}
	return word, ""
}
