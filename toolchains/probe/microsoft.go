package probe

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// microsoftClass is the class of a compile of clang-cl. Among its facts are the system
// directories: clang-cl puts those of -imsvc, of INCLUDE and of what it finds installed
// behind its own. Those of /I, /external:I, CPATH and its like are left out.
func microsoftClass(c *toolchains.Compile) *class {
	cl := &class{argv: []string{c.Toolchain.Program}, env: []string{"LC_ALL=C"}, microsoft: true}
	for i := range c.Args {
		arg := &c.Args[i]
		if !reachesFacts(arg) {
			continue
		}
		word := strings.Join(arg.Words(), "")
		if warning, ok := strings.CutPrefix(word, "-Werror="); ok {
			cl.argv = append(cl.argv, "-W"+warning) // see relevant
		} else {
			cl.argv = append(cl.argv, arg.Words()...)
		}
		cl.here = cl.here || toolchains.IsNative(word)
		if arg.Class.Has(argtable.Path) && !filepath.IsAbs(arg.Value) {
			cl.dir = c.Call.Dir
		}
	}
	language := "/TC"
	if c.Language == "c++" {
		language = "/TP"
	}
	cl.argv = append(cl.argv, language)
	for _, name := range append(c.Env, "PATH") {
		if value, ok := c.Call.Env.Lookup(name); ok && !isScanners(name) {
			cl.env = append(cl.env, name+"="+value)
			if name != "PATH" && hasRelative(value) {
				cl.dir = c.Call.Dir
			}
		}
	}
	cl.key = cl.digest(c.Toolchain)
	return cl
}

// reachesFacts reports whether an argument may change what the compiler says of itself.
// Some warnings do: -Wno-deprecated undefines __DEPRECATED.
func reachesFacts(arg *toolchains.Arg) bool {
	const reaching = argtable.Preprocessor | argtable.Codegen | argtable.Search
	const others = argtable.Output | argtable.Dep | argtable.Source | argtable.NoKey | argtable.Macro |
		argtable.Include | argtable.Linker | argtable.Aside
	switch {
	case arg.Option == "" || arg.Option == "--" || arg.Class.Has(others) || isMode(arg.Option):
		return false
	case arg.Option[1:] == "I" || arg.Option[1:] == "external:I":
		return false
	}
	return arg.Class.Has(reaching) || isWarning(strings.Join(arg.Words(), ""))
}

// isWarning reports whether a word is clang's -WNAME, and not a level of cl.exe's or a
// request for errors.
func isWarning(word string) bool {
	name, ok := strings.CutPrefix(word, "-W")
	return ok && len(name) > 2 && name[0] >= 'a' && name[0] <= 'z' && name != "error" && !strings.HasPrefix(name, "no-error")
}

// isScanners reports whether a variable names directories that the scanner adds itself.
func isScanners(variable string) bool {
	return variable == "CPATH" || variable == "C_INCLUDE_PATH" || variable == "CPLUS_INCLUDE_PATH"
}

// hasRelative reports whether a variable's list of directories has a relative one.
func hasRelative(list string) bool {
	return slices.ContainsFunc(strings.Split(list, ";"), func(dir string) bool { return dir != "" && !filepath.IsAbs(dir) })
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
