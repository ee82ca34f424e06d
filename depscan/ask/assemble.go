package ask

import (
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// assemble adds the files that the assembler reads. Which of several it takes is
// not modelled: all that are there count.
func (g *gathering) assemble() error {
	dirs, err := g.assemblerDirs()
	if err != nil {
		return err
	}
	for _, t := range g.texts {
		if err := g.assembleNames(t, dirs, maxAssemblerDepth); err != nil {
			return err
		}
	}
	return nil
}

// maxAssemblerDepth bounds how deep .include may nest.
const maxAssemblerDepth = 64

func (g *gathering) assembleNames(t *Text, dirs []string, depth int) error {
	for _, n := range t.Names {
		if !n.Use.assembles() {
			continue
		}
		for _, path := range candidatePaths(n.Path, dirs) {
			if g.search.regular(path) {
				if err := g.assembleFile(path, n.Use, dirs, depth); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func candidatePaths(name string, dirs []string) []string {
	if filepath.IsAbs(name) {
		return []string{name}
	}
	out := make([]string, len(dirs))
	for i, dir := range dirs {
		out[i] = join(dir, name)
	}
	return out
}

// assembleFile adds one file that the assembler finds at path.
func (g *gathering) assembleFile(path string, u Use, dirs []string, depth int) error {
	if err := g.probe(path); err != nil || u == UseIncbin {
		return err
	}
	if depth == 0 {
		return toolchains.Unsupported("incbin", path)
	}
	t, err := g.asker.texts.of(g.c.Call.Abs(path), g.probed[normal(path)].Digest, asmOnly)
	if err != nil {
		return err
	}
	if t.Trouble != "" {
		return toolchains.Unsupported(t.Trouble, path)
	}
	return g.assembleNames(t, dirs, depth-1)
}

// assemblerDirs returns the directories that the assembler may look in.
func (g *gathering) assemblerDirs() ([]string, error) {
	dirs := []string{""}
	for _, d := range g.chain.dirs[:g.chain.builtins] {
		dirs = append(dirs, d.path)
	}
	for i := range g.c.Args {
		w := g.c.Args[i].Words()[0]
		if !strings.HasPrefix(w, "-Wa,") || !strings.Contains(w, "-I") {
			continue
		}
		words := strings.Split(w, ",")
		for j := 1; j < len(words); j++ {
			dir, ok := strings.CutPrefix(words[j], "-I")
			if ok && dir == "" && j+1 < len(words) {
				j++
				dir = words[j]
			}
			if ok {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs, nil
}

// precompiled adds the precompiled headers that take, or could take, the place
// of a header.
func (g *gathering) precompiled() error {
	switch g.c.Toolchain.Family {
	case "clang", toolchains.FamilyClangCL:
		return g.clangPrecompiled()
	case toolchains.FamilyMSVC:
		return nil
	}
	for _, name := range g.chain.forced {
		if err := g.gccPrecompiled(name, ""); err != nil {
			return err
		}
	}
	for _, n := range g.texts[0].Names {
		// gcc takes a precompiled header for the first file that is
		// included, and only where the source or an argument names it.
		if n.Use != UseInclude {
			continue
		}
		var own []string
		if n.Quoted {
			own = []string{dirOf(g.closure[0].Path)}
		}
		if err := g.gccPrecompiled(n.Path, own...); err != nil {
			return err
		}
	}
	return nil
}

// gccPrecompiled looks for name.gch in directories of the includer's and along
// the chain.
func (g *gathering) gccPrecompiled(name string, own ...string) error {
	name += ".gch"
	if strings.HasPrefix(name, "/") {
		return g.precompiledAt(name, g.search.exists(name))
	}
	var places []*searchPlace
	for _, dir := range own {
		places = append(places, g.search.place(dir, false))
	}
	for _, p := range append(places, g.search.chain...) {
		if err := g.precompiledAt(join(p.path, name), g.search.has(p, name)); err != nil {
			return err
		}
	}
	return nil
}

// precompiledAt adds the precompiled header at path where there is one. Of a
// directory gcc tries all files, in the directory's own order.
func (g *gathering) precompiledAt(path string, file bool) error {
	if g.search.directories[path] {
		return toolchains.Unsupported("pch-directory", path)
	}
	if !file {
		return nil
	}
	g.hasPCH = true
	return g.probe(path)
}

func (g *gathering) clangPrecompiled() error {
	for _, name := range g.chain.forced {
		for _, pch := range clangPCHNames(name) {
			if err := g.precompiledAt(pch, g.search.exists(pch)); err != nil {
				return err
			}
		}
	}
	for option, value := range gnu.Options(g.c.Args) {
		if option != "-include-pch" {
			continue
		}
		if err := g.precompiledAt(value, true); err != nil {
			return err
		}
	}
	return nil
}
