package msvc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// words returns the arguments of call in the order in which the compiler sees them: those
// of CL, its own with response files expanded, those of _CL_. In the variables "#" stands
// for "=", the first one of each word.
func (f *Family) words(call *toolchains.Call) (words []string, expanded bool, err error) {
	before, err := variable(call.Env, "CL")
	if err != nil {
		return nil, false, err
	}
	after, err := variable(call.Env, "_CL_")
	if err != nil {
		return nil, false, err
	}
	words = append(append(before, call.Argv[1:]...), after...)
	x := argtable.Expander{Quoting: argtable.Windows, ReadFile: func(name string) ([]byte, error) {
		return f.readResponse(call.Abs(name))
	}}
	words, any, err := x.Expand(words)
	if err != nil {
		var re *argtable.ResponseError
		if errors.As(err, &re) {
			return nil, false, toolchains.Unsupported(gnu.ReasonResponseFile, re.Name)
		}
		return nil, false, toolchains.Unsupported(gnu.ReasonResponseFile, "")
	}
	return words, any || len(before)+len(after) > 0, nil
}

func variable(env toolchains.Environ, name string) ([]string, error) {
	words, err := argtable.Windows.Split(env.Value(name))
	if err != nil {
		return nil, toolchains.Unsupported(gnu.ReasonEnvOptions, name)
	}
	for i, word := range words {
		if strings.HasPrefix(word, "@") { // clang-cl does not expand it
			return nil, toolchains.Unsupported(gnu.ReasonResponseFile, word)
		}
		words[i] = strings.Replace(word, "#", "=", 1)
	}
	return words, nil
}

// maxResponseFile bounds what is read of one response file, in bytes.
const maxResponseFile = 32 << 20

// readResponse returns the text of a response file as UTF-8. cl.exe expands a file within
// a file not at all, so that such files are an error.
func (f *Family) readResponse(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxResponseFile {
		return nil, fs.ErrInvalid
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	text, err := decode(data, f.clang)
	if err != nil {
		return nil, err
	}
	words, err := argtable.Windows.Split(string(text))
	for _, word := range words {
		if strings.HasPrefix(word, "@") {
			return nil, errors.New("response file within a response file")
		}
	}
	return text, err
}

var errEncoding = errors.New("text of an unknown encoding")

// decode returns text as UTF-8. Without a byte order mark it is in the system's code page,
// of which only ASCII is known, or always in UTF-8.
func decode(data []byte, utf8Always bool) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}):
		return decodeUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		return decodeUTF16(data[2:], binary.BigEndian)
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data, utf8Always = data[3:], true
	}
	for _, c := range data {
		if c == 0 || c >= 0x80 && !utf8Always {
			return nil, errEncoding
		}
	}
	if !utf8.Valid(data) {
		return nil, errEncoding
	}
	return data, nil
}

func decodeUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	if len(data)%2 != 0 {
		return nil, errEncoding
	}
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	text := string(utf16.Decode(units))
	if strings.ContainsRune(text, utf8.RuneError) || strings.ContainsRune(text, 0) {
		return nil, errEncoding
	}
	return []byte(text), nil
}

// Name returns the name that the option tables have for an option as it stands in an
// argument: with a dash.
func Name(spelled string) string {
	if strings.HasPrefix(spelled, "/") {
		return "-" + spelled[1:]
	}
	return spelled
}

// A line is an argument list taken apart.
type line struct {
	family  *Family
	args    []toolchains.Arg
	names   []string // canonical names of args' options, empty for positional ones
	sources []positional
	forced  string // the language that /TC or /TP gives all sources
	aside   error  // the first reason to step aside
	action  error  // one that says what the call does instead
}

// A positional is a source, or something for the linker.
type positional struct {
	arg  int    // its number in args
	lang string // that /Tc or /Tp gives it
}

func (l *line) setAside(reason, arg string) {
	switch reason {
	case gnu.ReasonPreprocessOnly, gnu.ReasonInformation, gnu.ReasonOtherOutput:
		if l.action == nil {
			l.action = toolchains.Unsupported(reason, arg)
		}
	}
	if l.aside == nil {
		l.aside = toolchains.Unsupported(reason, arg)
	}
}

// read takes words apart. An error is one behind which words have no meaning.
func (l *line) read(words []string) error {
	for i := 0; i < len(words); i++ {
		word := words[i]
		if !isOption(word) {
			l.positional(word, "")
			continue
		}
		m, ok := l.family.lookup(word)
		if !ok {
			l.unknown(word)
			continue
		}
		if m.Form == argtable.Separate {
			if i++; i == len(words) {
				return toolchains.Unsupported(gnu.ReasonMissingArgument, word)
			}
			m.Value = words[i]
		}
		switch m.Name {
		case "-link": // the rest is the linker's
			l.add("-link", toolchains.Arg{Option: word, Form: argtable.Flag, Class: linker})
			for _, rest := range words[i+1:] {
				l.add("", toolchains.Arg{Value: rest, Form: argtable.Joined, Class: linker})
			}
			return nil
		case "--":
			l.add("--", toolchains.Arg{Option: word, Form: argtable.Flag, Class: codegen})
			for _, rest := range words[i+1:] {
				l.positional(rest, "")
			}
			return nil
		}
		l.option(&m, word)
	}
	return nil
}

func isOption(word string) bool { return len(word) > 1 && (word[0] == '-' || word[0] == '/') }

// unknown takes a word that no row knows. clang-cl takes one that begins with a slash for
// a path.
func (l *line) unknown(word string) {
	if l.family.clang && word[0] == '/' && strings.ContainsRune(word[1:], '/') {
		l.positional(word, "")
		return
	}
	l.setAside(gnu.ReasonUnknownArgument, word)
	l.add("", toolchains.Arg{Value: word})
}

func (l *line) add(name string, a toolchains.Arg) {
	l.args = append(l.args, a)
	l.names = append(l.names, name)
}

func (l *line) positional(word, lang string) {
	switch word {
	case "":
		l.setAside(gnu.ReasonEmptyArgument, "")
	case "-":
		l.setAside(gnu.ReasonStdin, word)
	}
	l.sources = append(l.sources, positional{len(l.args), lang})
	l.add("", toolchains.Arg{Value: word, Form: argtable.Joined, Class: source | path})
}

func (l *line) option(m *argtable.Match, word string) {
	// The spelling stays: messages repeat it.
	a := toolchains.Arg{Option: word[:1] + m.Name[1:], Value: m.Value, Form: m.Form, Class: m.Option.Class}
	if a.Class.Has(aside) {
		l.setAside(m.Option.Reason, word)
	}
	switch m.Name {
	case "-Tc":
		l.sources = append(l.sources, positional{len(l.args), langC})
	case "-Tp":
		l.sources = append(l.sources, positional{len(l.args), langCPlusPlus})
	case "-TC":
		l.forced = langC
	case "-TP":
		l.forced = langCPlusPlus
	}
	l.add(m.Name, a)
}

const (
	langC         = "c"
	langCPlusPlus = "c++"
)

// language returns the language of a source, empty for what goes to the linker.
func (l *line) language(p positional) string {
	switch {
	case p.lang != "":
		return p.lang
	case l.forced != "":
		return l.forced
	}
	switch ext := filepath.Ext(l.args[p.arg].Value); strings.ToLower(ext) {
	case ".c":
		return langC
	case ".cpp", ".cxx", ".cc":
		return langCPlusPlus
	case ".c++", ".cp":
		if l.family.clang {
			return langCPlusPlus
		}
	}
	return ""
}
