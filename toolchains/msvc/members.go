package msvc

import (
	"os"
	"slices"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// Members returns one call for each source of call, in the order in which the compiler
// reports on them, each with all other arguments and none of the variables CL and _CL_. A
// call that does not compile, or that names one file for what several sources make, is a
// *toolchains.UnsupportedError.
//
// The whole succeeds when all members do; otherwise its status is 2, and what the others
// made stays.
func (f *Family) Members(call *toolchains.Call) ([]*toolchains.Call, error) {
	l, _, err := f.read(call)
	if err != nil {
		return nil, err
	}
	if err := l.check(); err != nil {
		return nil, err
	}
	if err := l.checkShared(); err != nil {
		return nil, err
	}
	members := make([]*toolchains.Call, 0, len(l.sources))
	for i := range l.sources {
		member := *call
		member.Argv = append([]string{call.Argv[0]}, l.without(i)...)
		member.Env = withoutVariables(call.Env)
		members = append(members, &member)
	}
	return members, nil
}

// checkShared returns an error for an output that is named and that several sources would
// write.
func (l *line) checkShared() error {
	if len(l.sources) < 2 {
		return nil
	}
	for i, name := range l.names {
		value := l.args[i].Value
		switch name {
		case "-Fo", "-Fo:", "-Fa", "-sourceDependencies":
			if value != "" && !os.IsPathSeparator(value[len(value)-1]) {
				return toolchains.Unsupported(ReasonOneOutput, l.args[i].Option+value)
			}
		}
	}
	return nil
}

// without returns the words of the line without the sources but the nth.
func (l *line) without(n int) []string {
	var words []string
	for i := range l.args {
		if s := slices.IndexFunc(l.sources, func(p positional) bool { return p.arg == i }); s >= 0 && s != n {
			continue
		}
		words = append(words, l.args[i].Words()...)
	}
	return words
}

func withoutVariables(env toolchains.Environ) toolchains.Environ {
	var kept toolchains.Environ
	for _, kv := range env {
		if _, cl := (toolchains.Environ{kv}).Lookup("CL"); cl {
			continue
		}
		if _, cl := (toolchains.Environ{kv}).Lookup("_CL_"); cl {
			continue
		}
		kept = append(kept, kv)
	}
	return kept
}

// Embedded returns the arguments of call with the debug information in the object instead
// of a program database, those of the variables CL and _CL_ among them.
func (f *Family) Embedded(call *toolchains.Call) ([]string, error) {
	l, _, err := f.read(call)
	if err != nil {
		return nil, err
	}
	return l.rewritten(func(name string, words []string) []string {
		switch name {
		case "-Zi":
			return []string{"/Z7"}
		case "-Fd", "-FS", "-Gm-":
			return nil
		}
		return words
	}), nil
}

// WithoutHeader returns the arguments of call without the use of a precompiled header, those
// of the variables CL and _CL_ among them. It reports false where the header is not also
// included by /FI, so that it is not known what stands in front of the source otherwise,
// and where one is made.
func (f *Family) WithoutHeader(call *toolchains.Call) ([]string, bool) {
	l, _, err := f.read(call)
	if err != nil || f.clang {
		return nil, false
	}
	used, forced := "", map[string]bool{}
	for i, name := range l.names {
		switch value := l.args[i].Value; name {
		case "-Yu":
			used = value
		case "-FI":
			forced[value] = true
		case "-Yc", "-Yl", "-Yd", "-Yi":
			return nil, false
		}
	}
	if used == "" || !forced[used] {
		return nil, false
	}
	return l.rewritten(func(name string, words []string) []string {
		if name == "-Yu" || name == "-Fp" {
			return nil
		}
		return words
	}), true
}

// rewritten returns the words of the line, each option's as change gives them.
func (l *line) rewritten(change func(name string, words []string) []string) []string {
	var words []string
	for i := range l.args {
		words = append(words, change(l.names[i], l.args[i].Words())...)
	}
	return words
}

// PrivateDatabase is the function of that name.
func (f *Family) PrivateDatabase(c *toolchains.Compile, object, database string) ([]string, error) {
	return PrivateDatabase(c, object, database)
}

// PrivateDatabase returns the arguments of c, a compile with DebugDatabase, with a program
// database of its own: the last /Fd is database, and nothing asks for mspdbsrv. object is
// where the object goes.
func PrivateDatabase(c *toolchains.Compile, object, database string) ([]string, error) {
	if c.Microsoft == nil || c.Microsoft.Debug != toolchains.DebugDatabase {
		return nil, toolchains.Unsupported(gnu.ReasonInternal, "no program database")
	}
	var words []string
	for i := range c.Args {
		a := &c.Args[i]
		switch Name(a.Option) {
		case "-FS", "-MP", "-Fd", "-Fo", "-Fo:", "-Gm-":
			continue
		}
		if a.Class.Has(argtable.Source) || a.Class.Has(argtable.Linker) {
			continue
		}
		words = append(words, a.Words()...)
	}
	words = append(words, "/Fo"+object, "/Fd"+database)
	for i := range c.Args {
		if c.Args[i].Class.Has(argtable.Source) {
			words = append(words, c.Args[i].Words()...)
		}
	}
	return words, nil
}
