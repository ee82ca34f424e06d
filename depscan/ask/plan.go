package ask

import (
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// A Plan says how a compile must be run here so that its inputs can be read off
// the run, while object, stdout, stderr and the user's dep-file stay, to the
// byte, those of the call as it is. It serves one run.
type Plan struct {
	// Argv is the argument list to run, Env what to set in addition
	// ("NAME=value").
	Argv, Env []string
	// FilterHeaders is set when -H was added, whose lines must be taken out
	// of stderr and given to Collect.
	FilterHeaders bool

	asker *Asker
	c     *toolchains.Compile
	// microsoft is the compile of cl.exe or clang-cl of which c is gnuView.
	microsoft *toolchains.Compile
	from      origin
	// list is the absolute path of the file that holds the list, where from
	// says that there is one.
	list string
	// listIsUsers is set when the call itself asks for list.
	listIsUsers bool
	// makesDep is set when the run does not write the user's dep-file.
	makesDep bool
}

// An origin says where a run's list of files comes from.
type origin uint8

const (
	fromNothing            origin = iota // the source is all there is
	fromDepFile                          // list is a dep-file of -MD
	fromHeaderLines                      // -H on stderr
	fromHeaderFile                       // list is clang's CC_PRINT_HEADERS_FILE
	fromNotes                            // clang-cl's /showIncludes, else as the next
	fromPreprocessor                     // a run of the preprocessor that is yet to come
	fromSourceDependencies               // list is cl.exe's /sourceDependencies
)

// Plan plans the run of c. scratch is a path, unique to the call, in an existing
// directory: files of the run get names that begin with it. The error is an
// *UnsupportedError where the inputs cannot be known without changing the result;
// the call can still run as it is.
func (a *Asker) Plan(c *toolchains.Compile, scratch string) (*Plan, error) {
	if c.Microsoft != nil {
		return a.planMicrosoft(c, scratch)
	}
	p := &Plan{Argv: c.Call.Argv, asker: a, c: c}
	if !preprocesses(c) {
		return p, nil
	}
	if c.Dep != nil && c.Dep.System && readable(c.Call.Abs(c.Dep.Path)) {
		p.from, p.list = fromDepFile, c.Call.Abs(c.Dep.Path)
		return p, nil
	}
	ask := p.gcc
	if c.Toolchain.Family == "clang" {
		ask = p.clang
	}
	if err := ask(scratch); err != nil {
		return nil, err
	}
	return p, nil
}

// preprocesses reports whether the compile of c runs a preprocessor.
func preprocesses(c *toolchains.Compile) bool {
	return c.Language != "assembler" && !strings.HasSuffix(c.Language, "cpp-output")
}

// readable reports whether what is written to path can be read there later.
func readable(path string) bool {
	for _, prefix := range []string{"/dev/", "/proc/"} {
		if strings.HasPrefix(path, prefix) {
			return false
		}
	}
	st, err := os.Stat(path)
	return err != nil || st.Mode().IsRegular()
}

// gcc plans a run whose full list has to be asked for.
func (p *Plan) gcc(scratch string) error {
	switch {
	case p.c.Recorded:
		return toolchains.Unsupported("recorded-command-line", "")
	case p.c.Dep == nil:
		return p.ownDepFile(scratch)
	case !p.c.Dep.System && p.canFilter():
		p.from, p.FilterHeaders = fromHeaderLines, true
		p.insert("-H")
		return nil
	case major(p.c.Toolchain.Version) < 10:
		// It lays out dep-files in another way than depfile.GCC.
		return toolchains.Unsupported("dep-file-style", p.c.Toolchain.Version)
	}
	p.makesDep = true
	return p.ownDepFile(scratch)
}

// canFilter reports whether -H gives the full list and shows nowhere else: gcc
// writes it to DW_AT_producer and to the head of verbose assembly, and leaves out
// the files that options include.
func (p *Plan) canFilter() bool {
	for option := range gnu.Options(p.c.Args) {
		switch {
		case strings.HasPrefix(option, "-g"), option == "-fverbose-asm", option == "-H", placeOf(option) == placeForced:
			return false
		}
	}
	return true
}

// clang plans a run whose full list has to be asked for. The list by way of the
// environment would make -MMD list system headers too, and has no headers that
// stand in a precompiled one.
func (p *Plan) clang(scratch string) error {
	p.makesDep = p.c.Dep != nil && !p.c.Dep.System
	switch name := p.setByUser(); {
	case name != "":
		return toolchains.Unsupported("environment", name)
	case !p.makesDep && !p.usesPCH():
		p.from, p.list = fromHeaderFile, scratch+".headers"
		p.Env = []string{"CC_PRINT_HEADERS=1", "CC_PRINT_HEADERS_FILE=" + p.list}
		return nil
	case p.c.Recorded:
		return toolchains.Unsupported("recorded-command-line", "")
	}
	p.makesDep = p.c.Dep != nil
	return p.ownDepFile(scratch)
}

// setByUser returns the variable by which the user has asked clang for something
// similar, empty for none.
func (p *Plan) setByUser() string {
	for _, name := range []string{"CC_PRINT_HEADERS", "CC_PRINT_HEADERS_FILE", "CC_PRINT_HEADERS_FORMAT"} {
		if _, ok := p.c.Call.Env.Lookup(name); ok {
			return name
		}
	}
	return ""
}

// usesPCH reports whether clang takes up a precompiled header.
func (p *Plan) usesPCH() bool {
	for option, value := range gnu.Options(p.c.Args) {
		switch option {
		case "-include-pch":
			return true
		case "-include":
			for _, name := range clangPCHNames(value) {
				if _, err := os.Stat(p.c.Call.Abs(name)); err == nil {
					return true
				}
			}
		}
	}
	return false
}

// clangPCHNames returns the names that clang tries for -include name before the
// header itself.
func clangPCHNames(name string) []string { return []string{name + ".pch", name + ".gch"} }

// ownDepFile makes the run write a full dep-file of ours in place of the user's.
func (p *Plan) ownDepFile(scratch string) error {
	p.from, p.list = fromDepFile, scratch+".d"
	for i := range p.c.Args {
		if !p.c.Args[i].Class.Has(argtable.Dep) {
			continue
		}
		if p.c.Dep == nil {
			return toolchains.Unsupported("dep-options", p.c.Args[i].Option)
		}
		p.Argv = without(p.c, argtable.Dep)
		break
	}
	p.insert("-MD", "-MF", p.list, "-MT", "x")
	return nil
}

// without returns the argument list of c without the options of a class.
func without(c *toolchains.Compile, class argtable.Class) []string {
	argv := c.Call.Argv[:1:1]
	for i := range c.Args {
		if a := &c.Args[i]; !a.Class.Has(class) {
			argv = append(argv, a.Words()...)
		}
	}
	return argv
}

// insert puts words before the first argument: behind the last one, "--" could
// make them names of files.
func (p *Plan) insert(words ...string) { p.Argv = inserted(p.Argv, words...) }

func inserted(argv []string, words ...string) []string {
	return slices.Concat(argv[:1], words, argv[1:])
}

// Remove removes what the run left in the scratch directory.
func (p *Plan) Remove() {
	if p.list != "" && !p.listIsUsers && (p.c.Dep == nil || p.list != p.c.Call.Abs(p.c.Dep.Path)) {
		_ = os.Remove(p.list) // it may never have come to exist
	}
}
