package probe

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// microsoftClass is the class of a compile of clang-cl. Its search directories, those of
// the call's own options and variables included, are among the facts: clang-cl puts
// INCLUDE and what it finds installed between them.
func microsoftClass(c *toolchains.Compile) *class {
	cl := &class{argv: []string{c.Toolchain.Program}, dir: c.Call.Dir, env: []string{"LC_ALL=C"}, microsoft: true}
	const reaching = argtable.Preprocessor | argtable.Codegen | argtable.Search
	const others = argtable.Output | argtable.Dep | argtable.Source | argtable.NoKey | argtable.Macro |
		argtable.Include | argtable.Linker | argtable.Aside
	for i := range c.Args {
		arg := &c.Args[i]
		if arg.Option == "" || arg.Option == "--" || !arg.Class.Has(reaching) || arg.Class.Has(others) || isMode(arg.Option) {
			continue
		}
		cl.argv = append(cl.argv, arg.Words()...)
		cl.here = cl.here || toolchains.IsNative(strings.Join(arg.Words(), ""))
	}
	language := "/TC"
	if c.Language == "c++" {
		language = "/TP"
	}
	cl.argv = append(cl.argv, language)
	for _, name := range append(c.Env, "PATH") {
		if value, ok := c.Call.Env.Lookup(name); ok {
			cl.env = append(cl.env, name+"="+value)
		}
	}
	cl.key = cl.digest(c.Toolchain)
	return cl
}

// isMode reports whether an option says what is made, or of which language.
func isMode(option string) bool {
	switch option[1:] {
	case "c", "TC", "TP", "Z7", "Zi", "ZI", "FC", "Brepro", "Brepro-":
		return true
	}
	return false
}

// clFacts are those of cl.exe, which tells nothing of itself: the directories that
// arguments and variables name. All that it defines is unknown.
func clFacts(c *toolchains.Compile) *toolchains.Facts {
	facts := &toolchains.Facts{}
	add := func(dirs ...string) {
		for _, dir := range dirs {
			if dir != "" {
				facts.AngleDirs = append(facts.AngleDirs, dir)
			}
		}
	}
	list := func(name string) { add(strings.Split(c.Call.Env.Value(name), ";")...) }
	var external []string
	standard := true
	for i := range c.Args {
		a := &c.Args[i]
		if a.Option == "" {
			continue
		}
		switch name := a.Option[1:]; name {
		case "I":
			add(a.Value)
		case "external:I":
			external = append(external, a.Value)
		case "external:env:":
			external = append(external, strings.Split(c.Call.Env.Value(a.Value), ";")...)
		case "X":
			standard = false
		}
	}
	add(external...)
	if standard {
		list("INCLUDE")
		list("EXTERNAL_INCLUDE")
	}
	return facts
}
