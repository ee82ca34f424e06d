package ask

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A gathering is the making of one compile's Inputs.
type gathering struct {
	c       *toolchains.Compile
	asker   *Asker
	files   Files
	ran     RunInfo
	chain   *chain
	dialect dialect
	// implicit are the names of headers that the compiler includes by itself.
	implicit []string

	// closure are the files read, in order; texts what they mention.
	closure []depscan.File
	texts   []*Text
	// command is what the -D options mention, predefined what the compiler
	// defines by itself, nil where that is not known.
	command, predefined *Text
	// seen holds at least the words of all these texts.
	seen wordFilter
	// hasPCH is set where a precompiled header may be in use.
	hasPCH bool
	// precompiledFrom is the number of files, behind the source, that stand
	// in a precompiled header of clang's.
	precompiledFrom int
	// index finds a file of closure by its normal path.
	index map[string]int
	// contents finds a file of closure by its digest.
	contents map[digest.Digest]int

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
	if respelled := p.relative(listed, facts); respelled != nil {
		if g, err := p.gatherListed(respelled, ran, files, facts); g == nil || !g.namesAbsolute() {
			return g, err
		}
	}
	return p.gatherListed(listed, ran, files, facts)
}

func (p *Plan) gatherListed(listed []string, ran RunInfo, files Files, facts *toolchains.Facts) (*gathering, error) {
	ch, err := chainOf(p.c, facts)
	if err != nil {
		return nil, err
	}
	g := &gathering{
		c: p.c, asker: p.asker, files: files, ran: ran, chain: ch,
		index: make(map[string]int, len(listed)), contents: make(map[digest.Digest]int, len(listed)),
		probed: map[string]depscan.File{}, implicit: implicitNames(p.c, facts),
	}
	if p.makesDep && !p.c.Dep.System {
		g.tree = &tree{g: g, edges: make(map[string][]edge, len(listed))}
	}
	if g.dialect, err = dialectOf(p.c); err != nil {
		return g, err
	}
	g.command, g.seen = g.asker.texts.ofContent(commandLine(p.c), plainText), g.asker.texts.seen
	if len(facts.Predefined) > 0 {
		g.predefined = g.asker.texts.ofContent(facts.Predefined, plainText)
	}
	if p.from == fromHeaderLines && len(facts.Implicit) > 0 {
		listed = g.withImplicit(listed)
	}
	if err := g.read(listed); err != nil {
		return g, err
	}
	g.search = newSearch(g)
	for _, step := range []func() error{g.lookUp, g.lookUpComputed} {
		if err := step(); err != nil {
			return g, err
		}
	}
	g.searched = true
	for _, step := range []func() error{
		g.assemble, g.precompiled, g.arguments, g.quoted, g.settle, g.stampAll,
	} {
		if err := step(); err != nil {
			return g, err
		}
	}
	return g, g.trouble
}

// implicitNames returns the names of the headers that the compiler of c includes
// by itself. gcc looks for them along the whole chain, and does without if there
// are none.
func implicitNames(c *toolchains.Compile, facts *toolchains.Facts) []string {
	if c.Toolchain.Family != "gcc" || !preprocesses(c) {
		return nil
	}
	names := []string{"stdc-predef.h"}
	for _, path := range facts.Implicit {
		if name := path[strings.LastIndexByte(path, '/')+1:]; !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// withImplicit returns the files that -H lists with those that it does not.
func (g *gathering) withImplicit(listed []string) []string {
	s := newSearch(g)
	out := listed[:1:1]
	for _, name := range g.implicit {
		for _, h := range s.walk(walkKey{name: name}) {
			out = append(out, h.path)
		}
	}
	return append(out, listed[1:]...)
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
	for option, value := range gnu.Options(c.Args) {
		switch {
		case strings.HasPrefix(option, "-finput-charset") && !isASCII(value):
			return d, toolchains.Unsupported("input-charset", value)
		case d == cText && (option == "-ansi" || strings.HasPrefix(option, "-traditional") || option == "-std=" && isC90(value)):
			d = plainText
		}
	}
	return d, nil
}

// isC90 reports whether a standard has no // comments.
func isC90(standard string) bool {
	switch standard {
	case "c90", "c89", "iso9899:1990", "iso9899:199409":
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
	for option, value := range gnu.Options(c.Args) {
		if option == "-D" {
			name, body, _ := strings.Cut(strings.ReplaceAll(value, "\n", " "), "=")
			out = append(out, "#define "+name+" "+body+"\n"...)
		}
	}
	return out
}

// read reads the files of the closure, the source first.
func (g *gathering) read(listed []string) error {
	listed = unique(listed)
	i := slices.Index(listed, normal(g.c.Source))
	if i < 0 {
		return toolchains.Unsupported("source-not-listed", g.c.Source)
	}
	// Clang lists the headers inside a precompiled header first.
	g.precompiledFrom = i
	for _, path := range slices.Concat(listed[i:i+1], listed[:i], listed[i+1:]) {
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
		g.index[path], g.contents[d] = len(g.closure), len(g.closure)
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
		if i, ok := g.contents[d]; ok {
			f := depscan.File{Path: path, Digest: d}
			if err := g.settleTwins(&g.closure[i], &f, g.texts[i]); err != nil {
				return err
			}
			g.probed[path] = f
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
