//go:build linux

package keytable

import (
	"slices"
	"strings"
)

// Compilers by language.
const (
	c   = "gcc clang"
	cxx = "g++ clang++"
)

// What most rows compile.
const (
	cc    = `$CC -Ia -Ib -c main.c -o out.o`
	plain = "-- main.c --\n#include <h.h>\nint x = X;\n-- b/h.h --\n#define X 1\n-- a/other.h --\n"
)

func rows() []row {
	return slices.Concat(textRows(), searchRows(), flagRows(), environmentRows(), toolchainRows(), pathRows(), inputRows(), hitRows())
}

// textRows change what is read as source text.
func textRows() []row {
	return []row{
		{name: "source", on: c, files: plain, cmd: cc, change: `echo 'int y;' >>main.c`, back: `printf '#include <h.h>\nint x = X;\n' >main.c`},
		{name: "header", on: c, files: plain, cmd: cc, change: `echo '#define X 2' >b/h.h`, back: `echo '#define X 1' >b/h.h`},
		{name: "header-same-size-and-mtime", on: c, files: plain, cmd: cc, change: `echo '#define X 2' >b/h.h; touch -d '2020-01-02 03:04:05Z' b/h.h`},
		{name: "header-replaced", on: c, files: plain, cmd: cc, change: `echo '#define X 2' >b/n.h; mv b/n.h b/h.h`},
		{name: "header-at-once", on: c, files: plain, cmd: cc, change: `i=2; while [ $i -lt 9 ]; do echo "#define X $i" >b/h.h; i=$((i+1)); done`},
		{name: "header-comment", on: c, files: plain, cmd: cc, change: `echo '/* note */' >>b/h.h`},
		{name: "header-comment-above-warning", on: c, files: "-- main.c --\n#include \"h.h\"\nint x;\n-- h.h --\nstatic int f(void) { int unused; return 1; }\n", cmd: `$CC -Wall -c main.c -o out.o`, change: `printf '// one more line\n%s\n' "$(cat h.h)" >h.new; mv h.new h.h`},
		{name: "header-absolute", on: c, files: "-- main.c --\n#include \"h.h\"\nint x = X;\n-- h.h --\n#define X 1\n", cmd: `$CC -I"$PWD" -c main.c -o out.o`, change: `echo '#define X 2' >h.h`},
		{name: "header-outside", on: c, files: "-- p/main.c --\n#include <h.h>\nint x = X;\n-- q/h.h --\n#define X 1\n", cmd: `cd p && $CC -I../q -c main.c -o ../out.o`, change: `echo '#define X 2' >q/h.h`},
		{name: "header-isystem", on: c, files: plain, cmd: `$CC -isystem b -c main.c -o out.o`, change: `echo '#define X 2' >b/h.h`},
		{name: "header-with-MMD", on: c, files: plain, cmd: `$CC -MMD -isystem b -c main.c -o out.o`, change: `echo '#define X 2' >b/h.h`},
		{name: "header-with-MMD-g", on: c, files: plain, cmd: `$CC -g -MMD -isystem b -c main.c -o out.o`, change: `echo '#define X 2' >b/h.h`},
		{name: "header-with-MD", on: c, files: plain, cmd: `$CC -MD -Ib -c main.c -o out.o`, change: `echo '#define X 2' >b/h.h`},
		{name: "header-of-header", on: c, files: "-- main.c --\n#include \"a.h\"\nint x = X;\n-- a.h --\n#include \"b.h\"\n-- b.h --\n#define X 1\n", cmd: `$CC -c main.c -o out.o`, change: `echo '#define X 2' >b.h`},
		{name: "header-by-include-flag", on: c, files: "-- main.c --\nint x = X;\n-- h.h --\n#define X 1\n", cmd: `$CC -include h.h -c main.c -o out.o`, change: `echo '#define X 2' >h.h`},
		{name: "header-by-imacros", on: c, files: "-- main.c --\nint x = X;\n-- h.h --\n#define X 1\n", cmd: `$CC -imacros h.h -c main.c -o out.o`, change: `echo '#define X 2' >h.h`},
		{name: "header-computed", on: c, files: "-- main.c --\n#define Q(x) #x\n#define H Q(h.h)\n#include H\nint x = X;\n-- h.h --\n#define X 1\n", cmd: `$CC -c main.c -o out.o`, change: `echo '#define X 2' >h.h`},
		{name: "header-of-assembler", on: c, files: "-- main.S --\n#include \"h.h\"\n.long X\n-- h.h --\n#define X 1\n", cmd: `$CC -c main.S -o out.o`, change: `echo '#define X 2' >h.h`},
		{name: "header-symlink-turned", on: c, files: "-- main.c --\n#include \"h.h\"\nint x = X;\n-- one.h --\n#define X 1\n-- two.h --\n#define X 2\n", prep: `ln -s one.h h.h`, cmd: `$CC -c main.c -o out.o`, change: `ln -sfn two.h h.h`, back: `ln -sfn one.h h.h`},
		{name: "folder-symlink-turned", on: c, files: "-- main.c --\n#include \"d/h.h\"\nint x = X;\n-- one/h.h --\n#define X 1\n-- two/h.h --\n#define X 2\n", prep: `ln -s one d`, cmd: `$CC -c main.c -o out.o`, change: `ln -sfn two d`, back: `ln -sfn one d`},
		{name: "preprocessed-source", on: c, files: "-- main.i --\nint x = 1;\n", cmd: `$CC -c main.i -o out.o`, change: `echo 'int x = 2;' >main.i`},
		{name: "assembler-source", on: c, files: "-- main.s --\n.long 1\n", cmd: `$CC -c main.s -o out.o`, change: `echo '.long 2' >main.s`},
		{name: "edit-within-one-tick", on: c, files: plain, cmd: cc, prep: `echo '#define X 3' >b/h.h`, change: `echo '#define X 4' >b/h.h; echo '#define X 5' >b/h.h`},
		{name: "conditional-branch", on: c, files: "-- main.c --\n#include \"sel.h\"\n#if SEL\n#include \"one.h\"\n#else\n#include \"two.h\"\n#endif\nint x = X;\n-- sel.h --\n#define SEL 1\n-- one.h --\n#define X 1\n-- two.h --\n#define X 2\n", cmd: `$CC -c main.c -o out.o`, change: `echo '#define SEL 0' >sel.h`, back: `echo '#define SEL 1' >sel.h`},
	}
}

// searchRows change what names are found.
func searchRows() []row {
	has := "-- main.c --\n#if __has_include(\"opt.h\")\nint x = 1;\n#else\nint x = 2;\n#endif\n"
	return []row{
		{name: "shadowing-header", on: c, files: plain, cmd: cc, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-header-with-MD", on: c, files: plain, cmd: `$CC -MD -Ia -Ib -c main.c -o out.o`, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-header-g", on: c, files: plain, cmd: `$CC -g -Ia -Ib -c main.c -o out.o`, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-in-new-folder", on: c, files: "-- main.c --\n#include <h.h>\nint x = X;\n-- b/h.h --\n#define X 1\n", cmd: cc, change: `mkdir a; echo '#define X 2' >a/h.h`, back: `rm -r a`},
		{name: "shadowing-system-header", on: c, files: "-- main.c --\n#include <stddef.h>\n#ifdef OURS\nint x = 1;\n#endif\nint y;\n-- a/keep --\n", cmd: `$CC -Ia -c main.c -o out.o`, change: `printf '#define OURS\n' >a/stddef.h`, back: `rm a/stddef.h`},
		{name: "shadowing-nested", on: c, files: "-- main.c --\n#include <l/m.h>\nint x = X;\n-- a/l/keep --\n-- b/l/m.h --\n#define X 1\n", cmd: cc, change: `echo '#define X 2' >a/l/m.h`, back: `rm a/l/m.h`},
		{name: "shadowing-nested-new-folder", on: c, files: "-- main.c --\n#include <l/m.h>\nint x = X;\n-- a/keep --\n-- b/l/m.h --\n#define X 1\n", cmd: cc, change: `mkdir a/l; echo '#define X 2' >a/l/m.h`, back: `rm -r a/l`},
		{name: "shadowing-beside-includer", on: c, files: "-- main.c --\n#include \"s/in.h\"\nint x = X;\n-- s/in.h --\n#include \"h.h\"\n-- b/h.h --\n#define X 1\n", cmd: `$CC -Ib -c main.c -o out.o`, change: `echo '#define X 2' >s/h.h`, back: `rm s/h.h`},
		{name: "shadowing-by-symlink", on: c, files: plain, cmd: cc, prep: `echo '#define X 2' >two.h`, change: `ln -s ../two.h a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-dangling-symlink-filled", on: c, files: plain, cmd: cc, prep: `ln -s ../two.h a/h.h`, change: `echo '#define X 2' >two.h`, back: `rm two.h`},
		{name: "shadowing-for-include-flag", on: c, files: "-- main.c --\nint x = X;\n-- b/h.h --\n#define X 1\n-- a/keep --\n", cmd: `$CC -Ia -Ib -include h.h -c main.c -o out.o`, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-by-gch", on: "gcc", files: "-- main.c --\n#include \"h.h\"\nint x = X;\n-- h.h --\n#define X 1\n-- other.h --\n#define X 2\n", cmd: `$CC -c main.c -o out.o`, change: `$CC other.h -o h.h.gch`, want: miss},
		{name: "deleted-header", on: c, files: plain + "-- a/h.h --\n#define X 2\n", cmd: cc, change: `rm a/h.h`, back: `echo '#define X 2' >a/h.h`},
		{name: "include-next-appears", on: c, files: "-- main.c --\n#include <h.h>\nint x = X;\n-- a/h.h --\n#include_next <h.h>\n-- c/h.h --\n#define X 1\n-- b/keep --\n", cmd: `$CC -Ia -Ib -Ic -c main.c -o out.o`, change: `echo '#define X 2' >b/h.h`, back: `rm b/h.h`},
		{name: "has-include-appears", on: c, files: has, cmd: `$CC -c main.c -o out.o`, change: `touch opt.h`, back: `rm opt.h`},
		{name: "has-include-vanishes", on: c, files: has + "-- opt.h --\n", cmd: `$CC -c main.c -o out.o`, change: `rm opt.h`, back: `touch opt.h`},
		{name: "has-include-angle", on: c, files: "-- main.c --\n#if __has_include(<opt.h>)\nint x = 1;\n#else\nint x = 2;\n#endif\n-- a/keep --\n", cmd: `$CC -Ia -c main.c -o out.o`, change: `touch a/opt.h`, back: `rm a/opt.h`},
		{name: "has-include-in-header", on: c, files: "-- main.c --\n#include \"s/h.h\"\n-- s/h.h --\n#ifdef __has_include\n# if __has_include(\"opt.h\")\nint x = 1;\n# endif\n#endif\nint y;\n", cmd: `$CC -c main.c -o out.o`, change: `touch s/opt.h`, back: `rm s/opt.h`},
		{name: "has-include-computed", on: c, files: "-- main.c --\n#define O \"opt.h\"\n#if __has_include(O)\nint x = 1;\n#else\nint x = 2;\n#endif\n", cmd: `$CC -c main.c -o out.o`, change: `touch opt.h`, back: `rm opt.h`},
		{name: "has-include-with-MMD-g", on: c, files: has, cmd: `$CC -g -MMD -c main.c -o out.o`, change: `touch opt.h`, back: `rm opt.h`},
		{name: "has-include-next", on: c, files: "-- main.c --\n#include <h.h>\n-- a/h.h --\n#if __has_include_next(<h.h>)\nint x = 1;\n#else\nint x = 2;\n#endif\n-- b/keep --\n", cmd: `$CC -Ia -Ib -c main.c -o out.o`, change: `touch b/h.h`, back: `rm b/h.h`},
		{name: "search-folder-replaced-by-symlink", on: c, files: plain + "-- z/h.h --\n#define X 9\n", cmd: cc, change: `mv b old; ln -s z b`, back: `rm b; mv old b`},
	}
}

// flagRows change the command line: the second compile is another one.
func flagRows() []row {
	src := "-- main.c --\n#include <h.h>\n#include <g.h>\n#ifdef M\nint m;\n#endif\nstatic int unused;\nint f(int *p, int n) { int s = 0; for (int i = 0; i < n; i++) s += p[i]; return s; }\n" +
		"-- a/h.h --\n#define X 1\n-- b/h.h --\n#define X 2\n-- b/g.h --\n#define G\nint x = X;\n-- c/g.h --\nint y = X;\n"
	base := `$CC -Ia -Ib -c main.c -o out.o `
	flag := func(name, on, first, second string) row {
		return row{name: name, on: on, files: src, cmd: base + first, thenCmd: base + second}
	}
	return []row{
		flag("D", c, "-DM", "-DN"), flag("D-value", c, "-DM=1", "-DM=2"), flag("U", c, "-DM", "-DM -UM"),
		flag("O", c, "-O1", "-O2"), flag("std", c, "-std=gnu11", "-std=gnu17"), flag("march", c, "-O3 -march=x86-64", "-O3 -march=x86-64-v3"),
		flag("m", c, "-O2 -mno-red-zone", "-O2"), flag("f", c, "-fPIC", "-fno-PIC"), flag("f-later-wins", c, "-fPIC -fno-PIC", "-fno-PIC -fPIC"),
		flag("W-order", c, "-Wall -Wno-unused", "-Wno-unused -Wall"), flag("W-error-order", c, "-Wall -Werror -Wno-error", "-Wall -Wno-error"),
		flag("w", c, "-Wall", "-Wall -w"), flag("g", c, "", "-g"), flag("g-level", c, "-g1", "-g3"), flag("g0", c, "-g", "-g -g0"),
		flag("gdwarf", c, "-g -gdwarf-4", "-g -gdwarf-5"), flag("gz", c, "-g", "-g -gz"), flag("split-dwarf", c, "-g", "-g -gsplit-dwarf"),
		flag("prefix-map", c, "-g -fdebug-prefix-map=$PWD=/a", "-g -fdebug-prefix-map=$PWD=/b"),
		flag("random-seed", "gcc", "-flto -frandom-seed=a", "-flto -frandom-seed=b"), flag("param", "gcc", "-O2", "-O2 --param max-unrolled-insns=1 -funroll-loops"),
		flag("Wa", "gcc", "", "-Wa,--generate-missing-build-notes=yes"),
		flag("instrument", c, "", "-finstrument-functions"), flag("coverage", c, "", "--coverage"), flag("profile", c, "-fprofile-generate=a", "-fprofile-generate=b"),
		flag("sanitizer", c, "", "-fsanitize=undefined"), flag("visibility", c, "", "-fvisibility=hidden"), flag("lto", c, "", "-flto"),
		flag("common", c, "-fcommon", "-fno-common"), flag("record-switches", "gcc", "-frecord-gcc-switches", "-frecord-gcc-switches -DNOTHING"),
		flag("color", c, "-Wall -fdiagnostics-color=never", "-Wall -fdiagnostics-color=always"),
		flag("mllvm", "clang", "-O2", "-O2 -mllvm -force-vector-width=8"), flag("target", "clang", "-ffreestanding -target x86_64-linux-gnu", "-ffreestanding -target i686-linux-gnu"),
		{name: "I-order", on: c, files: src, cmd: base, thenCmd: `$CC -Ib -Ia -c main.c -o out.o`},
		{name: "I-other", on: c, files: src, cmd: base, thenCmd: `$CC -Ia -Ic -c main.c -o out.o`},
		{name: "I-becomes-isystem", on: c, files: "-- main.c --\n#include <h.h>\nint x;\n-- a/h.h --\nstatic int unused(void) { int u; return 1; }\n", cmd: `$CC -Wall -Wextra -Ia -c main.c -o out.o`, thenCmd: `$CC -Wall -Wextra -isystem a -c main.c -o out.o`},
		{name: "x", on: c, files: "-- main.c --\nint x;\n", cmd: `$CC -xc -c main.c -o out.o`, thenCmd: `$CC -xc++ -c main.c -o out.o`},
		{name: "S", on: c, files: src, cmd: base, thenCmd: `$CC -Ia -Ib -S main.c -o out.o`},
		{name: "compiler-name", on: "gcc", files: "-- main.c --\nint x;\n", cmd: `$CC -c main.c -o out.o`, thenCmd: `$WRAP g++ -c main.c -o out.o`},
		{name: "response-file", on: c, files: src + "-- args --\n-DM\n", cmd: base + "@args", change: "echo -DN >args"},
		{name: "response-file-nested", on: c, files: src + "-- args --\n@more\n-- more --\n-O1\n", cmd: base + "@args", change: "echo -O2 >more"},
		{name: "dates", on: c, files: "-- main.c --\nconst char *d = __DATE__;\n", cmd: `$CC -c main.c -o out.o`, thenCmd: `$CC -Wno-builtin-macro-redefined '-D__DATE__="1 Jan"' -c main.c -o out.o`},
	}
}

// environmentRows change one variable.
func environmentRows() []row {
	two := "-- main.c --\n#include <h.h>\nint x = X;\n-- a/h.h --\n#define X 1\n-- b/h.h --\n#define X 2\n"
	warn := "-- main.c --\nint f(void) { int unused; return 1; }\n"
	env := func(name, on, first, second string) row {
		return row{name: name, on: on, files: two, cmd: `$CC -c main.c -o out.o`, env: []string{first}, then: []string{second}}
	}
	return []row{
		env("CPATH", c, "CPATH=a", "CPATH=b"), env("C_INCLUDE_PATH", c, "C_INCLUDE_PATH=a", "C_INCLUDE_PATH=b"),
		{name: "CPLUS_INCLUDE_PATH", on: cxx, files: two, cmd: `$CC -xc++ -c main.c -o out.o`, env: []string{"CPLUS_INCLUDE_PATH=a"}, then: []string{"CPLUS_INCLUDE_PATH=b"}},
		{name: "CPATH-content", on: c, files: two, cmd: `$CC -c main.c -o out.o`, env: []string{"CPATH=a"}, change: "echo '#define X 3' >a/h.h"},
		{name: "SOURCE_DATE_EPOCH-date", on: "gcc", files: "-- main.c --\nconst char *d = __DATE__;\n", cmd: `$CC -c main.c -o out.o`, env: []string{"SOURCE_DATE_EPOCH=0"}, then: []string{"SOURCE_DATE_EPOCH=999999"}},
		{name: "SOURCE_DATE_EPOCH-appears", on: "gcc", files: "-- main.c --\nconst char *d = __DATE__;\n", cmd: `$CC -c main.c -o out.o`, then: []string{"SOURCE_DATE_EPOCH=0"}},
		{name: "locale", on: "gcc", files: warn, cmd: `$CC -Wall -c main.c -o out.o`, env: []string{"LC_ALL=C"}, then: []string{"LC_ALL=C.UTF-8"}},
		{name: "GCC_COLORS", on: "gcc", files: warn, cmd: `$CC -Wall -fdiagnostics-color=always -c main.c -o out.o`, env: []string{"GCC_COLORS=warning=01;35"}, then: []string{"GCC_COLORS=warning=01;36"}},
		{name: "COMPILER_PATH-as", on: "gcc", files: "-- main.c --\nint x;\n", prep: "mkdir t; cp -L /usr/bin/as t/as; printf x >>t/as", cmd: `$CC -c main.c -o out.o`, then: []string{"COMPILER_PATH=t"}},
		{name: "timezone-timestamp", on: c, files: "-- main.c --\nconst char *s = __TIMESTAMP__;\n", cmd: `$CC -c main.c -o out.o`, env: []string{"TZ=UTC"}, then: []string{"TZ=Asia/Tokyo"}},
		{name: "MACOSX_DEPLOYMENT_TARGET", on: "clang", files: "-- main.c --\nint x;\n", cmd: `$CC -target x86_64-apple-darwin -c main.c -o out.o`, env: []string{"MACOSX_DEPLOYMENT_TARGET=10.14"}, then: []string{"MACOSX_DEPLOYMENT_TARGET=11.0"}},
	}
}

// toolchainRows change a program.
func toolchainRows() []row {
	src := "-- main.c --\nint x;\n"
	// A compiler of our own: a copy of gcc's driver in a folder of ours.
	own := `mkdir -p t && cp -L "$(command -v gcc)" t/mycc`
	// Another assembler: the same with one byte more.
	fakeAs := `cp -L /usr/bin/as t/as; printf x >>t/as`
	fakeObjcopy := `cp -L /usr/bin/objcopy t/objcopy; printf x >>t/objcopy`
	mycc := `$WRAP "$PWD/t/mycc" -B/usr/lib/gcc/x86_64-linux-gnu/12/ -c main.c -o out.o`
	return []row{
		{name: "compiler-bytes", on: "gcc", files: src, prep: own, cmd: mycc, change: `printf x >>t/mycc`},
		{name: "compiler-bytes-same-mtime", on: "gcc", files: src, prep: own + `; touch -d 2020-01-01 t/mycc`, cmd: mycc, change: `printf x >>t/mycc; touch -d 2020-01-01 t/mycc`},
		{name: "compiler-mtime-only", on: "gcc", files: src, prep: own, cmd: mycc, change: `touch -d 2021-01-01 t/mycc`, want: hit},
		{name: "compiler-hard-link-as-c++", on: "gcc", files: src, prep: `mkdir -p t && cp -L "$(command -v gcc)" t/gcc && cp -L "$(command -v g++)" t/g++`, cmd: `$WRAP "$PWD/t/gcc" -B/usr/lib/gcc/x86_64-linux-gnu/12/ -c main.c -o out.o`, thenCmd: `$WRAP "$PWD/t/g++" -B/usr/lib/gcc/x86_64-linux-gnu/12/ -c main.c -o out.o`},
		{name: "another-as-on-PATH", on: "gcc", files: src, prep: `mkdir t`, cmd: `PATH="$PWD/t:$PATH"; $CC -c main.c -o out.o`, change: fakeAs, back: "rm t/as"},
		{name: "another-objcopy-on-PATH", on: "gcc", files: src, prep: `mkdir t`, cmd: `PATH="$PWD/t:$PATH"; $CC -g -gsplit-dwarf -c main.c -o out.o`, change: fakeObjcopy, back: "rm t/objcopy"},
		{name: "clang-external-objcopy", on: "clang", files: src, prep: `mkdir t`, cmd: `$CC -g -gsplit-dwarf -fno-integrated-as -B$PWD/t -c main.c -o out.o`, change: fakeObjcopy, back: "rm t/objcopy"},
		{name: "another-as-by-B", on: "gcc", files: src, prep: `mkdir t`, cmd: `$CC -B$PWD/t -c main.c -o out.o`, change: fakeAs, back: "rm t/as"},
		{name: "as-replaced", on: "gcc", files: src, prep: `mkdir t; cp /usr/bin/as t/as`, cmd: `$CC -B$PWD/t -c main.c -o out.o`, change: `rm t/as; ` + fakeAs},
		{name: "clang-external-as", on: "clang", files: src, prep: `mkdir t`, cmd: `$CC -fno-integrated-as -B$PWD/t -c main.c -o out.o`, change: fakeAs, back: "rm t/as"},
		{name: "specs-content", on: "gcc", files: src + "-- my.specs --\n*cc1_options:\n+ -O1\n\n", cmd: `$CC -specs=my.specs -c main.c -o out.o`, change: `printf '*cc1_options:\n+ -g -O2\n\n' >my.specs`, want: never},
		{name: "config-content", on: "clang", files: src + "-- my.cfg --\n-O1\n", cmd: `$CC --config ./my.cfg -c main.c -o out.o`, change: `echo '-g' >my.cfg`, want: never},
	}
}

// pathRows move the same text to another place.
func pathRows() []row {
	src := "-- one/main.c --\n#include \"h.h\"\nint x = X;\n-- one/h.h --\n#define X 1\n-- two/main.c --\n#include \"h.h\"\nint x = X;\n-- two/h.h --\n#define X 1\n"
	file := "-- one/main.c --\nconst char *f = __FILE__;\n-- two/main.c --\nconst char *f = __FILE__;\n"
	location := "-- one/main.cc --\n#include <source_location>\nconst char *f() { return std::source_location::current().file_name(); }\n"
	location += strings.ReplaceAll(location, "one/", "two/")
	lambda := "-- one/main.cc --\ntemplate <class T> const char *n(T) { return __PRETTY_FUNCTION__; }\nconst char *f() { return n([] {}); }\n"
	lambda += strings.ReplaceAll(lambda, "one/", "two/")
	here := func(flags string) (string, string) {
		return "cd one && $CC " + flags + " -c main.c -o out.o; mv out.o ..", "cd two && $CC " + flags + " -c main.c -o out.o; mv out.o .."
	}
	in := func(name, on, files, flags string, w want) row {
		first, second := here(flags)
		return row{name: name, on: on, files: files, cmd: first, thenCmd: second, want: w}
	}
	return []row{
		in("folder", c, src, "", hit), in("folder-O2-Wall", c, src, "-O2 -Wall", hit), in("folder-MD", c, src, "-MD", hit),
		in("folder-g", c, src, "-g", miss),
		// The objects are equal, so that a hit would be right; the key holds
		// the map as it is spelled.
		in("folder-g-mapped", c, src, `-g -fdebug-prefix-map="$PWD"=/src`, miss),
		in("folder-g0", c, src, "-g -g0", hit), in("folder-coverage", c, src, "--coverage", miss), in("folder-profile-dir", c, src, "-fprofile-generate=p", miss),
		in("folder-g-split", c, src, "-g -gsplit-dwarf", miss),
		in("folder-file-macro-relative", c, file, "", hit),
		{name: "file-macro-absolute", on: c, files: file, cmd: `$CC -c "$PWD/one/main.c" -o out.o`, thenCmd: `$CC -c "$PWD/two/main.c" -o out.o`},
		{name: "file-macro-of-the-command-line", on: c, files: strings.ReplaceAll(file, "__FILE__", "F"), cmd: `$CC -DF=__FILE__ -c "$PWD/one/main.c" -o out.o`, thenCmd: `$CC -DF=__FILE__ -c "$PWD/two/main.c" -o out.o`},
		{name: "file-macro-in-pieces", on: c, files: strings.ReplaceAll(file, "const char *f = __FILE__", "#define P(x) __##x##__\nconst char *f = P(FILE)"), cmd: `$CC -c "$PWD/one/main.c" -o out.o`, thenCmd: `$CC -c "$PWD/two/main.c" -o out.o`},
		{name: "source-location-absolute", on: "g++", files: location, cmd: `$CC -std=c++20 -c "$PWD/one/main.cc" -o out.o`, thenCmd: `$CC -std=c++20 -c "$PWD/two/main.cc" -o out.o`},
		{name: "lambda-signature-absolute", on: "clang++", files: lambda, cmd: `$CC -c "$PWD/one/main.cc" -o out.o`, thenCmd: `$CC -c "$PWD/two/main.cc" -o out.o`},
		{name: "lambda-signature-absolute-no-file", on: "g++", files: lambda, cmd: `cd one && $CC -c "$PWD/main.cc" -o out.o; mv out.o ..`, thenCmd: `cd two && $CC -c "$PWD/main.cc" -o out.o; mv out.o ..`, want: hit},
		{name: "lambda-signature-relative", on: "clang++", files: lambda, cmd: `cd one && $CC -c main.cc -o out.o; mv out.o ..`, thenCmd: `cd two && $CC -c main.cc -o out.o; mv out.o ..`, want: hit},
		{name: "file-macro-spelled-otherwise", on: c, files: file, cmd: `$CC -c one/main.c -o out.o`, thenCmd: `$CC -c ./one/main.c -o out.o`},
		{name: "absolute-without-file-macro", on: c, files: src, cmd: `cd one && $CC -c "$PWD/main.c" -o out.o; mv out.o ..`, thenCmd: `cd two && $CC -c "$PWD/main.c" -o out.o; mv out.o ..`, want: hit},
		{name: "absolute-g", on: c, files: src, cmd: `$CC -g -c "$PWD/one/main.c" -o out.o`, thenCmd: `$CC -g -c "$PWD/two/main.c" -o out.o`},
		{name: "warning-names-folder", on: c, files: "-- one/main.c --\nint f(void) { int u; return 1; }\n-- two/main.c --\nint f(void) { int u; return 1; }\n", cmd: `$CC -Wall -c one/main.c -o out.o`, thenCmd: `$CC -Wall -c two/main.c -o out.o`},
		{name: "assert-absolute-header", on: c, files: "-- one/main.c --\n#include <a.h>\n-- one/a.h --\n#include <assert.h>\nstatic inline void f(int x) { assert(x); }\nvoid g(void) { f(1); }\n-- two/main.c --\n#include <a.h>\n-- two/a.h --\n#include <assert.h>\nstatic inline void f(int x) { assert(x); }\nvoid g(void) { f(1); }\n", cmd: `cd one && $CC -I"$PWD" -c main.c -o ../out.o`, thenCmd: `cd two && $CC -I"$PWD" -c main.c -o ../out.o`},
		{name: "g-through-symlink", on: c, files: src, prep: `ln -s one link`, cmd: `cd one && $CC -g -c main.c -o ../out.o`, thenCmd: `cd link && $CC -g -c main.c -o ../out.o`},
		{name: "beside-r.h", on: c, files: "-- a/x.c --\n#include \"r.h\"\nint x = R;\n-- a/r.h --\n#define R 1\n-- b/x.c --\n#include \"r.h\"\nint x = R;\n-- b/r.h --\n#define R 2\n", cmd: `$CC -c a/x.c -o out.o`, thenCmd: `$CC -c b/x.c -o out.o`},
	}
}

// inputRows change files that are no source text.
func inputRows() []row {
	train := `echo 'int lib(int); int main(int c, char **v) { int s = 0; for (int i = 0; i < 9 * c; i++) s += lib(i % 2); return s > 99; }' >train.c; ` +
		`$CC -O2 -fprofile-generate -c main.c -o out.o; $CC -fprofile-generate train.c out.o -o train; `
	return []row{
		{name: "incbin", on: c, files: "-- main.c --\n__asm__(\".incbin \\\"blob\\\"\");\n-- blob --\none\n", cmd: `$CC -c main.c -o out.o`, change: `echo two >blob`, back: `echo one >blob`},
		{name: "incbin-split-literal", on: c, files: "-- main.c --\n__asm__(\".incbin\" \" \\\"blob\\\"\");\n-- blob --\none\n", cmd: `$CC -c main.c -o out.o || true`, change: `echo two >blob`, want: notHit},
		{name: "incbin-assembler", on: c, files: "-- main.s --\n.incbin \"blob\"\n-- blob --\none\n", cmd: `$CC -c main.s -o out.o`, change: `echo two >blob`, back: `echo one >blob`},
		{name: "incbin-with-MD", on: c, files: "-- main.c --\n__asm__(\".incbin \\\"blob\\\"\");\n-- blob --\none\n", cmd: `$CC -MD -c main.c -o out.o`, change: `echo two >blob`},
		{name: "incbin-searched", on: "gcc", files: "-- main.c --\n__asm__(\".incbin \\\"blob\\\"\");\n-- a/blob --\none\n", cmd: `$CC -Wa,-Ia -c main.c -o out.o`, change: `echo two >a/blob`, want: never},
		{name: "assembler-include", on: c, files: "-- main.s --\n.include \"in.s\"\n-- in.s --\n.long 1\n", cmd: `$CC -c main.s -o out.o`, change: `echo .long 2 >in.s`},
		{name: "gch", on: "gcc", files: "-- main.c --\n#include \"h.h\"\nint x = X;\n-- h.h --\n#define X 1\n-- o.h --\n#define X 2\n", prep: `$CC h.h`, cmd: `$CC -c main.c -o out.o`, change: `$CC o.h -o h.h.gch`},
		{name: "pch", on: "clang", files: "-- main.c --\nint x = X;\n-- h.h --\n#define X 1\n-- o.h --\n#define X 2\n", prep: `$CC -x c-header h.h -o h.pch`, cmd: `$CC -include-pch h.pch -c main.c -o out.o`, change: `$CC -x c-header o.h -o h.pch`},
		{name: "ignorelist", on: "clang", files: "-- main.c --\nint f(int *p) { return *p; }\n-- list --\nfun:other\n", cmd: `$CC -fsanitize=address -fsanitize-ignorelist=list -c main.c -o out.o`, change: `echo fun:f >list`},
		{name: "profile-data", on: "gcc", files: "-- main.c --\nint lib(int x) { if (x) return x * 3; return 0; }\n", prep: train + `./train`, cmd: `$CC -O2 -fprofile-use -c main.c -o out.o`, change: `./train a b c d e f`},
		{name: "timestamp", on: c, files: "-- main.c --\nconst char *s = __TIMESTAMP__;\n", cmd: `$CC -c main.c -o out.o`, change: `touch -d 2021-01-01 main.c`},
		{name: "output-name-in-dwo", on: c, files: "-- main.c --\nint x;\n-- d/keep --\n", cmd: `$CC -g -gsplit-dwarf -c main.c -o out.o`, thenCmd: `$CC -g -gsplit-dwarf -c main.c -o d/other.o && mv d/other.o out.o`},
		{name: "output-name-in-coverage", on: c, files: "-- main.c --\nint f(void) { return 1; }\n-- d/keep --\n", cmd: `$CC --coverage -c main.c -o out.o`, thenCmd: `$CC --coverage -c main.c -o d/other.o && mv d/other.o out.o`},
	}
}

// hitRows change what cannot reach the result.
func hitRows() []row {
	h := func(name, on, change string) row {
		return row{name: name, on: on, files: plain, cmd: cc, change: change, want: hit}
	}
	rows := []row{
		h("mtime-of-source", c, `touch -d 2021-01-01 main.c`),
		h("mtime-of-header", c, `touch -d 2021-01-01 b/h.h`),
		h("mode-of-header", c, `chmod 600 b/h.h`),
		h("inode-of-header", c, `cp b/h.h b/n.h; mv b/n.h b/h.h`),
		h("hard-link-to-header", c, `ln b/h.h b/n.h`),
		h("unrelated-header", c, `echo '#error' >a/unrelated.h`),
		h("unused-header", c, `echo '#define Y' >a/other.h`),
		h("unrelated-file", c, `echo >file`),
		h("written-and-restored", c, `cp -p b/h.h /tmp/$$; echo >b/h.h; mv /tmp/$$ b/h.h`),
		h("output-exists", c, `echo old >out.o`),
	}
	more := []row{
		{name: "unrelated-variable", then: []string{"UNRELATED=2"}},
		{name: "PATH-longer", thenCmd: `PATH="$PATH:/nowhere"; ` + cc},
		{name: "SOURCE_DATE_EPOCH-unused", then: []string{"SOURCE_DATE_EPOCH=77"}},
		{name: "TERM-without-messages", then: []string{"TERM=dumb"}},
		{name: "TMPDIR", then: []string{"TMPDIR=/tmp"}},
		{name: "pipe", thenCmd: `$CC -pipe -Ia -Ib -c main.c -o out.o`},
		{name: "output-joined", thenCmd: `$CC -Ia -Ib -c main.c -oout.o`},
		{name: "output-elsewhere", thenCmd: `$CC -Ia -Ib -c main.c -o a/x.o && mv a/x.o out.o`},
		{name: "order-of-output", thenCmd: `$CC -o out.o -Ia -Ib -c main.c`},
		{name: "MD-added-later-hits-object", cmd: `$CC -MD -MF one.d -Ia -Ib -c main.c -o out.o`, thenCmd: `$CC -MD -MF two.d -Ia -Ib -c main.c -o out.o`},
		{name: "MT", cmd: `$CC -MD -MT one -Ia -Ib -c main.c -o out.o`, thenCmd: `$CC -MD -MT two -Ia -Ib -c main.c -o out.o`},
		{name: "PWD-unset", then: []string{"PWD"}},
		{name: "umask", thenCmd: `umask 077; $CC -Ia -Ib -c main.c -o out.o`},
	}
	for _, r := range more {
		r.on, r.files, r.want = c, plain, hit
		if r.cmd == "" {
			r.cmd = cc
		}
		rows = append(rows, r)
	}
	return rows
}
