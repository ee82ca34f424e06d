package ask

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// lookUp looks for every name that the closure and the arguments spell.
func (g *gathering) lookUp() error {
	g.lookUpDirs()
	for _, name := range g.implicit {
		g.tree.include(fromCommandLine, g.search.find(name, false, false, ""), false)
	}
	for _, name := range g.chain.forced {
		g.tree.include(fromCommandLine, g.search.find(name, true, false, ""), false)
	}
	for i, t := range g.texts {
		for _, n := range t.Names {
			if err := g.lookUpName(n, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookUpDirs notes which directories of the user's are there.
func (g *gathering) lookUpDirs() {
	for i, d := range g.chain.dirs {
		if i >= g.chain.builtins {
			break
		}
		if path := normal(d.path); path != "" && path != "." && !g.search.list(path).missing {
			g.dirs = append(g.dirs, path)
		}
	}
}

// lookUpName looks for a name of file i of the closure.
func (g *gathering) lookUpName(n Name, i int) error {
	if n.Use.assembles() {
		return nil // see assemble
	}
	hits := g.search.find(g.slashed(n.Path), n.Quoted, n.Use.next(), g.closure[i].Path)
	if n.Use == UseEmbed && hits == nil {
		hits = g.findEmbedded(n.Path)
	}
	if !n.Use.probes() {
		g.tree.include(i, hits, n.Late)
		return nil
	}
	return g.probeHits(i, hits)
}

// probeHits adds what file i of the closure probes for.
func (g *gathering) probeHits(i int, hits []hit) error {
	g.tree.probe(i, hits)
	for _, h := range hits {
		if err := g.probe(h.path); err != nil {
			return err
		}
	}
	return nil
}

// findEmbedded looks for a name in the directories of --embed-dir.
func (g *gathering) findEmbedded(name string) []hit {
	for _, dir := range g.chain.embed {
		if hits := g.search.own(dir, name); hits != nil {
			return hits
		}
	}
	return nil
}

// lookUpComputed covers names that macros spell. An #include that was carried out
// found a file of the closure: its name is looked for wherever it may have been
// looked for before. A __has_include is covered if its name is some literal of the
// closure.
func (g *gathering) lookUpComputed() error {
	var includers []string
	probes := g.command.ProbeMacro
	for i, t := range g.texts {
		if t.ComputedInclude {
			includers = append(includers, dirOf(g.closure[i].Path))
		}
		for _, arg := range t.ComputedProbes {
			probes = true
			if !g.isLiteral(arg) {
				return toolchains.Unsupported("computed-has-include", g.closure[i].Path)
			}
		}
		probes = probes || t.ProbeMacro
	}
	if len(includers) > 0 {
		g.lookUpIncluded(includers)
	}
	if !probes {
		return nil
	}
	return g.lookUpCandidates()
}

// isLiteral reports whether a macro is a literal wherever it is defined.
func (g *gathering) isLiteral(macro string) bool {
	if macro == "" {
		return false
	}
	h, literal := hashWord(macro), false
	for _, t := range append(slices.Clip(g.texts), g.command) {
		if t.words.definesWith(macro) {
			return false
		}
		literal = literal || t.words.isLiteral(h)
	}
	return literal
}

// lookUpIncluded looks, for every file of the closure, for the name that a
// computed #include in one of the directories may have given it.
func (g *gathering) lookUpIncluded(dirs []string) {
	for _, f := range g.closure {
		for _, p := range g.search.chain {
			dir := normal(p.path)
			if !within(f.Path, dir) {
				continue
			}
			name := strings.TrimLeft(f.Path[len(dir):], "/")
			g.search.walk(walkKey{name, true, true})
			for _, own := range dirs {
				g.search.own(own, name)
			}
		}
	}
}

// lookUpCandidates takes every literal for the argument of a __has_include.
func (g *gathering) lookUpCandidates() error {
	for i, t := range append(slices.Clip(g.texts), g.command) {
		i %= len(g.closure) // a name of the command line stands in the source
		for _, n := range t.Candidates {
			hits := slices.DeleteFunc(g.search.find(g.slashed(n.Path), n.Quoted, false, g.closure[i].Path), func(h hit) bool {
				return !g.search.regular(h.path)
			})
			if err := g.probeHits(i, hits); err != nil {
				return err
			}
		}
	}
	return nil
}
