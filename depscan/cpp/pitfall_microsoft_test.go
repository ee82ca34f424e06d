package cpp_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
)

const clangCL = "clang-cl-14"

// microsoftPitfalls are those of clang-cl alone.
func microsoftPitfalls() []pitfall {
	return []pitfall{
		{name: "beside all includers", files: `
-- x.c --
#include "a/a.h"
-- a/a.h --
#include "../b/b.h"
-- b/b.h --
#include "in_a.h"
#include "in_x.h"
#include "in_b.h"
#include "both.h"
#include "inc_only.h"
-- a/in_a.h --
-- in_x.h --
-- b/in_b.h --
-- both.h --
-- a/both.h --
-- inc/in_x.h --
-- inc/inc_only.h --
`, args: "-Iinc", absent: "a/../b/in_x.h a/in_x.h a/../b/inc_only.h a/inc_only.h inc_only.h"},
		{name: "in the chain and beside an includer", files: sameFile, args: "-Isrc"},
		{name: "in the chain by another name", files: sameFile, args: "-I$PWD/src"},
		{name: "in the chain by another name without warnings", files: sameFile, args: "-I$PWD/src /w"},
		{name: "in the chain by another name at level 0", files: sameFile, args: "-I$PWD/src /W0"},
		{name: "in the chain by a link", files: sameFile + "-- link -> src\n", args: "-Ilink"},
		{name: "in the chain by a link and mute", files: sameFile + "-- link -> src\n", args: "-Ilink -Wno-microsoft"},
		{name: "in the chain by a link and loud again", files: sameFile + "-- link -> src\n", args: "-Ilink -Wno-microsoft -Wmicrosoft-include"},
		{name: "in the chain by a link and no warning", files: sameFile + "-- link -> src\n", args: "-Ilink -Wno-everything"},
		{name: "in the chain by a link and every warning", files: sameFile + "-- link -> src\n", args: "-Ilink -Weverything"},
		{name: "in the chain by a link and no error", files: sameFile + "-- link -> src\n", args: "-Ilink -Wno-microsoft -Wno-error=microsoft"},
		{name: "in the chain by a link from the system", files: systemLink, args: "-imsvc sys -Ilink"},
		{name: "in the chain by a link from a loud system", files: systemLink, args: "-imsvc sys -Ilink -Wsystem-headers"},
		{name: "in the chain by a link from a mute system", files: systemLink, args: "-imsvc sys -Ilink -Wsystem-headers -Wno-system-headers"},
		{name: "include_next behind an includer's", files: includeNext, args: "-Ione -Itwo"},
		{name: "include_next behind an includer's without warnings", files: includeNext, args: "-Ione -Itwo /w"},
		{name: "include_next", files: `
-- x.c --
#include <a.h>
#include "d/b.h"
-- one/a.h --
#include_next <a.h>
-- two/a.h --
#include_next "a.h"
-- three/a.h --
-- d/b.h --
#include_next "c.h"
-- c.h --
-- d/c.h --
`, args: "/Ione /I two /external:I three"},
		{name: "angled names stay in the chain", files: `
-- x.c --
#include "d/a.h"
-- d/a.h --
#if __has_include(<b.h>)
#error no
#endif
#if __has_include("b.h")
#include "c.h"
#endif
-- b.h --
-- c.h --
`, absent: "d/b.h d/c.h"},
		{name: "backslashes", files: `
-- x.c --
#include "d\a.h"
#include <e\b.h>
#define N "d\\c.h"
#if __has_include("d\a.h")
#error no
#endif
#define M "d\c.h"
#include M
-- d/a.h --
#include "..\c.h"
-- d/c.h --
-- c.h --
-- inc/e/b.h --
`, args: "/Iinc"},
		{name: "two backslashes", files: "\n-- x.c --\n#include \"d\\\\a.h\"\n-- d/a.h --\n"},
		{name: "import", files: "\n-- x.c --\n#import \"a.tlb\"\n-- a.tlb --\n", clang: "import", rejected: true},
		{name: "import left out", files: "\n-- x.c --\n#ifdef _NO\n#import \"a.tlb\"\n#endif\n#include \"a.h\"\n-- a.h --\n"},
		{name: "force-included", src: "s/x.c", files: `
-- s/x.c --
#include "c.h"
-- a.h --
#include "b.h"
-- s/b.h --
-- s/d.h --
-- inc/e.h --
#include "f.h"
-- s/f.h --
-- s/c.h --
`, args: "/FIa.h /FI d.h -FIe.h /Iinc"},
		{name: "force-included precompiled", files: "\n-- x.c --\n-- a.h --\n-- a.h.pch --\n", args: "/FIa.h", clang: "pch", rejected: true},
		{name: "order of the chain", files: `
-- x.c --
#include <a.h>
#include <b.h>
#include <c.h>
#include <d.h>
#include <e.h>
-- i/a.h --
-- ext/a.h --
-- ext/b.h --
-- im/b.h --
-- im/c.h --
-- env/c.h --
-- env/d.h --
-- v1/d.h --
-- v1/e.h --
-- v2/e.h --
`, args: "-imsvcim /external:env:EXT /external:I ext -Ii", env: "INCLUDE=v1;gone;v2 EXT=env", absent: "gone/"},
		{name: "variables of clang", files: `
-- x.c --
#include <a.h>
#include <b.h>
#include <c.h>
#include <d.h>
-- i/a.h --
-- cp/a.h --
-- cp/b.h --
-- ext/b.h --
-- ext/c.h --
-- ci/c.h --
-- ci/d.h --
-- v/d.h --
-- cxx/d.h --
`, args: "/external:Iext /Ii", env: "INCLUDE=v CPATH=cp:gone C_INCLUDE_PATH=ci CPLUS_INCLUDE_PATH=cxx", absent: "gone/"},
		{name: "external variable", files: "\n-- x.c --\n#include <a.h>\n-- e/a.h --\n", env: "EXTERNAL_INCLUDE=e"},
		{name: "no standard directories", files: "\n-- x.c --\n#if __has_include(<a.h>)\n#include \"b.h\"\n#endif\n-- e/a.h --\n-- b.h --\n", args: "/X", env: "INCLUDE=e"},
		{name: "duplicate directories", files: `
-- x.c --
#include <a.h>
#include <b.h>
-- i/a.h --
-- j/a.h --
-- i/b.h --
-- j/b.h --
`, args: "/Ii /Ij /external:Ii", env: "INCLUDE=j"},
		{name: "predefined macros", files: `
-- x.c --
#if _MSC_VER >= 1900 && _MSC_VER < 2000 && defined(_MT) && !defined(_DLL) && !defined(__GNUC__)
#include "a.h"
#endif
#if defined(_M_X64) && defined(_WIN32) && _INTEGRAL_MAX_BITS == 64 && defined(__clang__)
#include "b.h"
#endif
#ifdef __identifier
#include "c.h"
#endif
-- a.h --
-- b.h --
-- c.h --
`},
		{name: "runtime and standard", src: "x.cpp", files: `
-- x.cpp --
#if defined(_DLL) && defined(_DEBUG) && _MSVC_LANG == 201703L && __cplusplus >= 201703L && defined(_CPPRTTI) == 0
#include "a.h"
#endif
#if __cpp_static_assert >= 201411 and not defined(NO)
#include "b.h"
#endif
-- a.h --
-- b.h --
`, args: "/MDd /std:c++17 /GR-"},
		{name: "definitions with a hash", files: `
-- x.c --
#if A == 2 && B == 1 && D == 1 && !defined(C) && E + 0 == 0
#include NAME
#endif
-- a.h --
`, args: `/DA#2 /D B /DC -UC /U_MT /DNAME="a.h" /DD=1 /DE=`},
		{name: "suffixes", files: `
-- x.c --
#if 1i64 == 1 && 0xFFFFFFFFFFFFFFFFui64 > 0 && -1 < 0i32 && -1 > 0ui32 && 3i8 == 3I16
#include "a.h"
#endif
#if L'a' - L'b' > 0
#include "b.h"
#endif
-- a.h --
-- b.h --
`},
		{name: "commas", files: `
-- x.c --
#define F(a, ...) G(a, __VA_ARGS__)
#define G(...) C(__VA_ARGS__, 3, 2, 1)
#define C(a, b, c, ...) c
#if F(9) == 2
#include "a.h"
#endif
#define COMMA ,
#define ID(x) x
#define TWO(x, ...) x
#define H(x) TWO(0 x 1)
#define K(x) 7 + ID(x)
-- a.h --
`},
		{name: "commas in iso C", files: `
-- x.c --
#define G(...) C(0, ## __VA_ARGS__, 3, 2, 1)
#define C(a, b, c, ...) c + 0
#define D(x, ...) C(x, ## __VA_ARGS__, 3, 2, 1)
#if D(9) == 2
#include "a.h"
#endif
-- a.h --
`, args: "/std:c11"},
		{name: "permissive", src: "x.cpp", files: `
-- x.cpp --
#define and &&
#if 1 and 1
#include "a.h"
#endif
-- a.h --
`, args: "/permissive"},
		{name: "trigraph", files: trigraph},
		{name: "trigraph c11", files: trigraph, args: "/std:c11"},
		{name: "trigraph option", files: trigraph, args: "/Zc:trigraphs"},
		{name: "trigraph option off", files: trigraph, args: "/Zc:trigraphs /Zc:trigraphs-"},
		{name: "raw string", files: rawString},
		{name: "raw string in C++", files: rawString, args: "/TP"},
		{name: "separator", files: separator, args: "/TP"},
		{name: "elifdef", files: elifdef},
		{name: "pragma words", files: `
-- x.c --
__pragma(warning(push)) __pragma(pack(push, 8))
#define P(x) __pragma(x)
P(comment(lib, "a.lib"))
#pragma comment(lib, "b.lib")
#pragma warning(disable: 4005)
#include "a.h"
-- a.h --
#pragma once
`},
		{name: "push_macro by words", files: `
-- x.c --
#define X 1
__pragma(push_macro("X"))
#undef X
__pragma(pop_macro("X"))
#if X
#include "a.h"
#endif
-- a.h --
`, clang: "pragma-operator"},
		{name: "push_macro by words in a macro", files: `
-- x.c --
#define PUSH __pragma(push_macro("X"))
#define X 1
PUSH
-- a.h --
`, clang: "pragma-operator"},
		{name: "once by words", files: "\n-- x.c --\n#include \"a.h\"\n#include \"a.h\"\n-- a.h --\n__pragma(once)\n", clang: "pragma-operator"},
		{name: "warning turned off by a pragma", files: "\n-- x.c --\n#pragma clang diagnostic ignored \"-Wmicrosoft-include\"\n#include \"a.h\"\n-- a.h --\n", clang: "pragma-diagnostic"},
		{name: "warning turned off by an operator", files: "\n-- x.c --\n_Pragma(\"clang diagnostic ignored \\\"-Weverything\\\"\")\n#include \"a.h\"\n-- a.h --\n", clang: "pragma-operator"},
		{name: "other warning turned off by a pragma", files: "\n-- x.c --\n#pragma clang diagnostic push\n#pragma clang diagnostic ignored \"-Wunused\"\n#include \"a.h\"\n#pragma clang diagnostic pop\n-- a.h --\n"},
		{name: "questions", src: "x.cpp", files: `
-- x.cpp --
#if __has_cpp_attribute(nodiscard) >= 201603L && __has_builtin(__builtin_trap) && !__has_feature(modules) && __has_declspec_attribute(dllexport)
#include "a.h"
#endif
#if __has_attribute(no_such) || __is_target_os(linux) || !__is_target_os(windows)
#include "b.h"
#endif
-- a.h --
-- b.h --
`, args: "/std:c++17"},
		{name: "compatibility switched off", files: "\n-- x.c --\n", args: "-fno-ms-compatibility", clang: "flag"},
	}
}

// sameFile has a header that both the chain and an includer's directory lead to.
const sameFile = `
-- src/t/x.h --
-- x.c --
#include "src/m.h"
-- src/m.h --
#include "n/a.h"
-- src/n/a.h --
#include "o/b.h"
#include "p.h"
-- src/o/b.h --
#include "o/c.h"
-- src/o/c.h --
-- src/p.h --
`

// systemLink is sameFile with an includer in a system directory.
const systemLink = `
-- x.c --
#include "src/m.h"
-- src/m.h --
#include <s.h>
-- sys/s.h --
#include "o/b.h"
-- src/o/b.h --
#include "o/c.h"
-- src/o/c.h --
-- link -> src
`

// includeNext goes on from where the chain has another file than an includer's.
const includeNext = `
-- x.c --
#include "d/a.h"
-- d/a.h --
#include "b.h"
-- b.h --
#include_next <b.h>
-- one/b.h --
#include "c.h"
-- two/b.h --
#include "c.h"
-- one/c.h --
-- two/c.h --
`

func TestMicrosoftPitfalls(t *testing.T) {
	compiler := &cpptest.Compiler{}
	for _, p := range slices.Concat(microsoftPitfalls(), common(pitfalls())) {
		t.Run(strings.ReplaceAll(p.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			p.run(t, clangCL, cpp.New(cpp.Options{Compiler: compiler}))
		})
	}
}

// common returns those of list whose arguments clang-cl understands.
func common(list []pitfall) []pitfall {
	return slices.DeleteFunc(list, func(p pitfall) bool {
		other := func(arg string) bool { return !strings.HasPrefix(arg, "-I") && !strings.HasPrefix(arg, "-D") }
		return p.only == "gcc" || strings.HasPrefix(p.name, "import") || p.env != "" || p.src != "" || slices.ContainsFunc(strings.Fields(p.args), other)
	})
}
