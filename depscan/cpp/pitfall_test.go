package cpp_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
)

// A pitfall is a compile that scanners get wrong. The expected list is the
// compiler's own.
type pitfall struct {
	name  string
	files string // "-- name --" before each file's text; "name -> target" makes a link, "name/" a directory
	args  string // without the compiler and the source x.c
	src   string // x.c by default
	env   string
	only  string // "gcc" or "clang"; both by default
	gcc   string // the expected reason of a fallback
	clang string
	// probed and absent must be among the answer's.
	probed, absent string
	// rejected is set when the compiler reports an error.
	rejected bool
}

func pitfalls() []pitfall {
	return []pitfall{
		{name: "push_macro operator", files: `
-- x.c --
#define X 1
_Pragma("push_macro(\"X\")")
#undef X
#define X 0
_Pragma("pop_macro(\"X\")")
#if X
#include "a.h"
#endif
-- a.h --
`, gcc: "pragma-operator", clang: "pragma-operator"},
		{name: "push_macro operator behind a macro", files: `
-- x.c --
#define DO(x) _Pragma(#x)
#define X 1
DO(push_macro("X"))
#undef X
DO(pop_macro("X"))
#ifdef X
#include "a.h"
#endif
-- a.h --
`, gcc: "pragma-operator", clang: "pragma-operator"},
		{name: "push_macro directive", files: `
-- x.c --
#define X 1
#pragma push_macro("X")
#undef X
#pragma push_macro("X")
#define X 2
#pragma pop_macro("X")
#ifdef X
#include "a.h"
#endif
#pragma pop_macro("X")
#if X == 1
#include "b.h"
#endif
#pragma pop_macro("X")
#pragma pop_macro("Y")
-- a.h --
-- b.h --
`},
		{name: "counter in text and condition", files: `
-- x.c --
int a = __COUNTER__;
#if __COUNTER__ == 1
#include "a.h"
#endif
-- a.h --
`, gcc: "counter", clang: "counter"},
		{name: "counter in conditions only", files: `
-- x.c --
#if __COUNTER__ == 0 && __COUNTER__ == 1
#include "a.h"
#endif
#if __COUNTER__ == 2
#include "b.h"
#endif
-- a.h --
-- b.h --
`},
		{name: "time in a condition", files: `
-- x.c --
#define IS(x) #x
#if __TIME__
#endif
`, gcc: "builtin-macro", clang: "builtin-macro", rejected: true},
		{name: "probe without include", files: `
-- x.c --
#if __has_include("a.h")
int a;
#endif
#if __has_include(<b.h>)
#endif
#ifdef NO
#if __has_include("never.h")
#endif
#endif
-- a.h --
-- inc/b.h --
`, args: "-Iinc", probed: "a.h inc/b.h"},
		{name: "probe in an empty group and absent probes", files: `
-- x.c --
#if __has_include("none.h")
#endif
#if defined(NO) && __has_include("a.h")
#endif
#if __has_include_next("a.h")
#endif
-- a.h --
-- inc/z.h --
`, args: "-Iinc", absent: "none.h inc/none.h"},
		{name: "pragma once by content", files: `
-- x.c --
#include "a/h.h"
#include "b/h.h"
#include "a/../a/h.h"
#include "c.h"
-- a/h.h --
#pragma once
int x;
-- b/h.h --
#pragma once
int x;
-- c.h --
int y;
`},
		{name: "pragma once through a link", files: `
-- x.c --
#include "a.h"
#include "l.h"
#include "d/a.h"
#include "a.h"
-- a.h --
#pragma once
#include "b.h"
-- b.h --
-- l.h -> a.h
-- d -> .
`},
		{name: "link without once", files: `
-- x.c --
#include "d/a.h"
#include "e/a.h"
#include "d/a.h"
-- d/a.h --
#include "b.h"
-- d/b.h --
-- e -> d
`},
		{name: "incbin", files: `
-- x.c --
__asm__(".incbin \"data.bin\"\n");
-- data.bin --
x
`, probed: "data.bin"},
		{name: "incbin elsewhere", files: `
-- x.c --
__asm__(".incbin \"data.bin\"\n");
-- inc/data.bin --
x
`, args: "-Iinc", gcc: "incbin", clang: "incbin"},
		{name: "incbin in assembler", src: "x.S", files: `
-- x.S --
# don't read this as a character
#if 1
#include "a.h"
#endif
	.incbin "data.bin"
-- a.h --
-- data.bin --
x
`, probed: "data.bin"},
		{name: "include in assembler", src: "x.S", files: `
-- x.S --
	.include "y.s"
-- y.s --
`, gcc: "asm-include", clang: "asm-include"},
		{name: "include in inline assembler", files: `
-- x.c --
__asm__(".include \"y.s\"");
-- y.s --
`, gcc: "asm-include", clang: "asm-include"},
		{name: "precompiled header", files: `
-- x.c --
#include "a.h"
-- a.h --
-- a.h.gch --
`, only: "gcc", gcc: "pch"},
		{name: "precompiled header by -include", files: `
-- x.c --
-- a.h --
-- a.h.gch --
`, args: "-include a.h", gcc: "pch", clang: "pch"},
		{name: "raw string gnu11", files: rawString, args: "-std=gnu11"},
		{name: "raw string c11", files: rawString, args: "-std=c11"},
		{name: "raw string gnu89", files: rawString, args: "-std=gnu89"},
		{name: "raw string c++11", files: rawString, args: "-x c++ -std=c++11"},
		{name: "raw string gnu++98", files: rawString, args: "-x c++ -std=gnu++98"},
		{name: "trigraph c11", files: trigraph, args: "-std=c11"},
		{name: "trigraph gnu11", files: trigraph, args: "-std=gnu11"},
		{name: "trigraph option", files: trigraph, args: "-trigraphs"},
		{name: "trigraph c++14", files: trigraph, args: "-x c++ -std=c++14"},
		{name: "trigraph c++17", files: trigraph, args: "-x c++ -std=c++17"},
		{name: "trigraph c2x", files: trigraph, args: "-std=c2x"},
		{name: "separator c++14", files: separator, args: "-x c++ -std=c++14"},
		{name: "separator c++11", files: separator, args: "-x c++ -std=c++11"},
		{name: "separator c2x", files: separator, args: "-std=c2x"},
		{name: "separator c11", files: separator, args: "-std=c11"},
		{name: "elifdef gnu11", files: elifdef, args: "-std=gnu11"},
		{name: "elifdef c11", files: elifdef, args: "-std=c11"},
		{name: "elifdef c2x", files: elifdef, args: "-std=c2x"},
		{name: "elifdef c++20", files: elifdef, args: "-x c++ -std=c++20"},
		{name: "elifdef gnu++20", files: elifdef, args: "-x c++ -std=gnu++20"},
		{name: "splices and comments", files: "\n-- x.c --\n" +
			"#incl\\\nude \"a.h\"\n#include /* c */ \"b.h\" /* d\n */\n/* e */ # /* f */ include <c.h>//x\n" +
			"#\\   \ninclude \"d.h\"\n/\\\n* #include \"no.h\" *\\\n/\n// \\\n#include \"no.h\"\n#if 1 /* \n */ && \\\n 1\n#include \"e.h\"\n#endif\n" +
			"char *s = \"/*\"; // \"\n#include\"f.h\"\n#include<c.h>\n%:include \"g.h\"\n#\n" +
			"-- a.h --\n-- b.h --\n-- inc/c.h --\n-- d.h --\n-- e.h --\n-- f.h --\n-- g.h --\n", args: "-Iinc"},
		{name: "byte order mark and carriage returns", files: "\n-- x.c --\n\xef\xbb\xbf#include \"a.h\"\r\n#if 1 \\\r\n && 1\r\n#include \"b.h\"\r\n#endif\r\n-- a.h --\n-- b.h --\n"},
		{name: "no newline at the end", files: "\n-- x.c --\n#include \"a.h\"\n#include \"b.h\"\n-- a.h --\n#if 1\n#endif\n-- b.h --\nint x;"},
		{name: "odd tokens in a false group", files: `
-- x.c --
#if 0
don't "unbalanced
#error it's
#include <a'b
#foo
#endif
#include "a.h"
-- a.h --
`},
		{name: "dollars", files: `
-- x.c --
#define a$b 1
#if a$b
#include "a.h"
#endif
-- a.h --
`},
		{name: "duplicate directory", files: `
-- x.c --
#include <a.h>
#include <b.h>
-- a/a.h --
-- a/b.h --
-- b/a.h --
-- b/b.h --
`, args: "-Ia -Ib -isystem a"},
		{name: "quote chain end equals bracket head", files: `
-- x.c --
#include "a.h"
#include_next <a.h>
-- q/a.h --
#include_next "a.h"
-- i/a.h --
int i;
`, args: "-iquote q -iquote i -Ii"},
		{name: "missing directories", files: `
-- x.c --
#include "a.h"
-- inc/a.h --
-- file --
`, args: "-Inone -Ifile -Iinc -Iempty", absent: "none/"},
		{name: "include_next beside", files: `
-- x.c --
#include "d/a.h"
-- d/a.h --
#ifndef A
#define A
#include_next "a.h"
#endif
-- inc/a.h --
#include_next <a.h>
-- inc2/a.h --
`, args: "-Iinc -Iinc2"},
		{name: "include_next from an own-directory header", files: `
-- x.c --
#include <s/a.h>
-- i1/s/a.h --
#include "b.h"
-- i1/s/b.h --
#ifndef B
#define B
#include_next <s/b.h>
#endif
-- i1/b.h --
-- i2/s/b.h --
#include_next <s/b.h>
-- i3/s/b.h --
`, args: "-Ii1 -Ii2 -Ii3"},
		{name: "dots in names", files: `
-- x.c --
#include "sub/../a/x.h"
#include "./b.h"
#include ".//b.h"
#include "a/./x.h"
-- sub/none --
-- a/x.h --
#include "../b.h"
-- b.h --
`},
		{name: "directory with two names", src: "s/x.c", files: `
-- s/x.c --
#include "../a.h"
#include "../t/c.h"
#include "d.h"
-- a.h --
#include "t/b.h"
-- t/b.h --
#include "c.h"
-- t/c.h --
#include "e.h"
-- t/e.h --
-- s/d.h --
`, args: "-I. -It"},
		{name: "directory with two names and no option", src: "s/x.c", files: `
-- s/x.c --
#include "../a.h"
#include "../t/c.h"
-- a.h --
#include "t/b.h"
-- t/b.h --
#include "c.h"
-- t/c.h --
`},
		{name: "dot directories", files: `
-- x.c --
#include <b.h>
#include <c.h>
#include <d.h>
-- b.h --
-- inc/c.h --
-- in/d.h --
`, args: "-I. -I./inc/ -Iin//"},
		{name: "canonical system header", files: `
-- x.c --
#include <d/a.h>
-- inc/d/a.h --
#include "../c.h"
#include <d/../c.h>
-- inc/c.h --
`, args: "-isystem $PWD/inc/../inc"},
		{name: "no canonical system header", files: `
-- x.c --
#include <d/a.h>
-- inc/d/a.h --
#include "../c.h"
-- inc/c.h --
`, args: "-isystem $PWD/inc/../inc -fno-canonical-system-headers", only: "gcc"},
		{name: "defined from a macro", files: `
-- x.c --
#define BAR
#define HB defined(BAR)
#define HC defined BAR
#if HB
#include "a.h"
#endif
#if HC && !defined(FOO)
#include "b.h"
#endif
-- a.h --
-- b.h --
`},
		{name: "attributes", files: `
-- x.c --
#if __has_cpp_attribute(nodiscard) >= 201907
#include "a.h"
#endif
#if __has_attribute(noreturn) && __has_builtin(__builtin_expect) && !__has_builtin(no_such)
#include "b.h"
#endif
#ifdef __has_feature
#include "c.h"
#if __has_feature(cxx_exceptions)
#include "d.h"
#endif
#endif
#if defined(__has_cpp_attribute) && __has_cpp_attribute(gnu::unused)
#include "e.h"
#endif
-- a.h --
-- b.h --
-- c.h --
-- d.h --
-- e.h --
`, args: "-x c++ -std=c++20"},
		{name: "include inside arguments", files: `
-- x.c --
#define F(x) x
int a = F(
#include "a.h"
);
-- a.h --
1
`},
		{name: "directives inside arguments", files: `
-- x.c --
#define F(x) x
int a = F(
#define B 1
1
#if B
+ 2
#endif
);
#if B
#include "b.h"
#endif
-- b.h --
`},
		{name: "computed", files: `
-- x.c --
#define A "a.h"
#include A
#define STR2(x) #x
#define STR(x) STR2(x)
#include STR(b.h)
#define lower <c.h>
#include lower
#define DIR sub
#define CAT(d, f) <d/f.h>
#include CAT(DIR,d)
#define linux_ 1
#include <linux_/e.h>
-- a.h --
-- b.h --
-- inc/c.h --
-- inc/sub/d.h --
-- inc/linux_/e.h --
`, args: "-Iinc"},
		{name: "iteration", files: `
-- x.c --
#define N 3
#define FILENAME "iter.h"
#define I 0
#include FILENAME
-- iter.h --
#if I == 0
# undef I
# define I 1
# include FILENAME
#elif I == 1
# undef I
# define I 2
# include FILENAME
#elif I == 2
# include "last.h"
#endif
-- last.h --
`},
		{name: "file macro", files: `
-- x.c --
#ifndef AGAIN
#define AGAIN
#include __FILE__
#else
#include "c.h"
#endif
-- c.h --
`},
		{name: "imacros and include", files: `
-- x.c --
#ifdef M
#include "c.h"
#endif
-- a.h --
#ifdef M
#include "b.h"
#endif
-- m.h --
#define M
-- b.h --
-- c.h --
-- inc/i.h --
`, args: "-include a.h -imacros m.h -include i.h -Iinc -include ./a.h"},
		{name: "include in a subdirectory", src: "s/x.c", files: `
-- s/x.c --
#include "y.h"
-- s/a.h --
-- s/y.h --
-- a.h --
#include "z.h"
-- z.h --
`, args: "-include a.h"},
		{name: "missing header", files: `
-- x.c --
#include "none.h"
`, gcc: "missing-include", clang: "missing-include", rejected: true},
		{name: "import", files: `
-- x.c --
#import "a.h"
#import "a.h"
#include "a.h"
#import "b.h"
#include "c.h"
#import "c.h"
-- a.h --
#include "n.h"
-- n.h --
-- b.h --
-- c.h --
`},
		{name: "levels and lines", files: `
-- x.c --
#if __INCLUDE_LEVEL__ == 0 && __LINE__ == 1
#include "a.h"
#endif
-- a.h --
#if __INCLUDE_LEVEL__ == 1
#include "b.h"
#endif
#if __LINE__ == 4
#include "c.h"
#endif
-- b.h --
-- c.h --
`},
		{name: "named operators", files: `
-- x.c --
#if 1 and not 0 and (true or false)
#include "a.h"
#endif
-- a.h --
`, args: "-x c++"},
		{name: "words in C", files: `
-- x.c --
#define and &&
#if 1 and 1 && !true
#include "a.h"
#endif
-- a.h --
`},
		{name: "environment", files: `
-- x.c --
#include <a.h>
#include <b.h>
#include <c.h>
-- e1/a.h --
-- e2/a.h --
-- e2/b.h --
-- e3/c.h --
-- c.h --
`, args: "-isystem e2", env: "CPATH=e1: C_INCLUDE_PATH=e3"},
		{name: "environment without standard directories", files: `
-- x.c --
#include <a.h>
-- e1/a.h --
`, args: "-nostdinc", env: "CPATH=e1"},
		{name: "environment of C++", files: `
-- x.c --
#include <a.h>
-- e1/a.h --
-- e2/a.h --
`, args: "-x c++", env: "C_INCLUDE_PATH=e1 CPLUS_INCLUDE_PATH=e2"},
		{name: "sysroot prefix", files: `
-- x.c --
#include <a.h>
-- root/inc/a.h --
`, args: "--sysroot=$PWD/root -I=/inc"},
		{name: "quote ignores own directory", src: "s/x.c", files: `
-- s/x.c --
#include "a.h"
#include <b.h>
-- s/a.h --
-- q/a.h --
-- i/b.h --
`, args: "-Iq -I- -Ii", only: "gcc"},
		{name: "prefixes", files: `
-- x.c --
#include <a.h>
#include <b.h>
-- p/one/a.h --
-- p/two/b.h --
`, args: "-iprefix p/ -iwithprefix one -iwithprefixbefore two"},
		{name: "definitions on the command line", files: `
-- x.c --
#if A == 1 && B == 2 && F(3) == 3 && defined(E) && !defined(U)
#include "a.h"
#endif
#include H
-- a.h --
-- b.h --
`, args: "-DA -DB=2 -DF(x)=x -DE= -DU -UU -DH=<b.h> -I."},
		{name: "definitions for the preprocessor", files: `
-- x.c --
#if A == 2 && B == 1
#include "a.h"
#endif
-- a.h --
`, args: "-Wp,-UA,-DA=2 -DA=1 -Wp,-DB"},
		{name: "options pragma", files: `
-- x.c --
#pragma GCC push_options
#pragma GCC target("avx2")
#ifdef __AVX2__
#include "a.h"
#endif
#pragma GCC pop_options
-- a.h --
`, gcc: "pragma-options"},
		{name: "options pragma around other conditions", files: `
-- x.c --
#pragma GCC push_options
#pragma GCC target("avx2")
#ifndef OTHER
#include "a.h"
#endif
#ifdef __AVX2__
int x;
#endif
#pragma GCC pop_options
#ifndef __AVX2__
#include "b.h"
#endif
-- a.h --
-- b.h --
`},
		{name: "poison", files: `
-- x.c --
#define P 1
#include "a.h"
#pragma GCC poison Q
-- a.h --
`},
		{name: "system header", files: `
-- x.c --
#include "a.h"
#include "c.h"
-- a.h --
#pragma GCC system_header
#include "b.h"
-- b.h --
-- c.h --
`},
		{name: "error directive", files: "\n-- x.c --\n#error no\n", gcc: "error-directive", clang: "error-directive", rejected: true},
		{name: "condition with an error", files: "\n-- x.c --\n#if 1 +\n#endif\n", gcc: "if-syntax", clang: "if-syntax", rejected: true},
		{name: "unknown directive", files: "\n-- x.c --\n#frob\n", gcc: "unknown-directive", clang: "unknown-directive", rejected: true},
		{name: "empty include line", files: "\n-- x.c --\n#include\n", gcc: "include-syntax", clang: "include-syntax", rejected: true},
		{name: "unbalanced", files: "\n-- x.c --\n#if 1\n", gcc: "unbalanced-conditional", clang: "unbalanced-conditional", rejected: true},
		{name: "lower-case macro", files: `
-- x.c --
#define config "a.h"
#include config
# define  F( x )  x
#include F("b.h")
-- a.h --
-- b.h --
`},
		{name: "slashes in a header name", files: `
-- x.c --
#include <d//a.h>
#include "d//b.h"
#if __has_include(<d//c.h>)
#include <d//c.h>
#endif
-- inc/d/a.h --
-- d/b.h --
-- inc/d/c.h --
`, args: "-Iinc"},
		{name: "va_opt", files: `
-- x.c --
#define F(x, ...) x __VA_OPT__(+ 1)
#if F(0) == 0 && F(0, y) == 1 && F(0,) == 0
#include "a.h"
#endif
-- a.h --
`},
		{name: "framework", files: `
-- x.c --
#include <Foo/a.h>
-- fw/Foo.framework/Headers/a.h --
#include "b.h"
-- fw/Foo.framework/Headers/b.h --
`, args: "-Ffw", only: "clang"},
		{name: "preprocessed with incbin", src: "x.i", files: "\n-- x.i --\n__asm__(\".incbin \\\"x.i\\\"\");\n", gcc: "incbin", clang: "incbin"},
		{name: "word behind a splice", files: "\n-- x.c --\nchar *s = __FI\\\nLE__;\n", gcc: "pragma-operator", clang: "pragma-operator"},
		{name: "guard variants", files: `
-- x.c --
#include "a.h"
#include "a.h"
#include "b.h"
#include "b.h"
#undef B_H
#include "b.h"
#define C_H
#include "c.h"
-- a.h --
#if !defined(A_H)
#define A_H
#include "n.h"
#endif
-- b.h --
#ifndef B_H
#define B_H
#ifdef SECOND
#include "n2.h"
#endif
#define SECOND
#endif
-- c.h --
#ifndef C_H
#include "n3.h"
#endif
-- n.h --
-- n2.h --
-- n3.h --
`},
	}
}

const rawString = `
-- x.c --
#define R
#define S(x)
S(R"(
#include "a.h"
)")
#include "b.h"
-- a.h --
-- b.h --
`

const trigraph = `
-- x.c --
??=include "a.h"
-- a.h --
`

const separator = `
-- x.c --
#define N(a, b, ...) b
#define C(x) x
#if C(1'000) == 1000 || 1
#endif
int x = 1'0; /* ' */
#include "a.h"
-- a.h --
`

const elifdef = `
-- x.c --
#define X
#if 0
#elifdef X
#include "a.h"
#else
#include "b.h"
#endif
#if 0
#elifndef X
#include "c.h"
#endif
-- a.h --
-- b.h --
-- c.h --
`

// layout writes the files of a pitfall below dir. They are old enough for
// their times to be trusted and equal in them.
func layout(t *testing.T, dir, files string) {
	t.Helper()
	var name string
	var text strings.Builder
	flush := func() {
		if name != "" {
			write(t, filepath.Join(dir, name), text.String())
		}
		text.Reset()
	}
	for _, line := range strings.SplitAfter(strings.TrimPrefix(files, "\n"), "\n") {
		head, ok := strings.CutPrefix(line, "-- ")
		if !ok {
			text.WriteString(line)
			continue
		}
		flush()
		head = strings.TrimSpace(head)
		if link, target, ok := strings.Cut(head, " -> "); ok {
			name = ""
			if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name = strings.TrimSuffix(head, " --")
		if link, target, ok := strings.Cut(name, " => "); ok {
			name = ""
			if err := os.Link(filepath.Join(dir, target), filepath.Join(dir, link)); err != nil {
				t.Fatal(err)
			}
		}
	}
	flush()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour).Truncate(time.Second).Add(123456789)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
}

func TestPitfalls(t *testing.T) {
	for _, cc := range []string{"gcc", "clang"} {
		compiler := &cpptest.Compiler{}
		for _, p := range pitfalls() {
			if p.only != "" && p.only != cc {
				continue
			}
			t.Run(cc+"/"+strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
				t.Parallel()
				p.run(t, cc, cpp.New(cpp.Options{Compiler: compiler}))
			})
		}
	}
}

func (p *pitfall) run(t *testing.T, cc string, s *cpp.Scanner) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	layout(t, dir, p.files)
	src := p.src
	if src == "" {
		src = "x.c"
	}
	argv := []string{"/usr/bin/" + cc}
	argv = append(argv, strings.Fields(strings.ReplaceAll(p.args, "$PWD", dir))...)
	c := cpptest.Compile(dir, strings.Fields(p.env), append(argv, "-c", src)...)
	want, rejected := cpptest.ReadBy(context.Background(), c, true)
	if (rejected != nil) != p.rejected && !p.mayReject() {
		t.Fatalf("compiler: %v", rejected)
	}
	got, err := s.Scan(context.Background(), c)
	reason := p.gcc
	if strings.HasPrefix(cc, "clang") {
		reason = p.clang
	}
	if rejected != nil && reason == "" {
		return
	}
	if reason != "" {
		if r := cpp.Reason(err); r != reason {
			t.Fatalf("reason %q, %v; want %q", r, err, reason)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := difference(paths(got.Files), want); d != "" && rejected == nil {
		t.Errorf("compiler reads %q:%s", want, d)
	}
	p.answer(t, got)
}

// mayReject is set for cases that a standard rules out: their outcome is
// compared where there is one.
func (p *pitfall) mayReject() bool {
	return strings.HasPrefix(p.name, "separator") || strings.HasPrefix(p.name, "elifdef") ||
		strings.HasPrefix(p.name, "trigraph") || strings.HasPrefix(p.name, "raw string") ||
		strings.HasPrefix(p.name, "precompiled") || p.name == "include inside arguments"
}

func (p *pitfall) answer(t *testing.T, got *depscan.Inputs) {
	found := append(paths(got.Probed), paths(got.Files)...)
	for name := range strings.FieldsSeq(p.probed) {
		if !slices.Contains(found, name) {
			t.Errorf("%s is not among the inputs %q", name, found)
		}
	}
	for name := range strings.FieldsSeq(p.absent) {
		if !slices.Contains(got.Absent, name) {
			t.Errorf("%s is not among the absent names %q", name, got.Absent)
		}
	}
}
