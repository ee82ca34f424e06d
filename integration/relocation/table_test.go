//go:build linux

package relocation

import (
	"strings"

	"github.com/rexwrap/rexwrap/localserver/layout"
)

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
	output          string // for those with an absolute output only
	short           bool
}

func flagSets() []flagSet {
	const named = "the names are the worker's"
	return []flagSet{
		{name: "bare", on: c, flags: "", short: true},
		{name: "O2", on: c, flags: "-O2 -Wall -fPIC"},
		{name: "g", on: c, flags: "-g", short: true},
		{name: "g3-O2", on: c, flags: "-g3 -O2", short: true},
		{name: "g1", on: c, flags: "-g1"},
		{name: "ggdb", on: c, flags: "-ggdb3 -Og"},
		{name: "dwarf4", on: "gcc", flags: "-g -gdwarf-4", absolute: "gcc numbers files anew once a map applies"},
		{name: "dwarf4", on: "clang", flags: "-g -gdwarf-4"},
		{name: "dwarf5", on: c, flags: "-g -gdwarf-5"},
		{name: "gz", on: c, flags: "-g -gz"},
		{name: "pubnames", on: c, flags: "-g -ggnu-pubnames -gno-column-info"},
		{name: "locations", on: "gcc", flags: "-g -O2 -gstatement-frontiers -gno-variable-location-views"},
		{name: "line-tables", on: "clang", flags: "-gline-tables-only -glldb"},
		{name: "split", on: "gcc", flags: "-g -gsplit-dwarf", absolute: "gcc numbers files anew with -g3", short: true},
		{name: "split-O2", on: "gcc", flags: "-g3 -O2 -gsplit-dwarf", absolute: "gcc numbers files anew"},
		{name: "split", on: "clang", flags: "-g -gsplit-dwarf", output: "the name of the .dwo is in the object", short: true},
		{name: "split-O2", on: "clang", flags: "-g3 -O2 -gsplit-dwarf", output: "the name of the .dwo is in the object"},
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
		{name: "map-relative", on: c, flags: "-g -ffile-prefix-map=../=UP/"},
		{name: "S", on: c, flags: "-S -O1"},
		{name: "S-g", on: c, flags: "-S -g"},
		{name: "asan", on: c, flags: "-fsanitize=address", absolute: named},
		{name: "tsan-g", on: c, flags: "-g -fsanitize=thread", absolute: named},
		{name: "ubsan-g", on: c, flags: "-g -fsanitize=undefined,address", absolute: named},
		{name: "leak", on: c, flags: "-fsanitize=leak", unproven: "not tried"},
		{name: "coverage", on: c, flags: "--coverage", unproven: "the working directory is the worker's"},
		{name: "coverage-g", on: c, flags: "-g --coverage", unproven: "the working directory is the worker's"},
		{name: "profile", on: "gcc", flags: "-fprofile-generate", unproven: "differs from run to run"},
		{name: "profile", on: "clang", flags: "-fprofile-generate -g", absolute: named},
		{name: "instr-profile", on: "clang", flags: "-fprofile-instr-generate -fcoverage-mapping", absolute: named},
		{name: "lto", on: "gcc", flags: "-flto -O2", unproven: "differs from run to run"},
		{name: "lto", on: "clang", flags: "-flto -O2", absolute: named},
		{name: "lto-g", on: "clang", flags: "-flto -g", absolute: named},
		{name: "record", on: "gcc", flags: "-frecord-gcc-switches", unproven: "the command line is in the object"},
		{name: "verbose-asm", on: "gcc", flags: "-S -fverbose-asm", unproven: "the limits of memory are the worker's"},
		{name: "stack-usage", on: c, flags: "-fstack-usage", absolute: named},
		{name: "stack-usage-g", on: c, flags: "-g -fstack-usage", absolute: named},
		{name: "callgraph", on: "gcc", flags: "-fcallgraph-info", absolute: named},
		{name: "clones", on: "gcc", flags: "-fdump-ipa-clones -O2", absolute: named},
		{name: "opt-record", on: c, flags: "-fsave-optimization-record -O2", unproven: "names and times are the worker's"},
		{name: "opt-info", on: "gcc", flags: "-fopt-info-all=notes.txt -O2", absolute: named},
		{name: "time-trace", on: "clang", flags: "-ftime-trace", unproven: "times are the worker's"},
		{name: "serialize", on: "clang", flags: "-Wall --serialize-diagnostics x.dia", absolute: named},
		{name: "emit-llvm", on: "clang", flags: "-emit-llvm", absolute: named},
		{name: "unique-names", on: "clang", flags: "-funique-internal-linkage-names", absolute: named},
		{name: "compilation-dir", on: "clang", flags: "-g -ffile-compilation-dir=."},
		{name: "debug-dir", on: "clang", flags: "-g -fdebug-compilation-dir=/nowhere"},
		{name: "native", on: c, flags: "-march=native", unproven: "the processor is the worker's"},
		{name: "syntax", on: c, flags: "-fsyntax-only -Wall"},
	}
}

// mode is -c, unless the flags say what to do.
func mode(flags string) string {
	if strings.HasPrefix(flags, "-S") || strings.HasPrefix(flags, "-fsyntax-only") {
		return ""
	}
	return "-c "
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
					args: mode(f.flags) + f.flags + " " + s.flags + " " + s.source, unproven: f.unproven,
				}
				if isAbsolute(&s) && f.absolute != "" {
					r.unproven = f.absolute
				}
				if strings.Contains(s.flags, "-o $") && f.output != "" {
					r.unproven = f.output
				}
				r.short = f.short && (s.name == "relative" || s.name == "cmake" || f.name == "g")
				all = append(all, r)
			}
		}
	}
	return append(all, special()...)
}

// special are the rows that are about their sources.
func special() []row {
	const (
		rel = "-c -I../inc -o obj/x.o ../src/"
		// pch makes a precompiled header; the compile's flags go behind it.
		pch = "cp ../inc/k.h pre.h; cp -r ../inc/deep ../inc/k2.h .; $CC -I../inc -c pre.h -o pre.h.gch"
		abs = "-c -I$P/inc -I$P/build/gen -o $P/build/obj/x.o $P/src/"
	)
	in := func(name, on, args string) row {
		return row{name: name, on: on, dir: "$P/build", args: args}
	}
	not := func(r row, why string) row { r.unproven = why; return r }
	hidden := func(r row) row { return not(r, "the dep-file does not name what the precompiled header hides") }
	short := func(r row) row { r.short = true; return r }
	with := func(r row, env ...string) row { r.env = env; return r }
	prepared := func(r row, prep string) row { r.prep = prep; return r }
	at := func(r row, dir, root string) row { r.dir, r.root = dir, root; return r }
	return []row{
		short(in("c++/relative", cxx, "-g -O2 "+rel+"plain.cc")),
		short(in("c++/no-assert/relative", "clang++", "-DNDEBUG -g -O2 "+rel+"plain.cc")), // the other one is not proven where it is shipped
		short(in("c++/absolute", cxx, "-DNDEBUG -g -O2 -MD "+abs+"plain.cc")),
		in("c++/absolute/O0", cxx, "-DNDEBUG -g3 "+abs+"plain.cc"),
		in("c++/absolute/assert", cxx, "-g -O2 "+abs+"plain.cc"),
		in("c++/absolute/signature", "g++", abs+"signature.cc"),
		not(in("c++/absolute/signature", "clang++", abs+"signature.cc"), "the file of a lambda can stand in the name of a function"),
		not(in("c++/absolute/assert/emit-llvm", "clang++", "-emit-llvm "+abs+"plain.cc"), "such a name cannot be seen"),
		in("c++/unnamed", cxx, abs+"hidden.cc"),
		in("c++/unnamed/g", cxx, "-g "+rel+"hidden.cc"),
		in("c++/as-c", cxx, "-DNDEBUG "+abs+"plain.c"),
		short(in("diagnostics/relative", c, "-Wall "+rel+"warn.c")),
		short(in("diagnostics/absolute", c, "-Wall -Wextra "+abs+"warn.c")),
		in("diagnostics/colour", c, "-Wall -fdiagnostics-color=always "+abs+"warn.c"),
		in("diagnostics/json", "gcc", "-Wall -fdiagnostics-format=json "+abs+"warn.c"),
		short(in("assembler/cpp", c, abs+"asm.S")),
		in("assembler/cpp/relative", c, "-MD "+rel+"asm.S"),
		in("assembler/cpp/g/relative", "gcc", "-g "+rel+"asm.S"),
		in("assembler/cpp/g/absolute", "gcc", "-g "+abs+"asm.S"),
		not(in("assembler/cpp/g/relative", "clang", "-g "+rel+"asm.S"), "the assembler in clang 14 heeds no map"),
		not(in("assembler/cpp/g/absolute", "clang", "-g "+abs+"asm.S"), "the assembler in clang 14 heeds no map"),
		in("assembler/bare", c, abs+"bare.s"),
		in("assembler/bare/g", "gcc", "-g "+rel+"bare.s"),
		at(in("assembler/incbin", c, "-c blob.S"), "$P/src", ""),
		prepared(in("preprocessed", c, "-g -c -o x.o pre.i"), "$CC -E -I$PWD/../inc -Igen $PWD/../src/plain.c -o pre.i"),
		prepared(in("preprocessed/absolute", c, "-g -c -o x.o $P/build/pre.i"), "$CC -E -I$PWD/../inc -Igen $PWD/../src/plain.c -o pre.i"),
		in("line-directive", c, "-g "+abs+"counter.c"),
		not(in("date", c, abs+"date.c"), "the day is the worker's"),
		with(in("date/epoch", "gcc", abs+"date.c"), "SOURCE_DATE_EPOCH=1000000000"),
		not(with(in("date/epoch", "clang", abs+"date.c"), "SOURCE_DATE_EPOCH=1000000000"), "clang 14 does not heed it"),
		not(in("timestamp", c, abs+"stamp.c"), "the source is younger on the worker"),
		in("climbing/relative", c, "-g -MD "+rel+"climb.c"),
		short(in("climbing/absolute", c, "-g -MD "+abs+"climb.c")),
		in("climbing/arguments", c, "-g -MD -c -I$P/src/../inc/deep/.. -Igen -o obj/x.o $P/build/../src/file.c"),
		not(in("literal", c, rel+"literal.c"), "the text names a file by an absolute path"),
		short(in("links/inside", c, "-g -MD "+abs+"linked.c")),
		in("links/inside/relative", c, "-g -MD "+rel+"linked.c"),
		short(in("links/outside", c, "-g -MD "+abs+"away.c")),
		in("links/outside/relative", c, "-g -MD "+rel+"away.c"),
		in("links/absolute", c, "-g -MD "+abs+"far.c"),
		in("links/absolute/relative", c, "-g -MD "+rel+"far.c"),
		short(in("outside/absolute", c, "-g -MD -I$E/include "+abs+"outer.c")),
		in("outside/plain", c, "-MD -I$E/include "+rel+"outer.c"),
		in("outside/relative", c, "-g -MD -I../../ext/include "+rel+"outer.c"),
		in("outside/relative-absolute", c, "-g -MD -I../../ext/include "+abs+"outer.c"),
		in("outside/output", c, "-g -c -I$P/inc -Igen -o $E/x.o ../src/plain.c"),
		in("outside/missing", c, "-g -I../../nowhere -I$E/nothing -I/nonexistent/folder "+abs+"file.c"),
		in("system/relative", c, "-g -MD -isystem ../inc -c -o x.o ../src/file.c"),
		in("system/relative/user", c, "-g -MMD -isystem ../inc -c -o x.o ../src/file.c"),
		in("system/absolute", c, "-MD -isystem $P/inc -c -o x.o ../src/sys.c"),
		in("system/absolute/g", c, "-g -MD -isystem $P/inc -c -o x.o ../src/sys.c"),
		in("system/absolute/all", c, "-g -MD -isystem $P/inc -c -o $P/build/x.o $P/src/sys.c"),
		in("system/absolute/warn", c, "-Wall -Wsystem-headers -isystem $P/inc -c -o x.o ../src/sys.c"),
		in("system/after", c, "-g -MD -idirafter $P/inc -c -o x.o $P/src/sys.c"),
		in("system/climbing", "clang", "-g -MD -isystem $P/inc -Igen -c -o x.o ../src/plain.c"),
		not(in("system/climbing", "gcc", "-MD -isystem $P/inc -Igen -c -o x.o ../src/plain.c"), "gcc shortens names of system headers"),
		at(in("system/outside", "clang", "-g -MD -isystem $E/include -c -o x.o src/outer.c"), "$P", ""),
		in("include", c, "-g -include ../inc/k.h -imacros ../inc/k2.h "+rel+"file.c"),
		in("include/absolute", c, "-g -include $P/inc/k.h -imacros $P/inc/k2.h "+rel+"file.c"),
		in("quote", c, "-g -iquote $P/inc/sys -I$P/inc -c -o x.o ../src/file.c"),
		at(in("response-file", c, "@flags.rsp -g -c -o x.o src/file.c"), "$P", ""),
		in("dashes", "clang", "-g -c -I$P/inc -o x.o -- $P/src/file.c"),
		with(in("environment", c, "-g -MD -c -o x.o $P/src/file.c"), "CPATH=$P/inc:", "LANG=C"),
		with(in("environment/relative", c, "-g -MD -c -o x.o ../src/file.c"), "C_INCLUDE_PATH=../inc"),
		at(with(in("pwd/real", c, "-g -MD "+abs+"file.c"), "PWD=$P/build"), "$P/build", ""),
		at(with(in("pwd/wrong", c, "-g -MD "+abs+"file.c"), "PWD=/tmp"), "$P/build", ""),
		at(with(in("pwd/link", c, "-g -MD -c -I$L/inc -Igen -o obj/x.o $L/src/file.c"), "PWD=$L/build"), "$P/build", "$L"),
		at(with(in("pwd/link/relative", c, "-g -MD "+rel+"file.c"), "PWD=$L/build"), "$P/build", "$L"),
		at(with(in("pwd/link/real-arguments", c, "-g -MD "+abs+"file.c"), "PWD=$L/build"), "$P/build", "$L"),
		not(at(with(in("pwd/link/both", c, "-g -MD -c -I$L/inc -Igen -o obj/x.o $P/src/file.c"), "PWD=$L/build"), "$P/build", "$L"), "two names for the project"),
		in("link-arguments", c, "-g -MD -c -I$L/inc -Igen -o obj/x.o $L/src/file.c"),
		at(in("no-root", c, "-g -c -I$P/inc -I$P/build/gen -o x.o $P/src/file.c"), "$P/src", "none"),
		prepared(hidden(in("pch/use", "gcc", "-g -I. -include pre.h -Igen "+rel+"plain.c")), pch+" -g"),
		prepared(hidden(in("pch/use/O2", "gcc", "-O2 -MD -I. -include pre.h -Igen "+rel+"file.c")), pch+" -O2"),
		prepared(hidden(in("pch/use/absolute", "gcc", "-g -MD -I$P/build -include $P/build/pre.h "+abs+"plain.c")), pch+" -g"),
		prepared(hidden(in("pch/use/absolute/file", "gcc", "-g -I$P/build -include $P/build/pre.h "+abs+"file.c")), pch+" -g"),
		prepared(not(in("pch/use", "clang", "-g -include-pch pre.h.pch -Igen "+rel+"plain.c"), "clang looks at the times of its inputs"), "cp ../inc/k.h pre.h; $CC -g -I../inc -c ../inc/k.h -o pre.h.pch"),
		not(in("pch/make", c, "-c ../inc/k.h -o k.h.gch"), "differs from run to run, or holds times"),
		in("odd/-x", c, "-g -x c -I$P/inc -Igen -c $P/src/plain.c -o x.o"),
		in("odd/define", c, "-g -DDIR=\"$P/share\" "+abs+"plain.c"),
		in("odd/-L", c, "-g -L$P/lib "+abs+"plain.c"),
		not(in("odd/-B", "gcc", "-g -B$P "+abs+"plain.c"), "programs are looked for there"),
	}
}
