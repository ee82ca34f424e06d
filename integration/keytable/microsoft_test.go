//go:build linux

package keytable

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// clang-cl, and fakecl in cl.exe's place.
const (
	clangCL    = "clang-cl-14"
	cl         = "cl"
	microsofts = clangCL + " " + cl
)

// What most rows compile. The bare compiler has a program database of its own.
const (
	clCommand  = `$CC /nologo /c /Brepro /Ia /Ib /Foout.o main.cpp`
	clDatabase = `$CC /nologo /c /Brepro /Zi /Fdp$WRAP.pdb /Ia /Ib /Foout.o main.cpp`
	clPlain    = "-- main.cpp --\n#include <h.h>\nint x = X;\n-- b/h.h --\n#define X 1\n-- a/other.h --\n-- c/h.h --\n#define X 3\n"
)

// TestMicrosoftKey is TestKey for Microsoft's command line: every fourth row, with one of
// both compilers, in the ordinary run.
func TestMicrosoftKey(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, cl), "../msvc/fakecl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build fakecl: %v\n%s", err, out)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	r, err := rig.New(bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	for n, row := range microsoftRows() {
		all := strings.Fields(row.on)
		if !rig.Long() {
			if n%4 != 0 {
				continue
			}
			all = all[n/4%len(all):][:1]
		}
		for _, compiler := range all {
			t.Run(row.name+"/"+compiler, func(t *testing.T) {
				s := stage{t: t, rig: r, row: row, compiler: compiler, macro: fmt.Sprintf("ROW%d", n)}
				s.run(filepath.Join(t.TempDir(), "w"))
			})
		}
	}
}

func microsoftRows() []row {
	return slices.Concat(clTextRows(), clFlagRows(), clEnvironmentRows(), clOutputRows(), clHitRows())
}

// clTextRows change what is read, and what names are found.
func clTextRows() []row {
	const beside = "-- main.cpp --\n#include \"s/in.h\"\nint x = X;\n-- s/in.h --\n#include \"h.h\"\n-- b/h.h --\n#define X 1\n"
	const has = "-- main.cpp --\n#if __has_include(\"opt.h\")\nint x = 1;\n#else\nint x = 2;\n#endif\n"
	return []row{
		{name: "source", on: microsofts, files: clPlain, cmd: clCommand, change: `echo 'int y;' >>main.cpp`},
		{name: "header", on: microsofts, files: clPlain, cmd: clCommand, change: `echo '#define X 2' >b/h.h`, back: `echo '#define X 1' >b/h.h`},
		{name: "header-with-database", on: cl, files: clPlain, cmd: clDatabase, change: `echo '#define X 2' >b/h.h`, back: `echo '#define X 1' >b/h.h`},
		{name: "header-with-Z7", on: microsofts, files: clPlain, cmd: clCommand + " /Z7", change: `echo '#define X 2' >b/h.h`},
		{name: "header-with-showIncludes", on: microsofts, files: clPlain, cmd: clCommand + " /showIncludes", change: `echo '#define X 2' >b/h.h`},
		{name: "header-forced", on: microsofts, files: clPlain, cmd: clCommand + " /FIc/h.h", change: `echo '#undef X' >c/h.h`},
		{name: "header-external", on: microsofts, files: clPlain, cmd: `$CC /nologo /c /Brepro /external:Ib /external:W0 /Foout.o main.cpp`, change: `echo '#define X 2' >b/h.h`},
		{name: "shadowing-header", on: microsofts, files: clPlain, cmd: clCommand, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-with-database", on: cl, files: clPlain, cmd: clDatabase, change: `echo '#define X 2' >a/h.h`, back: `rm a/h.h`},
		{name: "shadowing-beside-includer", on: microsofts, files: beside, cmd: clCommand, change: `echo '#define X 2' >s/h.h`, back: `rm s/h.h`},
		{name: "shadowing-beside-source", on: microsofts, files: beside, cmd: clCommand, change: `echo '#define X 2' >h.h`, back: `rm h.h`},
		{name: "has-include-appears", on: microsofts, files: has, cmd: clCommand, change: `touch opt.h`, back: `rm opt.h`},
		{name: "response-file", on: microsofts, files: clPlain + "-- args.rsp --\n/DM=1\n", cmd: clCommand + " @args.rsp", change: "echo /DM=2 >args.rsp"},
		{name: "precompiled-header", on: cl, files: clPlain, cmd: clCommand + " /Yub/h.h /FIb/h.h /Fpx.pch || true", change: `echo '#define X 2' >b/h.h`},
		{name: "precompiled-header-made", on: cl, files: clPlain, cmd: clCommand + " /Ycb/h.h /FIb/h.h /Fpx.pch || true", change: `echo '#define X 2' >b/h.h`, want: never},
	}
}

// clFlagRows change one argument.
func clFlagRows() []row {
	const source = "-- main.cpp --\n#include <h.h>\nint f(int *p) { int y = *p; return X + y; }\n-- a/h.h --\n#define X 1\n-- b/h.h --\n#define X 2\n"
	flag := func(name, on, first, second string) row {
		return row{name: name, on: on, files: source, cmd: clCommand + " " + first, thenCmd: clCommand + " " + second}
	}
	return []row{
		{name: "I-order", on: microsofts, files: source, cmd: clCommand, thenCmd: `$CC /nologo /c /Brepro /Ib /Ia /Foout.o main.cpp`},
		flag("D", microsofts, "/DM=1", "/DM=2"), flag("U", microsofts, "/DM", "/DM /UM"), flag("O", microsofts, "/O1", "/O2"),
		flag("EH", microsofts, "", "/EHsc"), flag("std", microsofts, "/std:c++17", "/std:c++20"), flag("runtime", microsofts, "/MT", "/MDd"),
		flag("W", microsofts, "/W0", "/W4"), flag("Zi", microsofts, "", "/Zi /Fdp$WRAP.pdb"), flag("Z7", cl, "/Zi /Fdp$WRAP.pdb", "/Z7"),
		flag("Zc", microsofts, "", "/Zc:wchar_t-"), flag("bigobj", microsofts, "", "/bigobj"), flag("GS", microsofts, "", "/GS-"),
		flag("TC", microsofts, "", "/TC"), flag("showIncludes", microsofts, "", "/showIncludes"), flag("X", microsofts, "", "/X"),
		flag("FI", microsofts, "", "/FIb/h.h"), flag("native", clangCL, "", "-march=native"),
	}
}

// clEnvironmentRows change one variable.
func clEnvironmentRows() []row {
	const source = "-- main.cpp --\n#include <h.h>\nint x = X;\n-- a/h.h --\n#define X 1\n-- b/h.h --\n#define X 2\n"
	const bare = `$CC /nologo /c /Brepro /Foout.o main.cpp`
	env := func(name, on, first, second string) row {
		return row{name: name, on: on, files: source, cmd: bare, env: []string{first}, then: []string{second}}
	}
	return []row{
		env("INCLUDE", microsofts, "INCLUDE=a", "INCLUDE=b"), env("INCLUDE-order", microsofts, "INCLUDE=a;b", "INCLUDE=b;a"),
		{name: "INCLUDE-content", on: microsofts, files: source, cmd: bare, env: []string{"INCLUDE=a;b"}, change: "echo '#define X 3' >a/h.h"},
		{name: "INCLUDE-shadowing", on: microsofts, files: clPlain, cmd: bare, env: []string{"INCLUDE=a;b"}, change: "echo '#define X 3' >a/h.h"},
		{name: "CL", on: microsofts, files: clPlain, cmd: clCommand, then: []string{"CL=/DX=2"}},
		{name: "CL-value", on: microsofts, files: clPlain, cmd: clCommand, env: []string{"CL=/O1"}, then: []string{"CL=/O2"}},
		{name: "_CL_", on: microsofts, files: clPlain, cmd: clCommand, env: []string{"_CL_=/O1"}, then: []string{"_CL_=/O2"}},
		{name: "CL-hash", on: cl, files: clPlain, cmd: clCommand, env: []string{"CL=/DM#1"}, then: []string{"CL=/DM=1"}, want: hit},
		{name: "VSLANG", on: cl, files: clPlain, cmd: clCommand, env: []string{"VSLANG=1033"}, then: []string{"VSLANG=1031"}},
		{name: "VSLANG-of-clang", on: clangCL, files: clPlain, cmd: clCommand, env: []string{"VSLANG=1033"}, then: []string{"VSLANG=1031"}, want: hit},
	}
}

// clOutputRows change where the outputs go. clang-cl has the types in the object, which
// then has the object's name too.
func clOutputRows() []row {
	moved := func(cmd, flags string) string {
		return strings.Replace(cmd, "/Foout.o", "/Foa/other.obj "+flags, 1) + " && mv a/other.obj out.o"
	}
	return []row{
		{name: "Fo", on: microsofts, files: clPlain, cmd: clCommand, thenCmd: moved(clCommand, ""), want: hit},
		{name: "Fo-with-Z7", on: microsofts, files: clPlain, cmd: clCommand + " /Z7", thenCmd: moved(clCommand+" /Z7", "")},
		{name: "Fo-with-database", on: cl, files: clPlain, cmd: clDatabase, thenCmd: moved(clDatabase, ""), want: hit},
		{name: "Fd", on: cl, files: clPlain, cmd: clDatabase, thenCmd: strings.Replace(clDatabase, "/Fdp", "/Fdq", 1), want: hit},
		{name: "FS", on: cl, files: clPlain, cmd: clDatabase, thenCmd: strings.Replace(clDatabase, "/Zi", "/Zi /FS", 1), want: hit},
		{name: "FA", on: clangCL, files: clPlain, cmd: clCommand, thenCmd: clCommand + " /FA"},
		{name: "Fa", on: clangCL, files: clPlain, cmd: clCommand + " /Falist.asm", thenCmd: "rm -f list.asm; " + clCommand, back: "true"},
		{name: "Fa-name", on: clangCL, files: clPlain, cmd: clCommand + " /Falist.asm", thenCmd: clCommand + " /Faother.asm && mv other.asm list.asm", want: hit},
		{name: "sourceDependencies", on: cl, files: clPlain, cmd: clCommand + " /sourceDependencies d.json", thenCmd: "rm -f d.json; " + clCommand, back: "true"},
	}
}

// clHitRows change what cannot reach the result.
func clHitRows() []row {
	const both = "-- one/main.cpp --\n#include \"h.h\"\nint x = X;\n-- one/h.h --\n#define X 1\n-- two/main.cpp --\n#include \"h.h\"\nint x = X;\n-- two/h.h --\n#define X 1\n"
	in := func(name, on, flags string, w want) row {
		cmd := func(dir string) string {
			return "cd " + dir + " && $CC /nologo /c /Brepro " + flags + " /Foout.o main.cpp; mv out.o .."
		}
		return row{name: name, on: on, files: both, cmd: cmd("one"), thenCmd: cmd("two"), want: w}
	}
	return []row{
		{name: "mtime-of-header", on: microsofts, files: clPlain, cmd: clCommand, change: `touch -d 2021-01-01 b/h.h`, want: hit},
		{name: "mtime-with-database", on: cl, files: clPlain, cmd: clDatabase, change: `touch -d 2021-01-01 b/h.h`, want: hit},
		{name: "unused-header", on: microsofts, files: clPlain, cmd: clCommand, change: `echo '#define Y' >a/other.h`, want: hit},
		{name: "unrelated-variable", on: microsofts, files: clPlain, cmd: clCommand, then: []string{"UNRELATED=2"}, want: hit},
		in("folder", microsofts, "", hit), in("folder-with-Z7", microsofts, "/Z7", miss), in("folder-with-database", cl, "/Zi /Fdp$WRAP.pdb", miss),
		in("folder-with-FC", microsofts, "/FC", miss), in("folder-with-showIncludes", microsofts, "/showIncludes", hit),
		{
			name: "folder-with-showIncludes-absolute", on: microsofts, files: strings.ReplaceAll(both, `"h.h"`, "<h.h>"),
			cmd:     `cd one && $CC /nologo /c /Brepro /showIncludes /I"$PWD" /Foout.o main.cpp; mv out.o ..`,
			thenCmd: `cd two && $CC /nologo /c /Brepro /showIncludes /I"$PWD" /Foout.o main.cpp; mv out.o ..`, want: hit,
		},
		{
			name: "folder-with-warning", on: microsofts, files: strings.ReplaceAll(both, "int x", "#pragma message(\"x\")\nint x"),
			cmd:     `cd one && $CC /nologo /c /Brepro /showIncludes /Foout.o /Tp"$PWD/main.cpp"; mv out.o ..`,
			thenCmd: `cd two && $CC /nologo /c /Brepro /showIncludes /Foout.o /Tp"$PWD/main.cpp"; mv out.o ..`,
		},
		{
			name: "folder-with-file-macro", on: cl, files: strings.ReplaceAll(both, "#define X 1", "#define X __FILE__[0]"),
			cmd: "cd one && $CC /nologo /c /Brepro /Foout.o main.cpp; mv out.o ..", thenCmd: "cd two && $CC /nologo /c /Brepro /Foout.o main.cpp; mv out.o ..",
		},
	}
}
