//go:build linux

package relocation

import "github.com/rexwrap/rexwrap/localserver/layout"

// A row is a command line, for one or more compilers.
type row struct {
	name string
	on   string // compilers, by space
	dir  string // working directory; see place.expand
	args string
	prep string // shell, in dir, before the compile is looked at
	env  []string
	root string // exec root, if not $P; "none" for none
	mode layout.Mode
	// unproven says what is wrong with the class, empty for proven ones.
	unproven string
	short    bool // part of every test run
}

const (
	c    = "gcc clang"
	cxx  = "g++ clang++"
	both = "gcc clang g++ clang++"
)

// A spelling is a way to call the same files.
type spelling struct {
	name, dir, flags, source string
	root                     string
}

// spellings are those of a source of src.
func spellings(source string) []spelling {
	return []spelling{
		{name: "inside", dir: "$P/src", flags: "-I../inc -I../build/gen -o x.o", source: source},
		{name: "relative", dir: "$P/build", flags: "-I../inc -Igen -o obj/x.o", source: "../src/" + source},
		{name: "absolute", dir: "$P/build", flags: "-I$P/inc -I$P/build/gen -o $P/build/obj/x.o", source: "$P/src/" + source},
		{name: "cmake", dir: "$P/build", flags: "-I$P/inc -I$P/build/gen -o obj/x.o", source: "$P/src/" + source},
		{name: "mixed", dir: "$P/build", flags: "-I$P/inc -Igen -o obj/x.o", source: "../src/" + source},
		{name: "mixed-other", dir: "$P/build", flags: "-I../inc -Igen -o obj/x.o", source: "$P/src/" + source},
		{name: "top", dir: "$P", flags: "-I$P/inc -Ibuild/gen -o x.o", source: "$P/src/" + source},
		{name: "unrelated", dir: "$B", flags: "-I$P/inc -I$P/build/gen -o x.o", source: "$P/src/" + source, root: "none"},
	}
}

// A flagSet is a class of flags to compile with.
type flagSet struct {
	name, on, flags string
	unproven        string // for all spellings
	absolute        string // for those with absolute arguments only
	short           bool
}

func flagSets() []flagSet {
	return []flagSet{
		{name: "bare", on: c, flags: "", short: true},
		{name: "O2", on: c, flags: "-O2 -Wall -fPIC"},
		{name: "g", on: c, flags: "-g", short: true},
		{name: "g3-O2", on: c, flags: "-g3 -O2", short: true},
		{name: "g1", on: c, flags: "-g1"},
		{name: "dwarf4", on: c, flags: "-g -gdwarf-4"},
		{name: "dwarf5", on: c, flags: "-g -gdwarf-5"},
		{name: "gz", on: c, flags: "-g -gz"},
		{name: "dep", on: c, flags: "-MD -MP -MF x.d", short: true},
		{name: "dep-user", on: c, flags: "-g -MMD -MT target -MQ a$b"},
		{name: "dep-default", on: c, flags: "-MD"},
		{name: "dep-pass", on: c, flags: "-Wp,-MD,pass.d"},
		{name: "map-debug", on: c, flags: "-g -fdebug-prefix-map=$P=/usr/src", short: true},
		{name: "map-file", on: c, flags: "-g3 -ffile-prefix-map=$P/=", short: true},
		{name: "map-two", on: c, flags: "-g -ffile-prefix-map=$P=ONE -fdebug-prefix-map=$P/src=TWO"},
		{name: "map-long-first", on: c, flags: "-g -fdebug-prefix-map=$P/src=TWO -ffile-prefix-map=$P=ONE"},
		{name: "map-macro", on: c, flags: "-g -fmacro-prefix-map=$P/="},
		{name: "map-dir", on: c, flags: "-g -fdebug-prefix-map=$P/build=."},
		{name: "map-above", on: c, flags: "-g -ffile-prefix-map=/=ROOT/"},
		{name: "map-part", on: c, flags: "-g -ffile-prefix-map=$P/sr=Q"},
		{name: "S", on: c, flags: "-S -O1"},
		{name: "S-g", on: c, flags: "-S -g"},
	}
}

func isAbsolute(s *spelling) bool {
	switch s.name {
	case "inside", "relative":
		return false
	}
	return true
}

// rows is the table.
func rows() []row {
	var all []row
	for _, source := range []string{"plain.c", "file.c"} {
		for _, s := range spellings(source) {
			for _, f := range flagSets() {
				r := row{
					name: source + "/" + s.name + "/" + f.name, on: f.on, dir: s.dir, root: s.root,
					args: "-c " + f.flags + " " + s.flags + " " + s.source, unproven: f.unproven,
				}
				if isAbsolute(&s) && f.absolute != "" {
					r.unproven = f.absolute
				}
				r.short = f.short && (s.name == "relative" || s.name == "cmake" || f.name == "g")
				all = append(all, r)
			}
		}
	}
	return all
}
