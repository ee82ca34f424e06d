//go:build linux

package differential

import (
	"os"
	"regexp"
	"strings"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// msvcCalls are the command lines that the parser of clang-cl is tested with.
const msvcCalls = "../../toolchains/msvc/testdata/calls.txt"

// msvcTree is what they name.
const msvcTree = `-- x.cpp --
#include "h.h"
#include <stddef.h>
#if __has_include(<i.h>)
#include <i.h>
#endif
int f(int x) { return x + (int)sizeof(size_t) + H; }
-- x.c --
#include "sub\deep.h"
int f(int x) { return x + 1; }
-- h.h --
#pragma once
#define H 1
-- inc/i.h --
#undef H
#define H 2
-- sub/deep.h --
#include "h.h"
#include "deeper/one.h"
-- sub/deeper/one.h --
#include "two.h"
-- sub/two.h --
typedef int two;
-- sub/y.cpp --
#include "deeper/one.h"
int y;
-- x.cxx --
int x;
-- x.cc --
int x;
-- x.CPP --
int x;
-- noext --
int x;
-- noext2 --
int x;
-- größe.cpp --
int x;
-- a b.cpp --
int x;
-- warn.cpp --
#include "sub\deep.h"
static int unused(int x) { int y; return x; }
int g(unsigned a, int b) { return a == b; }
-- bad.cpp --
int f( {
-- out/keep --
-- plain.rsp --
/O2 /DA=1 x.cpp
/W3
-- lines.rsp --
/c
/O1

	/DX=1
-- utf8.rsp --
größe.cpp /Od
-- quotes.rsp --
"/DA=\"q\"" /DB=a\\b "/DC=x y" /DD="x ""y"" z" "/Foout\\"
`

// msvcResponses makes the response files that are in no text archive.
const msvcResponses = `
printf '\377\376' >utf16le.rsp; printf '/O2 "größe.cpp"\r\n' | iconv -f UTF-8 -t UTF-16LE >>utf16le.rsp
printf '\376\377' >utf16be.rsp; printf '/DA x.cpp' | iconv -f UTF-8 -t UTF-16BE >>utf16be.rsp
printf '\357\273\277/DA größe.cpp' >utf8bom.rsp`

// msvcRows are the calls of clang-cl that its parser understands, and some that it does
// not. /Brepro leaves the time out of the object, in which clang-cl would differ from
// itself. The long run takes all of them, the ordinary one one of five: see row.compilers.
func msvcRows() []row {
	text, err := os.ReadFile(msvcCalls)
	if err != nil {
		panic(err)
	}
	rows, n := msvcOtherRows(), 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if n++; rig.Long() || n%5 == 0 {
			rows = append(rows, msvcRow(line, msvcWant(line)))
		}
	}
	return rows
}

// msvcWant is what becomes of calls that fail.
func msvcWant(line string) string {
	switch line {
	case "/c bad.cpp", "/c /FImissing.h x.cpp", "/c /C x.cpp":
		return run
	case "/c missing.cpp":
		return "source-unreadable"
	case "/c /Fo:out/ x.cpp":
		return broken // the folder ":out" of an object that another row makes
	}
	return hit
}

// msvcRow makes a row of a line of calls.txt.
func msvcRow(line, want string) row {
	word := regexp.MustCompile(`'[^']*'|\S+`)
	variable := regexp.MustCompile(`^[A-Z_]+=`)
	r := row{name: line, on: "clang-cl-14", files: msvcTree, prep: msvcResponses, cmd: "$CC -Brepro", want: want}
	for _, w := range word.FindAllString(line, -1) {
		w = strings.Trim(w, "'")
		if variable.MatchString(w) && r.cmd == "$CC -Brepro" {
			r.env = append(r.env, w)
		} else {
			r.cmd += " '" + w + "'"
		}
	}
	return r
}

func msvcOtherRows() []row {
	source := regexp.MustCompile(` (/Tc)?[a-z/]+\.(cpp|cc|c)\b`)
	var rows []row
	for _, w := range []struct{ want, lines string }{
		{hit, `
/c /I. /Isub x.cpp
/c /W4 /FIwarn.cpp x.cpp
/c /O2 /Zi /W4 warn.cpp
/c /Z7 /FIh.h sub/y.cpp
/c /showIncludes /Z7 x.c
/c /showIncludes sub/y.cpp
CL=/showIncludes INCLUDE=inc /c x.cpp
INCLUDE=inc /c /Z7 x.cpp
/c x.cpp sub/y.cpp /w
/c warn.cpp /w sub/y.cpp /Tcx.c
/c /w /Foout/ x.cpp sub/y.cpp
CL=/O2 _CL_=/w /c x.cpp sub/y.cpp
`},
		{run, `
/c /Z7 /w /FAs x.cpp sub/y.cpp
/c /MP -Qunused-arguments x.cpp sub/y.cpp
/c x.cpp bad.cpp
/c bad.cpp x.cpp
/c x.cpp warn.cpp
/c x.cpp sub/y.cpp /showIncludes
/c /WX /W4 warn.cpp
`},
		{aside, `
/c /Ycx.cpp /Fpx.pch x.cpp
/c /clang:-MD x.cpp
/c -Xclang -fno-pch-timestamp x.cpp
/E x.cpp
/EP x.cpp
/P x.cpp
/c /unknown x.cpp
/c -o x.obj x.cpp
/Zs x.cpp
/help
-###
/c /Fdx.pdb /fallback x.cpp
/c --analyze x.cpp
/c /Fox.obj x.cpp warn.cpp
/c x.obj
/c x.cpp nothing.lib
`},
	} {
		for line := range strings.Lines(w.lines) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			r := msvcRow(line, w.want)
			if w.want != aside {
				r.calls = int64(len(source.FindAllString(line, -1)))
			}
			rows = append(rows, r)
		}
	}
	return rows
}
