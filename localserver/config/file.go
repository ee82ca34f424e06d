package config

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	toml "github.com/pelletier/go-toml/v2"
)

// assignment is one key of a file.
type assignment struct {
	field int // index into the table
	value value
	line  int
}

// parsed is what a file says, whoever reads it. It is immutable.
type parsed struct {
	table       table
	path        string
	source      Source
	assignments []assignment
	problems    Problems
}

// parse understands the text of the file at path. Keys are checked, values not
// yet.
func (t table) parse(path string, source Source, text []byte) *parsed {
	p := &parsed{path: path, source: source, table: t}
	var tree map[string]any
	if err := toml.Unmarshal(text, &tree); err != nil {
		p.syntax(err)
		return p
	}
	lines := keyLines(text)
	for key, v := range flatten(tree) {
		p.add(key, v, lines[key])
	}
	byLine := func(a, b assignment) int { return a.line - b.line }
	slices.SortFunc(p.assignments, byLine)
	slices.SortFunc(p.problems, func(a, b *Problem) int { return a.Origin.Line - b.Origin.Line })
	return p
}

func (p *parsed) syntax(err error) {
	line := 0
	var where *toml.DecodeError
	if errors.As(err, &where) {
		line, _ = where.Position()
	}
	p.problem(line, "", "not TOML: "+strings.TrimPrefix(err.Error(), "toml: "))
}

func (p *parsed) problem(line int, key, what string) {
	p.problems = append(p.problems, &Problem{
		Origin: Origin{Source: p.source, File: p.path, Line: line}, Key: key, What: what,
	})
}

func (p *parsed) add(key string, v any, line int) {
	i := p.table.index(key)
	if i < 0 {
		p.problem(line, key, p.table.unknown(key))
		return
	}
	val, err := newValue(v)
	if err != nil {
		p.problem(line, key, err.Error())
		return
	}
	val.base = filepath.Dir(p.path)
	p.assignments = append(p.assignments, assignment{field: i, value: val, line: line})
}

func (t table) unknown(key string) string {
	names := []string{"tls"}
	for _, f := range t {
		names = append(names, f.key)
	}
	if near := nearest(key, names); near != "" {
		return "is no setting; did you mean " + near + "?"
	}
	return "is no setting; rexwrap config lists them"
}

// flatten spells the keys of [tls] with a dot. No other setting has tables in
// tables.
func flatten(tree map[string]any) map[string]any {
	tls, ok := tree["tls"].(map[string]any)
	if !ok {
		return tree
	}
	delete(tree, "tls")
	for key, v := range tls {
		tree["tls."+key] = v
	}
	return tree
}

// keyLines returns the line on which each key stands: in strict mode the
// decoder reports where it met the keys that a struct lacks, and this one lacks
// all of them.
func keyLines(text []byte) map[string]int {
	var none struct {
		TLS struct{} `toml:"tls"`
	}
	d := toml.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var missing *toml.StrictMissingError
	lines := map[string]int{}
	if !errors.As(d.Decode(&none), &missing) {
		return lines
	}
	for i := range missing.Errors {
		key := missing.Errors[i].Key()
		name := key[0]
		if name == "tls" && len(key) > 1 {
			name = "tls." + key[1]
		}
		if _, seen := lines[name]; !seen {
			lines[name], _ = missing.Errors[i].Position()
		}
	}
	return lines
}

// apply sets what p says in s. Of a project file that is not trusted only the
// keys of its scope count; a warning names the others.
func (p *parsed) apply(s *Settings, home string, trusted bool) (warnings []string, problems Problems) {
	problems = p.problems
	var ignored []string
	for _, a := range p.assignments {
		f := &p.table[a.field]
		if f.scope == ofWrapper {
			warnings = append(warnings, position(p.path, a.line)+": "+f.key+" is ignored in files; set "+variable(f.key))
			continue
		}
		if p.source == FromProject && f.scope == ofServer {
			warnings = append(warnings, position(p.path, a.line)+": "+f.key+" is a setting of the server and is ignored in a project file")
			continue
		}
		if p.source == FromProject && f.scope != inProject && !trusted {
			ignored = append(ignored, f.key)
			continue
		}
		v := a.value
		v.home = home
		origin := Origin{Source: p.source, File: p.path, Line: a.line}
		if err := f.set(s, v); err != nil {
			problems = append(problems, &Problem{Origin: origin, Key: f.key, What: err.Error()})
			continue
		}
		s.origins[a.field] = origin
	}
	if len(ignored) > 0 {
		dir := filepath.Dir(p.path)
		warnings = append(warnings, p.path+": "+strings.Join(ignored, ", ")+" ignored; read the file, then: rexwrap config trust "+quoteArg(dir))
	}
	return warnings, problems
}

func quoteArg(s string) string {
	if strings.ContainsAny(s, " '\"$\\&;()<>|*?\t\n") {
		return strconv.Quote(s)
	}
	return s
}
