package ask

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// names returns the Names of a text as one word each, with what they are for.
func names(t *Text) string {
	kind := map[Use]string{UseInclude: "", UseNext: "next:", UseProbe: "probe:", UseProbeNext: "probenext:", UseEmbed: "embed:", UseIncbin: "incbin:", UseAsm: "asm:"}
	var out []string
	for _, n := range t.Names {
		open, end := "<", ">"
		if n.Quoted {
			open, end = `"`, `"`
		}
		if n.Use.assembles() {
			open, end = "", ""
		}
		out = append(out, kind[n.Use]+open+n.Path+end)
	}
	return strings.Join(out, " ")
}

func TestScanNames(t *testing.T) {
	tests := []struct {
		name, text, want string
		dialect          dialect
	}{
		{"spellings", "#include <a.h>\n#include\"b.h\"\n # /* c */ include /* d */ <c d.h>\n#import <e.h>\n#include_next <f.h>\n", `<a.h> "b.h" <c d.h> <e.h> next:<f.h>`, 0},
		{"digraph and trigraph", "%:include <a.h>\n??=include <b.h>\n", `<a.h> <b.h>`, 0},
		{"splices", "#inc\\\nlude <a.h>\n#include \\\n  <b.h>\n#include <c\\  \n.h>\n", `<b.h> <a.h> <c.h>`, 0},
		{"comments", "/* #include <a.h> */\n// #include <b.h>\n/* x */ #include <c.h>\n", `<c.h>`, 0},
		{"a comment's beginning in a string", "char *s = \"/*\";\n#include <a.h>\nchar *t = \"*/\";\n", `<a.h>`, 0},
		{"a comment's beginning in a spliced string", "char *s = \"x \\\n/*\";\n#include <a.h>\n/* */", `<a.h>`, 0},
		{"a comment's beginning in a raw string", "char *s = R\"(\n/*\n)\";\n#include <a.h>\n/* */", `<a.h>`, 0},
		{"C90", "int a = 1 //* \n#include <a.h>\n/* */;", `<a.h>`, plainText},
		{"an apostrophe in a number", "int a = 1'000; char c = '\"';\n#include <a.h> // '\n", `<a.h>`, 0},
		{"conditions are not evaluated", "#if 0\n#include <a.h>\n#endif\n", `<a.h>`, 0},
		{"probes", "#if __has_include(<a.h>) || __has_include_next(\"b.h\") \\\n || __has_include ( <c.h> ) && defined(__has_include)\n", `probe:<a.h> probenext:"b.h" probe:<c.h>`, 0},
		{"embed", "#embed \"a.bin\"\n#if __has_embed(<b.bin> limit(3))\n", `embed:"a.bin" embed:<b.bin>`, 0},
		{"incbin", `__asm__(".incbin \"a.bin\"");`, `incbin:a.bin`, 0},
		{"incbin with blanks", `__asm__("  .INCBIN\t \"a b.bin\", 4");`, `incbin:a b.bin`, 0},
		{"split incbin", "__asm__(\".incbin\" \" \\\"a\"\n\".bin\\\"\");", `incbin:a.bin`, 0},
		{"incbin in a raw string", `asm(R"(.incbin "a.bin")");`, `incbin:a.bin`, 0},
		{"incbin of a program that writes assembler", `printf(".incbin \"%s\"", f);`, `incbin:%s`, 0},
		{"a member called incbin", "a.incbin();\nb->c.incbin (1);\nd.incbin = 2; x = .incbin;\nif (!strcmp(s, \".include\")) return;\n", ``, 0},
		{"assembler", "\t.incbin \"a.bin\"\n\t.include \"b.s\" # c\n#include \"d.h\"\n", `incbin:a.bin asm:b.s`, asmOnly},
		{"preprocessed assembler", "#include \"a.h\"\n\t.incbin \"b.bin\"\n", `"a.h" incbin:b.bin`, asmText},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := scanText([]byte(tt.text), tt.dialect)
			want, got := strings.Fields(tt.want), strings.Fields(names(text))
			less := func(a, b string) bool { return a < b }
			if diff := cmp.Diff(want, got, cmpopts.SortSlices(less)); diff != "" {
				t.Errorf("%s\nnames: %s", diff, names(text))
			}
			if text.Trouble != "" {
				t.Errorf("trouble: %s %s", text.Trouble, text.TroubleArg)
			}
		})
	}
}

func TestScanTrouble(t *testing.T) {
	tests := []struct {
		name, text, want string
		dialect          dialect
	}{
		{"incbin of a macro", `asm(".incbin " FILE);`, "incbin", 0},
		{"incbin with a macro within", `asm(".incbin \"" FILE "\"");`, "incbin", 0},
		{"incbin of an assembler macro's argument", `asm(".incbin \\file");`, "incbin", 0},
		{"incbin of an operand", `asm(".incbin \"%0\"" :: "i"(1));`, "incbin", 0},
		{"incbin of a macro in assembler", ".incbin FILE\n", "incbin", asmText},
		{"argument in assembler", ".macro m f\n.incbin \"\\f\"\n.endm\n", "incbin", asmOnly},
		{"computed embed", "#embed FILE\n", "embed", 0},
		{"dependency", "#pragma GCC dependency \"a.y\"\n", "pragma-dependency", 0},
		{"dependency by operator", "_Pragma(\"GCC dependency \\\"a.y\\\"\")\n", "pragma-dependency", 0},
		{"pch", "#pragma GCC pch_preprocess \"a.gch\"\n", "pch-preprocess", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := scanText([]byte(tt.text), tt.dialect).Trouble; got != tt.want {
				t.Errorf("trouble %q, want %q", got, tt.want)
			}
		})
	}
}

func TestScanComputed(t *testing.T) {
	text := scanText([]byte("#define A <a.h>\n#define B \"b.h\" \n#include A\n#if __has_include(B) && HAS(<c.h>) && X < 3\n"+
		"#define HAS(x) __has_include(x)\n#line 7 \"d.y\"\n# 8 \"e.y\" 3\n#include \"f.h\"\n"), cText)
	want := &Text{
		Names:           []Name{{Path: "f.h", Quoted: true, Late: true}},
		Candidates:      []Name{{Path: "a.h"}, {Path: "b.h", Quoted: true}, {Path: "c.h"}},
		ComputedInclude: true, ComputedProbes: []string{"B"}, ProbeMacro: true,
		Lines: []string{"d.y", "e.y"}, SystemHeader: true,
	}
	if diff := cmp.Diff(want, text, cmpopts.IgnoreUnexported(Text{})); diff != "" {
		t.Error(diff)
	}
}

// TestIdentifiers checks which identifiers the text of one file can contain.
func TestIdentifiers(t *testing.T) {
	const file, date, base = depscan.IdentFile, depscan.IdentDate, depscan.IdentBaseFile
	tests := []struct {
		name, text string
		want       depscan.Identifiers
	}{
		{"plain", "char *f = __FILE__, *d = __DATE__;", file | date},
		{"whole words only", "int a__FILE__, __FILE__b;", 0},
		{"in a comment", "/* __FILE__ */ // __FILE__\n", 0},
		{"in a string", `char *s = "__FILE__";`, 0},
		{"in a condition", "#ifdef __FILE__\n#undef __FILE__\n#endif\n", 0},
		{"in a macro that is not used", "#define A __FILE__\n#ifdef A\n#endif\n#undef A\n", 0},
		{"in a macro that is used", "#define A __FILE__\nchar *s = A;", file},
		{"used before", "char *s = A;\n#define A __BASE_FILE__\n", base},
		{"by way of macros", "#define A __FILE__\n#define B(x) A \\\n  x\n#define C B(1)\nchar *s = C;", file},
		{"by way of macros that are not used", "#define A __FILE__\n#define B A\n", 0},
		{"in the continuation of a macro", "#define A 1 + \\\n  __FILE__\n", 0},
		{"after a macro", "#define A 1\n__FILE__", file},
		{"in the comment behind a macro", "#define A /* \n */ __FILE__\n", 0},
		{"by pasting a macro's name", "#define LOG_FILE __FILE__\n#define L(x) LOG_##x\nchar *s = L(FILE);", file},
		{"by pasting in three", "#define A_B_1 __FILE__\n#define L(x, n) A_##x##_##n\nint _; char *s = L(B, 1);", file},
		{"by pasting itself", "#define CAT(a, b) a##b\nchar *s = CAT(__FI, LE__);", file},
		{"not by pasting glibc's type", "#define CAT(a, b) a##b\n__FILE *f; int CAT(__, f);", 0},
		{"by pasting both ends", "#define M(x) __##x##__\nchar *s = M(FILE);", file},
		{"not by pasting one end", "#define M(x) __ ## x\nint __FILE, FILE, FILE_; M(FILE);", 0},
		{"built in", "f(__builtin_FILE());", file},
		{"source location", "auto l = __builtin_source_location();", file},
		{"signature", "f(__PRETTY_FUNCTION__);", depscan.IdentSignature},
		{"counter", "int x = __COUNTER__;", depscan.IdentCounter},
		{"time", "char *t = __TIME__ __TIMESTAMP__;", depscan.IdentTime | depscan.IdentTimestamp},
		{"by a pragma's message", "_Pragma(\"message(__FILE__)\")", file},
		{"behind a comment's beginning in a string", "char *s = \"//\" __FILE__;", file},
		{"spliced", "char *s = __FI\\\nLE__;", file},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			g := &gathering{texts: []*Text{scanText([]byte(tt.text), cText)}, command: scanText(nil, cText)}
			if got := g.identifiers(); got != tt.want {
				t.Errorf("identifiers %b, want %b", got, tt.want)
			}
		})
	}
}

// TestGuardedIdentifiers checks that a macro which cannot come to be defined
// carries nothing.
func TestGuardedIdentifiers(t *testing.T) {
	tests := []struct {
		name, text string
		args       []string
		carried    bool
	}{
		{"never defined", "#ifdef DEBUG\n#define A __FILE__\n#endif\nA", nil, false},
		{"by an option", "#ifdef DEBUG\n#define A __FILE__\n#endif\nA", []string{"-DDEBUG"}, true},
		{"by the text", "#ifdef DEBUG\n#define A __FILE__\n#endif\nA\n#define DEBUG", nil, true},
		{"by the compiler", "#ifdef linux\n#define A __FILE__\n#endif\nA", nil, true},
		{"perhaps by the compiler", "#ifdef _DEBUG\n#define A __FILE__\n#endif\nA", nil, true},
		{"by text that never is read", "#ifdef DEBUG\n#define A __FILE__\n#endif\nA\n#if defined(X) && 1\n#define DEBUG\n#endif", nil, false},
		{"by itself", "#ifdef DEBUG\n#define A __FILE__\n#define DEBUG\n#endif\nA", nil, false},
		{"in a circle", "#ifdef X\n#define Y\n#define A __FILE__\n#endif\n#ifdef Y\n#define X\n#endif\nA", nil, false},
		{"in a circle with an entrance", "#ifdef X\n#define Y\n#endif\n#ifdef Y\n#define X\n#define A __FILE__\n#endif\n#ifdef linux\n#define X\n#endif\nA", nil, true},
		{"or", "#if defined(DEBUG) || 1\n#define A __FILE__\n#endif\nA", nil, true},
		{"a word for or", "#if linux && DEBUG or 1\n#define A __FILE__\n#endif\nA", nil, true},
		{"within parentheses", "#if !(1 && defined(DEBUG) && 1)\n#define A __FILE__\n#endif\nA", nil, true},
		{"by value", "#if DEBUG && 1\n#define A __FILE__\n#endif\nA", nil, false},
		{"not defined", "#if !defined DEBUG\n#define A __FILE__\n#endif\nA", nil, true},
		{"elif", "#ifdef DEBUG\n#elif 1\n#define A __FILE__\n#endif\nA", nil, true},
		{"else of what is never defined", "#ifdef DEBUG\n#else\n#define A __FILE__\n#endif\nA", nil, true},
		{"else of what an option defines", "#ifdef NDEBUG\n#else\n#define A __FILE__\n#endif\nA", []string{"-DNDEBUG"}, false},
		{"else of a value", "#if NDEBUG\n#else\n#define A __FILE__\n#endif\nA", []string{"-DNDEBUG=0"}, true},
		{"else of a conjunction", "#if defined(NDEBUG) && X\n#else\n#define A __FILE__\n#endif\nA", []string{"-DNDEBUG"}, true},
		{"undefined again", "#ifndef NDEBUG\n#define A __FILE__\n#endif\nA\n#undef NDEBUG", []string{"-DNDEBUG"}, true},
		{"undefined by an option", "#ifndef NDEBUG\n#define A __FILE__\n#endif\nA", []string{"-DNDEBUG", "-UNDEBUG"}, true},
		{"undefined behind a comment that is not skipped", "R\"()\";\n#ifndef NDEBUG\n#define A __FILE__\n#endif\nA\n/* */ #undef NDEBUG", []string{"-DNDEBUG"}, true},
		{"behind a comment that goes on", "#ifdef DEBUG\n// \\\n#else\n#define A __FILE__\n#endif\nA", nil, true},
		{"behind a comment that may be none", "#ifdef DEBUG\n#error don't /*\n#else\n*/\n#define A __FILE__\n#endif\nA", nil, true},
		{"behind a literal and a comment", "#ifdef DEBUG\n\"\" '\"' /*\n#else\n*/\n#define A __FILE__\n#endif\nA", nil, false},
		{"unbalanced", "#ifdef DEBUG\n#define A __FILE__\nA", nil, true},
		{"an #endif within a raw string", "R\"(\n#ifdef X\n)\";\n#ifdef DEBUG\n#define A __FILE__\n#endif\nA", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &toolchains.Compile{}
			for _, w := range tt.args {
				c.Args = append(c.Args, toolchains.Arg{Option: w[:2], Value: w[2:], Form: argtable.Joined, Class: argtable.Macro})
			}
			g := &gathering{
				c: c, texts: []*Text{scanText([]byte(tt.text), cText)}, command: scanText(commandLine(c), plainText),
				predefined: scanText([]byte("#define linux 1\n"), plainText),
			}
			if got := g.identifiers() == depscan.IdentFile; got != tt.carried {
				t.Errorf("carried: %v, want %v", got, tt.carried)
			}
		})
	}
}

// FuzzScanText checks that no text makes the scan fail, and that splicing lines
// anywhere hides no #include that was seen without.
func FuzzScanText(f *testing.F) {
	f.Add([]byte("#include <a.h>\n#define A \"x\" // y\n"), 5)
	f.Add([]byte("asm(\".incbin \\\"x\\\"\");\n'\"' R\"(x)\" 1'0 ??="), 9)
	f.Fuzz(func(t *testing.T, text []byte, at int) {
		for d := cText; d <= asmOnly; d++ {
			scanText(text, d)
		}
		if at < 0 || at > len(text) || strings.ContainsAny(string(text), "\\?") {
			return
		}
		plain := scanText(text, cText)
		spliced := scanText([]byte(string(text[:at])+"\\\n"+string(text[at:])), cText)
		for _, n := range plain.Names {
			if !contains(spliced.Names, n) {
				t.Errorf("%q at %d: %v is lost, %v", text, at, n, spliced.Names)
			}
		}
		if lost := plain.Identifiers &^ spliced.Identifiers; lost != 0 {
			t.Errorf("%q at %d: identifiers %b are lost", text, at, lost)
		}
	})
}

func contains(list []Name, n Name) bool {
	for _, m := range list {
		if m.Path == n.Path && m.Use == n.Use {
			return true
		}
	}
	return false
}
