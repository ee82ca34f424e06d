package ask

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A chain is the directories that a compile searches, in order.
type chain struct {
	dirs []searchDir
	// quotes is the number of dirs that only "x.h" is searched in (-iquote).
	quotes int
	// builtins is the number of dirs before the built-in ones.
	builtins int
	// forced are the files that arguments include.
	forced []string
	// embed are the directories of --embed-dir.
	embed []string
}

// A searchDir is one directory of a chain.
type searchDir struct {
	path   string // as spelled
	system bool
	// framework is set where <A/b.h> is looked for as A.framework/Headers/b.h.
	framework bool
}

// A place is what the value of an option is for. The built-in directories, and
// what changes them (-nostdinc, --sysroot), are in toolchains.Facts.
type place uint8

const (
	placeNone place = iota
	placeQuote
	placeAngle
	placeSystem
	placeAfter
	placeForced
	placeEmbed
	placeElsewhere // changes what toolchains.Facts says, or names no directory
	placeUnknown
	placeCount
)

// placeOf returns what an option does, by its name as gnu.Options gives it.
func placeOf(option string) place {
	switch option {
	case "-iquote":
		return placeQuote
	case "-I":
		return placeAngle
	case "-isystem", "-cxx-isystem", "-stdlib++-isystem", "-isystem-after":
		return placeSystem
	case "-idirafter":
		return placeAfter
	case "-include", "-imacros":
		return placeForced
	case "--embed-dir=", "--embed-dir":
		return placeEmbed
	case "-nostdinc", "--sysroot=", "-isysroot", "-imultilib", "-imultiarch", "-resource-dir", "-B",
		"--gcc-toolchain=", "-gcc-toolchain", "-gcc-toolchain=", "--gcc-install-dir=", "-include-pch":
		return placeElsewhere
	case "-iprefix", "-iwithprefix", "-iwithprefixbefore", "-iwithsysroot", "-iframework", "-iframeworkwithsysroot", "-F", "-I-":
		return placeUnknown
	}
	return placeNone
}

// chainOf returns the chain of c. The error is an *UnsupportedError for options
// whose effect on the search is not modelled.
func chainOf(c *toolchains.Compile, facts *toolchains.Facts) (*chain, error) {
	if c.Microsoft != nil {
		return chainOfMicrosoft(c, facts), nil
	}
	by, err := placed(c)
	if err != nil {
		return nil, err
	}
	ch := &chain{quotes: len(by[placeQuote])}
	for _, d := range by[placeForced] {
		ch.forced = append(ch.forced, d.path)
	}
	for _, d := range by[placeEmbed] {
		ch.embed = append(ch.embed, d.path)
	}
	ch.add(by[placeQuote])
	ch.add(by[placeAngle])
	ch.add(envDirs(c, "CPATH", false))
	ch.add(by[placeSystem])
	ch.add(envDirs(c, languageVariable(c.Language), true))
	ch.builtins = len(ch.dirs)
	ch.builtin(facts)
	ch.add(by[placeAfter])
	ch.markDuplicates(c.Call)
	return ch, nil
}

// placed returns the values of the options of c by what they do.
func placed(c *toolchains.Compile) (*[placeCount][]searchDir, error) {
	for i := range c.Args {
		a := &c.Args[i]
		if a.Class.Has(argtable.Search|argtable.Include) && a.Option != "-Xclang" && placeOf(gnu.Canonical(a.Option)) == placeNone {
			return nil, toolchains.Unsupported("search-option", a.Option)
		}
	}
	by := &[placeCount][]searchDir{}
	for option, value := range gnu.Options(c.Args) {
		p := placeOf(option)
		if p == placeUnknown || p != placeNone && p < placeForced && !plainDir(value) {
			return nil, toolchains.Unsupported("search-option", option+value)
		}
		by[p] = append(by[p], searchDir{path: value, system: p == placeSystem || p == placeAfter})
	}
	return by, nil
}

func (ch *chain) add(dirs []searchDir) { ch.dirs = append(ch.dirs, dirs...) }

func (ch *chain) builtin(facts *toolchains.Facts) {
	for _, list := range [][]string{facts.QuoteDirs, facts.AngleDirs, facts.AbsentDirs} {
		for _, d := range list {
			ch.dirs = append(ch.dirs, searchDir{path: d, system: true})
		}
	}
	for _, d := range facts.FrameworkDirs {
		ch.dirs = append(ch.dirs, searchDir{path: d, system: true, framework: true})
	}
}

// markDuplicates makes user directories that are system directories as well
// system ones: compilers leave out their first mention.
func (ch *chain) markDuplicates(call *toolchains.Call) {
	infos := make([]os.FileInfo, len(ch.dirs))
	for i, d := range ch.dirs {
		infos[i], _ = os.Stat(call.Abs(d.path)) // nil for what is not there
	}
	for i := range ch.dirs {
		for j := i + 1; j < len(ch.dirs) && !ch.dirs[i].system; j++ {
			ch.dirs[i].system = ch.dirs[j].system && infos[i] != nil && infos[j] != nil && os.SameFile(infos[i], infos[j])
		}
	}
}

// plainDir reports whether the value of a search option is just a directory, and
// not "-I-", a header map, or something below the sysroot.
func plainDir(dir string) bool {
	return dir != "" && dir != "-" && dir[0] != '=' && !strings.HasPrefix(dir, "$SYSROOT") && filepath.Ext(dir) != ".hmap"
}

// languageVariable names the variable with the system directories of a language.
func languageVariable(language string) string {
	language = strings.TrimSuffix(strings.TrimSuffix(language, "-header"), "-cpp-output")
	switch language {
	case "c++":
		return "CPLUS_INCLUDE_PATH"
	case "objective-c":
		return "OBJC_INCLUDE_PATH"
	case "objective-c++":
		return "OBJCPLUS_INCLUDE_PATH"
	}
	return "C_INCLUDE_PATH"
}

// envDirs returns the directories of a variable. An empty element is the working
// directory.
func envDirs(c *toolchains.Compile, name string, system bool) []searchDir {
	value := c.Call.Env.Value(name)
	if value == "" {
		return nil
	}
	var out []searchDir
	for _, d := range filepath.SplitList(value) {
		if d == "" {
			d = "."
		}
		out = append(out, searchDir{path: d, system: system})
	}
	return out
}

// normal returns path as the compilers list it: without "./" in front, and with
// single slashes. ".." stays, as it may follow a symbolic link.
func normal(path string) string {
	for strings.HasPrefix(path, "./") {
		path = strings.TrimLeft(path[2:], "/")
	}
	for strings.Contains(path, "//") {
		path = strings.ReplaceAll(path, "//", "/")
	}
	return path
}

// join puts a name behind a directory as the compilers do.
func join(dir, name string) string {
	if dir == "" || dir == "." {
		return normal(name)
	}
	return normal(dir + "/" + name)
}

// dirOf returns the directory of a path as spelled, "" for none.
func dirOf(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i == 0 {
		return "/"
	}
	return path[:max(i, 0)]
}
