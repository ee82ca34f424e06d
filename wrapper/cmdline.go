package wrapper

import "strings"

// commandLine returns the command line of a program that gets argv. What argv has
// at its end in common with own, the arguments of this process, is taken from raw,
// its command line, as it stands there: some programs split their command line by
// rules of their own, and quotes that mean the same to us may not to them. Before
// that, arguments are quoted by escape.
func commandLine(argv, own []string, raw string, escape func(string) string) string {
	common := 0
	for common < min(len(argv), len(own)-1) && argv[len(argv)-1-common] == own[len(own)-1-common] {
		common++
	}
	rest, ok := dropArguments(raw, len(own)-common)
	if !ok {
		common, rest = 0, ""
	}
	var line strings.Builder
	for i, arg := range argv[:len(argv)-common] {
		if i > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(escape(arg))
	}
	if rest != "" && line.Len() > 0 {
		line.WriteByte(' ')
	}
	line.WriteString(rest)
	return line.String()
}

// dropArguments returns raw without its first n arguments and the blanks behind
// them; ok is not set where it has fewer.
func dropArguments(raw string, n int) (rest string, ok bool) {
	for i := range n {
		if raw = strings.TrimLeft(raw, " \t"); raw == "" {
			return "", false
		}
		raw = raw[argumentEnd(raw, i == 0):]
	}
	return strings.TrimLeft(raw, " \t"), true
}

// argumentEnd returns where the first argument of raw ends, by the rules of
// Microsoft's C runtime. The name of the program knows no back-slashes.
func argumentEnd(raw string, program bool) int {
	quoted, slashes := false, 0
	for i := range len(raw) {
		switch c := raw[i]; {
		case c == '\\' && !program:
			slashes++
			continue
		case c == '"' && slashes%2 == 0:
			quoted = !quoted
		case (c == ' ' || c == '\t') && !quoted:
			return i
		}
		slashes = 0
	}
	return len(raw)
}
