package gnu

import (
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A Dialect is how one family's command lines are read.
type Dialect struct {
	Table *argtable.Table
	// DropsEmpty is set for compilers that lose empty words of response
	// files.
	DropsEmpty bool
	// Language returns the language of files with a suffix (".c"), empty
	// for what goes to the linker.
	Language func(suffix string) string
}

// A Line is an argument list taken apart, with those meanings that both
// families share.
type Line struct {
	Args []toolchains.Arg
	// Names are the canonical names of Args' options, empty for positional
	// arguments.
	Names    []string
	Expanded bool
	Sources  []Source
	// Output is the value of -o, empty for none.
	Output string
	Deps   Deps
	// C, S, SyntaxOnly and Analyze are set by -c, -S, -fsyntax-only and
	// --analyze.
	C, S, SyntaxOnly, Analyze bool
	// Debug is set when debug information is asked for: the last of the -g
	// options counts.
	Debug bool

	lang    string
	outputs int
	aside   error
	action  error // an aside that says what the call does instead
}

// A Source is a positional argument.
type Source struct {
	Path string
	// Lang is the language that -x gives it, empty for none.
	Lang string
}

// maxResponseFile bounds what is read of one response file, in bytes.
const maxResponseFile = 32 << 20

// Read takes the argument list of call apart. It fails, with an
// *toolchains.UnsupportedError, only where the rest of the list has no meaning;
// other reasons to step aside are kept for Compile.
func (d *Dialect) Read(call *toolchains.Call) (*Line, error) {
	if len(call.Argv) < 2 {
		return nil, toolchains.Unsupported(ReasonNoSource, "")
	}
	x := argtable.Expander{DropsEmpty: d.DropsEmpty, ReadFile: func(name string) ([]byte, error) {
		return readRegular(call.Abs(name))
	}}
	words, expanded, err := x.Expand(call.Argv[1:])
	if err != nil {
		return nil, responseError(err)
	}
	l := &Line{
		Args: make([]toolchains.Arg, 0, len(words)), Names: make([]string, 0, len(words)),
		Expanded: expanded,
	}
	return l, l.read(d.Table, words)
}

func responseError(err error) error {
	var re *argtable.ResponseError
	if errors.As(err, &re) {
		return toolchains.Unsupported(ReasonResponseFile, re.Name)
	}
	return toolchains.Unsupported(ReasonResponseFile, "")
}

// readRegular reads a regular file: reading a pipe would take its content from
// the compiler.
func readRegular(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxResponseFile {
		return nil, fs.ErrInvalid
	}
	return os.ReadFile(path)
}

func (l *Line) read(table *argtable.Table, words []string) error {
	positional := false
	for i := 0; i < len(words); i++ {
		word := words[i]
		if positional || len(word) < 2 || word[0] != '-' {
			l.positional(word)
			continue
		}
		m, ok := table.Lookup(word)
		if !ok {
			l.Aside(ReasonUnknownArgument, word)
			l.add("", toolchains.Arg{Value: word})
			continue
		}
		if m.Form == argtable.Separate {
			if i++; i == len(words) {
				return toolchains.Unsupported(ReasonMissingArgument, word)
			}
			m.Value = words[i]
		}
		positional = m.Name == "--"
		l.option(&m, word)
	}
	return nil
}

func (l *Line) add(name string, a toolchains.Arg) {
	l.Args = append(l.Args, a)
	l.Names = append(l.Names, name)
}

// Aside keeps a reason to step aside. The first one counts, but one that says
// what the call does instead of compiling comes before all others.
func (l *Line) Aside(reason, arg string) {
	switch reason {
	case ReasonPreprocessOnly, ReasonDependenciesOnly, ReasonInformation, ReasonOtherOutput:
		if l.action == nil {
			l.action = toolchains.Unsupported(reason, arg)
		}
	default:
		if l.aside == nil {
			l.aside = toolchains.Unsupported(reason, arg)
		}
	}
}

func (l *Line) positional(word string) {
	switch {
	case word == "":
		l.Aside(ReasonEmptyArgument, "")
	case IsStream(word):
		l.Aside(ReasonStdin, word)
	}
	lang := l.lang
	if lang == "none" {
		lang = ""
	}
	l.Sources = append(l.Sources, Source{word, lang})
	l.add("", toolchains.Arg{Value: word, Form: argtable.Joined, Class: argtable.Source | argtable.Path})
}

func (l *Line) option(m *argtable.Match, word string) {
	a := toolchains.Arg{Option: m.Name, Value: m.Value, Form: m.Form, Class: m.Option.Class}
	name := Canonical(m.Name)
	if name == passedDefine || name == passedUndefine {
		a.Option, a.Value = passed, word[len(passed):]
	}
	if m.Option.Class.Has(argtable.Aside) {
		l.Aside(m.Option.Reason, word)
	} else {
		l.mean(name, &a)
	}
	l.add(name, a)
}

func (l *Line) mean(name string, a *toolchains.Arg) {
	switch {
	case l.Deps.option(name, a.Value):
	case a.Class.Has(argtable.Debug):
		l.debug(name, a.Value)
	default:
		l.common(name, a)
	}
}

func (l *Line) common(name string, a *toolchains.Arg) {
	switch name {
	case "-c":
		l.C = true
	case "-S":
		l.S = true
	case "-fsyntax-only":
		l.SyntaxOnly = true
	case "--analyze":
		l.Analyze = true
	case "-o":
		l.output(a.Value)
	case "-x":
		l.lang = Normal(a.Value)
	case "-I":
		if a.Value == "-" {
			l.Aside(ReasonSplitSearch, "-I-")
		}
	case "-march=", "-mtune=", "-mcpu=":
		if strings.Contains(a.Value, "native") {
			a.Class |= argtable.LocalOnly
		}
	case passedDefine, passedUndefine:
		for word := range strings.SplitSeq(a.Value, ",") {
			if len(word) < 3 || word[:2] != "-D" && word[:2] != "-U" {
				l.Aside(ReasonPreprocessorOpt, a.Option+a.Value)
			}
		}
	}
}

func (l *Line) output(value string) {
	l.Output = value
	l.outputs++
	if l.outputs > 1 {
		l.Aside(ReasonSeveralOutputs, "-o "+value)
	}
	if value == "" || IsStream(value) {
		l.Aside(ReasonOutputToStdout, value)
	}
}

// debug keeps Debug for one option of debug information. A word that starts
// with -g and is no known option steps aside.
func (l *Line) debug(name, value string) {
	switch name {
	case "-g", "-ggdb", "-gstabs", "-gstabs+", "-gcoff", "-gxcoff", "-gxcoff+", "-gvms", "-gctf", "-gbtf", "-gcodeview":
		if len(value) > 1 || value != "" && (value[0] < '0' || value[0] > '3') {
			l.Aside(ReasonUnknownArgument, name+value)
			return
		}
		l.Debug = value != "0"
	case "-gdwarf", "-gdwarf-", "-gdwarf32", "-gdwarf64", "-glldb", "-gsce", "-gdbx", "-gfull", "-gused", "-gmlt",
		"-gline-tables-only", "-gline-directives-only":
		l.Debug = true
	}
}

// Compile returns what the line compiles: mode, language and source, with the
// other fields that need no knowledge of the family. Errors are
// *toolchains.UnsupportedError.
func (l *Line) Compile(d *Dialect, call *toolchains.Call, tc *toolchains.Toolchain) (*toolchains.Compile, error) {
	c := &toolchains.Compile{Call: call, Toolchain: tc, Args: l.Args, Expanded: l.Expanded}
	lang, linkerInput := l.language(d, tc)
	switch {
	case l.action != nil:
		return nil, l.action
	case len(l.Sources) == 0 && l.aside != nil:
		return nil, l.aside
	case len(l.Sources) == 0:
		return nil, toolchains.Unsupported(ReasonNoSource, "")
	case !l.C && !l.S && !l.SyntaxOnly && !l.Analyze && !IsHeader(lang):
		return nil, toolchains.Unsupported(ReasonLink, "")
	case l.aside != nil:
		return nil, l.aside
	case linkerInput != "":
		return nil, toolchains.Unsupported(ReasonLinkerInput, linkerInput)
	case len(l.Sources) > 1:
		return nil, toolchains.Unsupported(ReasonSeveralSources, l.Sources[1].Path)
	case !IsCompiled(lang):
		return nil, toolchains.Unsupported(ReasonOtherLanguage, l.Sources[0].Path)
	}
	c.Source, c.Language, c.Mode = l.Sources[0].Path, lang, l.mode(lang)
	if c.Mode == toolchains.Assembly && IsHeader(lang) || c.Mode != toolchains.Object && IsAssembler(lang) {
		return nil, toolchains.Unsupported(ReasonOutputName, c.Source)
	}
	return c, nil
}

func (l *Line) mode(lang string) toolchains.Mode {
	switch {
	case l.SyntaxOnly || l.Analyze:
		return toolchains.SyntaxOnly
	case l.S:
		return toolchains.Assembly
	case IsHeader(lang):
		return toolchains.Precompile
	}
	return toolchains.Object
}

// language returns the language of the first source and the first source that
// goes to the linker.
func (l *Line) language(d *Dialect, tc *toolchains.Toolchain) (lang, linkerInput string) {
	for i := len(l.Sources) - 1; i >= 0; i-- {
		s := &l.Sources[i]
		lang = s.Lang
		if lang == "" {
			lang = d.Language(Suffix(s.Path))
			if tc.CPlusPlus {
				lang = CPlusPlus(lang)
			}
		}
		if lang == "" {
			linkerInput = s.Path
		}
	}
	return lang, linkerInput
}
