package rustdeps

import (
	"bytes"
	"errors"
	"strings"
)

// errMalformed is for a dep-info file that rustc does not write.
var errMalformed = errors.New("malformed dep-info")

// DepInfo is what a dep-info file of rustc says:
//
//	file     = { rule } { phony } { env } ;             (* and blank lines *)
//	rule     = target ":" { " " path } newline ;        (* the same paths in all *)
//	phony    = path ":" newline ;
//	env      = "# env-dep:" name [ "=" value ] newline ;
//
// In a path a space is "\ "; in a value newline, carriage return and backslash
// are "\n", "\r" and "\\". A variable without "=" was unset.
type DepInfo struct {
	Files     []string // as rustc spells them, the source first
	Variables []Variable
}

// A Variable is one of the environment, as a compile saw it.
type Variable struct {
	Name, Value string
	Set         bool
}

const envPrefix = "# env-dep:"

// ParseDepInfo reads a dep-info file.
func ParseDepInfo(text []byte) (*DepInfo, error) {
	d := &DepInfo{}
	for raw := range bytes.Lines(text) {
		line := strings.TrimSuffix(string(raw), "\n")
		switch env, ok := strings.CutPrefix(line, envPrefix); {
		case ok:
			name, value, set := strings.Cut(env, "=")
			d.Variables = append(d.Variables, Variable{unescape(name), unescape(value), set})
		case line == "", strings.HasPrefix(line, "#"):
		case d.Files == nil:
			_, paths, ok := cutTarget(line)
			if !ok {
				return nil, errMalformed
			}
			d.Files = splitPaths(paths)
		}
	}
	if d.Files == nil {
		return nil, errMalformed
	}
	return d, nil
}

// cutTarget splits a rule behind its target. The colon is followed by a space or
// ends the line; those of a Windows path are not.
func cutTarget(line string) (target, rest string, ok bool) {
	if target, ok := strings.CutSuffix(line, ":"); ok {
		return target, "", true
	}
	return strings.Cut(line, ": ")
}

func splitPaths(text string) []string {
	var out []string
	var path strings.Builder
	flush := func() {
		if path.Len() > 0 {
			out = append(out, path.String())
			path.Reset()
		}
	}
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == ' ':
			i++
			path.WriteByte(' ')
		case text[i] == ' ':
			flush()
		default:
			path.WriteByte(text[i])
		}
	}
	flush()
	return out
}

// unescape undoes what rustc does to the values of variables.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(s)
}

// Respell returns a dep-info file in which path names the files and env says what
// the variables are.
func Respell(text []byte, path func(string) string, env func(name string) (value string, set bool)) []byte {
	var out bytes.Buffer
	for raw := range bytes.Lines(text) {
		line := strings.TrimSuffix(string(raw), "\n")
		end := string(raw)[len(line):]
		if name, ok := strings.CutPrefix(line, envPrefix); ok {
			name, _, _ = strings.Cut(name, "=")
			line = envPrefix + name
			if value, set := env(unescape(name)); set {
				line += "=" + escape(value)
			}
		} else if target, rest, ok := cutTarget(line); ok && !strings.HasPrefix(line, "#") {
			line = escapePath(path(strings.ReplaceAll(target, `\ `, " "))) + ":"
			for _, p := range splitPaths(rest) {
				line += " " + escapePath(path(p))
			}
		}
		out.WriteString(line + end)
	}
	return out.Bytes()
}

func escapePath(path string) string { return strings.ReplaceAll(path, " ", `\ `) }

// escape does to the value of a variable what rustc does.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(s)
}

// Retarget returns a dep-info file in which the targets that lie in the folder
// from lie in the folder to. Both are as rustc spells them, empty for the working
// directory. Everything else stays.
func Retarget(text []byte, from, to string) []byte {
	if from == to {
		return text
	}
	from, to = folder(from), folder(to)
	var out bytes.Buffer
	for raw := range bytes.Lines(text) {
		line := string(raw)
		target, _, ok := strings.Cut(line, ": ")
		if rest, inside := strings.CutPrefix(line, from); ok && inside && !strings.HasPrefix(line, "#") && !strings.Contains(target[len(from):], "/") {
			line = to + rest
		}
		out.WriteString(line)
	}
	return out.Bytes()
}

// folder is a directory as it stands before a file's name, escaped as in dep-info.
func folder(dir string) string {
	dir = escapePath(dir)
	if dir != "" && !strings.HasSuffix(dir, "/") {
		dir += "/"
	}
	return dir
}
