package cpp

import (
	"slices"
	"strings"
)

// marks returns the identifiers that bring something about wherever they stand, and so
// do where "##" makes them of pieces; wordFlags knows what.
func marks() [12]string {
	return [...]string{
		"__FILE__", "__FILE_NAME__", "__BASE_FILE__",
		"__builtin_FILE", "__builtin_FILE_NAME", "__builtin_source_location",
		"__PRETTY_FUNCTION__", "__FUNCSIG__", "__LFUNCSIG__",
		"__DATE__", "__TIME__", "__TIMESTAMP__",
	}
}

// headFlags returns the flags of the marks that the word w can be the first piece of,
// where rest is what follows it: as the last word of a macro's argument or body.
//
// One or two underscores are no piece by themselves here, which many words are the
// rest of: only pastedFlags knows of them. Nor is a mark known that has its first
// piece from elsewhere, as from the name of a header.
//
// The names of signatures that only Microsoft's dialect has are no marks in others,
// where "__L" is a variable of a header that all read.
func headFlags(w []byte, rest string, mode lexMode) (f textFlags) {
	if len(w) < 3 || w[1] != '_' || strings.IndexByte("BDFLPTb", w[2]) < 0 {
		return 0
	}
	if rest = strings.TrimLeft(rest, " \t"); rest != "" && strings.IndexByte(",)\n\\/", rest[0]) < 0 {
		return 0
	}
	for _, m := range marks() {
		if mode&modeMicrosoft == 0 && strings.HasSuffix(m, "FUNCSIG__") {
			continue
		}
		if len(w) < len(m) && m[:len(w)] == string(w) {
			f |= wordFlags([]byte(m))
		}
	}
	return f
}

// pastedFlags returns the flags of the marks that a macro's body, all after the
// macro's name, can make with "##". What parameters stand for is not known.
func pastedFlags(body string) (f textFlags) {
	if !strings.Contains(body, "##") && !strings.Contains(body, "%:") {
		return 0
	}
	params := parameters(body)
	for i := 0; i < len(body); {
		if !isWordByte(body[i]) {
			i++
			continue
		}
		pieces, end := joined(body, i, params)
		if len(pieces) > 1 && (pieces[0] == "" || pieces[0][0] == '_') {
			f |= chainFlags(pieces)
		}
		i = end
	}
	return f
}

// parameters returns the words between the parentheses that body begins with.
func parameters(body string) []string {
	if body == "" || body[0] != '(' {
		return nil
	}
	list, _, _ := strings.Cut(body[1:], ")")
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// joined returns the words from i on that "##" joins, parameters as "", and where
// what is not joined begins.
func joined(body string, i int, params []string) (pieces []string, end int) {
	for {
		n := i
		for n < len(body) && isWordByte(body[n]) {
			n++
		}
		word := body[i:n]
		if slices.Contains(params, word) {
			word = ""
		}
		if pieces = append(pieces, word); n == i {
			return pieces[:len(pieces)-1], n
		}
		rest := strings.TrimLeft(body[n:], " \t")
		rest, ok := strings.CutPrefix(rest, "##")
		if !ok {
			if rest, ok = strings.CutPrefix(rest, "%:%:"); !ok {
				return pieces, n
			}
		}
		i = len(body) - len(strings.TrimLeft(rest, " \t"))
	}
}

// chainFlags returns the flags of the marks that pieces can become. What is all
// parameters and underscores is not said to become a date or a time.
func chainFlags(pieces []string) (f textFlags) {
	named := strings.Trim(strings.Join(pieces, ""), "_") != ""
	if pieces[0] == "" && !named {
		return 0
	}
	for _, m := range marks() {
		flags := wordFlags([]byte(m))
		if (named || flags&(textDate|textTime|textTimestamp) == 0) && becomes(pieces, m) {
			f |= flags
		}
	}
	return f
}

// becomes reports whether pieces, of which the empty ones stand for anything, can be
// name together.
func becomes(pieces []string, name string) bool {
	if len(pieces) == 0 {
		return name == ""
	}
	if pieces[0] != "" {
		rest, ok := strings.CutPrefix(name, pieces[0])
		return ok && becomes(pieces[1:], rest)
	}
	for i := range len(name) + 1 {
		if becomes(pieces[1:], name[i:]) {
			return true
		}
	}
	return false
}
