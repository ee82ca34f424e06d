package ask

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A gathering is the making of one compile's Inputs.
type gathering struct {
	c       *toolchains.Compile
	asker   *Asker
	files   Files
	ran     RunInfo
	chain   *chain
	dialect dialect
	// implicit are headers that the compiler includes by itself.
	implicit []string

	// closure are the files read, in order; texts what they mention.
	closure []depscan.File
	texts   []*Text
	// command is what the -D options mention, predefined what the compiler
	// defines by itself, nil where that is not known.
	command, predefined *Text
	// hasPCH is set where a precompiled header may be in use.
	hasPCH bool
	// index finds a file of closure by its normal path.
	index map[string]int
	// contents are the digests of closure.
	contents map[digest.Digest]bool

	search *search
	// tree says what includes what; nil where nobody asks. It is whole when
	// searched is set.
	tree     *tree
	searched bool
	// trouble is what a file mentions that cannot be followed.
	trouble error
	probed  map[string]depscan.File
	dirs    []string
}

// gather finds out all there is to know about the files of a run.
func (p *Plan) gather(listed []string, ran RunInfo, files Files, facts *toolchains.Facts) (*gathering, error) {
	ch, err := chainOf(p.c, facts)
	if err != nil {
		return nil, err
	}
	g := &gathering{
		c: p.c, asker: p.asker, files: files, ran: ran, chain: ch,
		index: make(map[string]int, len(listed)), contents: make(map[digest.Digest]bool, len(listed)),
		probed: map[string]depscan.File{}, implicit: facts.Implicit,
	}
	if p.makesDep && !p.c.Dep.System {
		g.tree = &tree{g: g, edges: make(map[string][]edge, len(listed))}
	}
	if g.dialect, err = dialectOf(p.c); err != nil {
		return g, err
	}
	g.command = scanText(commandLine(p.c), plainText)
	if len(facts.Predefined) > 0 {
		g.predefined = g.asker.texts.ofContent(facts.Predefined, plainText)
	}
	if err := g.read(listed); err != nil {
		return g, err
	}
	g.search = newSearch(g)
	if err := g.lookUp(); err != nil {
		return g, err
	}
	g.searched = true
	for _, step := range []func() error{g.lookUpComputed, g.assemble, g.precompiled, g.arguments, g.quoted, g.settle} {
		if err := step(); err != nil {
			return g, err
		}
	}
	return g, g.trouble
}

// dialectOf returns how the files of c are read.
func dialectOf(c *toolchains.Compile) (dialect, error) {
	d := cText
	switch c.Language {
	case "assembler":
		return asmOnly, nil
	case "assembler-with-cpp":
		d = asmText
	}
	for i := range c.Args {
		w := strings.Join(c.Args[i].Words(), "")
		switch {
		case strings.HasPrefix(w, "-finput-charset") && !isASCII(strings.TrimLeft(w[len("-finput-charset"):], "=")):
			return d, toolchains.Unsupported("input-charset", w)
		case d == cText && (w == "-ansi" || strings.HasPrefix(w, "-traditional") || isC90(w)):
			d = plainText
		}
	}
	return d, nil
}

// isC90 reports whether a -std option selects a language without // comments.
func isC90(option string) bool {
	switch option {
	case "-std=c90", "-std=c89", "-std=iso9899:1990", "-std=iso9899:199409":
		return true
	}
	return false
}

// isASCII reports whether in a character set every byte of ASCII is itself.
func isASCII(charset string) bool {
	s := strings.ToLower(charset)
	for _, prefix := range []string{"utf-8", "utf8", "ascii", "us-ascii", "iso-8859-", "iso8859-", "latin", "cp125", "windows-125", "koi8-"} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// commandLine returns the -D options of c as the directives that they stand for.
func commandLine(c *toolchains.Compile) []byte {
	var out []byte
	for i := range c.Args {
		a := &c.Args[i]
		if a.Class.Has(argtable.Macro) {
			out = appendDefine(out, a.Value)
			continue
		}
		for _, word := range strings.Split(a.Value, ",") { // -Wp,-DX and its like
			if value, ok := strings.CutPrefix(word, "-D"); ok {
				out = appendDefine(out, value)
			}
		}
	}
	return out
}

func appendDefine(out []byte, definition string) []byte {
	name, value, _ := strings.Cut(definition, "=")
	return append(out, "#define "+name+" "+strings.ReplaceAll(value, "\n", " ")+"\n"...)
}

// read reads the files of the closure, the source first.
func (g *gathering) read(listed []string) error {
	source := normal(g.c.Source)
	if i := slices.Index(listed, source); i > 0 {
		listed = slices.Concat(listed[i:i+1], listed[:i], listed[i+1:])
	} else if i < 0 {
		return toolchains.Unsupported("source-not-listed", g.c.Source)
	}
	for _, path := range unique(listed) {
		d, err := g.digest(path)
		if err != nil {
			return err
		}
		t, err := g.asker.texts.of(g.c.Call.Abs(path), d, g.dialect)
		if err != nil {
			return err
		}
		if t.Trouble != "" && g.trouble == nil {
			g.trouble = toolchains.Unsupported(t.Trouble, path)
		}
		g.index[path] = len(g.closure)
		g.contents[d] = true
		g.closure = append(g.closure, depscan.File{Path: path, Digest: d, System: g.chain.isSystem(path)})
		g.texts = append(g.texts, t)
	}
	return nil
}

// digest returns the digest of what the compiler saw at path.
func (g *gathering) digest(path string) (digest.Digest, error) {
	d, settled, err := g.files.DigestSince(g.c.Call.Abs(path), g.ran.Mark)
	if err != nil {
		return d, toolchains.Unsupported("input-unreadable", path)
	}
	if !settled {
		return d, toolchains.Unsupported("modified-during-compile", path)
	}
	return d, nil
}

// isListed reports whether the file at path is in the closure. Clang may list a
// file by a relative path although its includer has an absolute one, if -I has
// named the directory so.
func (g *gathering) isListed(path string) bool {
	if _, ok := g.index[path]; ok {
		return true
	}
	if rel, ok := strings.CutPrefix(path, g.c.Call.Dir+"/"); ok {
		path = rel
	} else if path[0] != '/' {
		path = g.c.Call.Abs(path)
	}
	_, ok := g.index[path]
	return ok
}

// probe adds path to the files that were found but not read as text.
func (g *gathering) probe(path string) error {
	path = normal(path)
	if _, ok := g.probed[path]; ok {
		return nil
	}
	if path == "" || g.isListed(path) {
		return nil
	}
	d, err := g.digest(path)
	if err != nil {
		return err
	}
	g.probed[path] = depscan.File{Path: path, Digest: d}
	return nil
}

// arguments adds the files that arguments name.
func (g *gathering) arguments() error {
	for _, path := range g.c.InputFiles {
		if err := g.probe(path); err != nil {
			return err
		}
	}
	return nil
}

// quoted adds the files whose lines the diagnostics of the run may quote: those
// that #line names. Whatever else bears such a name is not looked at.
func (g *gathering) quoted() error {
	if g.ran.Quiet {
		return nil
	}
	for _, t := range g.texts {
		for _, name := range t.Lines {
			if !g.search.regular(name) {
				continue
			}
			if err := g.probe(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// settle looks after the files that were found and not read. One with the
// content of a file that was read may have been left out for that (#pragma once).
// Another was mentioned in a group that was skipped, but may as well have
// appeared while the compile went on.
func (g *gathering) settle() error {
	for path := range g.search.unread {
		d, err := g.digest(path)
		if err != nil {
			return err
		}
		if g.contents[d] {
			g.probed[path] = depscan.File{Path: path, Digest: d}
		}
	}
	return nil
}

// inputs returns the finished Inputs.
func (g *gathering) inputs() *depscan.Inputs {
	in := &depscan.Inputs{Files: g.closure, Absent: g.search.absentNames(), Dirs: g.dirs, Identifiers: g.identifiers()}
	for _, f := range g.probed {
		in.Probed = append(in.Probed, f)
	}
	slices.SortFunc(in.Probed, func(a, b depscan.File) int { return strings.Compare(a.Path, b.Path) })
	return in
}

// isSystem reports whether path lies in a system directory of the chain.
func (ch *chain) isSystem(path string) bool {
	best, system := -1, false
	for _, d := range ch.dirs {
		dir := normal(d.path)
		if len(dir) > best && within(path, dir) {
			best, system = len(dir), d.system
		}
	}
	return system
}

// within reports whether path lies below dir.
func within(path, dir string) bool {
	return len(path) > len(dir) && strings.HasPrefix(path, dir) && (path[len(dir)] == '/' || dir == "/")
}
