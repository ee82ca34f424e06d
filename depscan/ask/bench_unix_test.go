//go:build unix

package ask

import (
	"os"
	"testing"

	"github.com/rexwrap/rexwrap/depscan/depfile"
)

// headersOf returns the files that a source with these includes reads.
func headersOf(b *testing.B, text string) (*bed, []string) {
	bed := newBed(b)
	bed.write("x.cc", text)
	if stderr, err := bed.exec(nil, "g++", "-E", "-MD", "-MF", "x.d", "-o", "/dev/null", "x.cc"); err != nil {
		b.Fatalf("%v\n%s", err, stderr)
	}
	f, err := depfile.Parse([]byte(bed.read("x.d")))
	if err != nil {
		b.Fatal(err)
	}
	return bed, f.Prereqs[1:]
}

// BenchmarkScanText reads the text of <iostream> and <map>, 196 headers.
func BenchmarkScanText(b *testing.B) {
	_, headers := headersOf(b, "#include <iostream>\n#include <map>\n")
	var texts [][]byte
	var size int64
	for _, path := range headers {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		texts = append(texts, text)
		size += int64(len(text))
	}
	b.SetBytes(size)
	b.ReportAllocs()
	start := cpuTime(b)
	defer func() { reportCPU(b, start) }()
	for b.Loop() {
		for _, text := range texts {
			scanText(text, cText)
		}
	}
}

// BenchmarkCollect collects the inputs of the same headers, all that can be
// remembered being remembered.
func BenchmarkCollect(b *testing.B) {
	bed, _ := headersOf(b, "#include <iostream>\n#include <map>\n")
	c := compileOf(b, bed.dir, "g++", "-c", "-O2", "-o", "x.o", "x.cc")
	plan, err := bed.asker.Plan(c, bed.scratch())
	if err != nil {
		b.Fatal(err)
	}
	mark := bed.settledMark()
	if stderr, err := bed.exec(plan.Env, plan.Argv...); err != nil {
		b.Fatalf("%v\n%s", err, stderr)
	}
	facts := factsOf(b, c)
	b.ReportAllocs()
	start := cpuTime(b)
	defer func() { reportCPU(b, start) }()
	for b.Loop() {
		res, err := plan.Collect(b.Context(), RunInfo{Mark: mark}, bed.files, facts)
		if err != nil {
			b.Fatal(err)
		}
		if n := len(res.Inputs.Files); n < 190 {
			b.Fatalf("%d files", n)
		}
		b.ReportMetric(float64(len(res.Inputs.Files)), "files")
		b.ReportMetric(float64(len(res.Inputs.Absent)), "absent")
	}
}

// BenchmarkIdentifiers follows __FILE__ through the macros of the same headers.
func BenchmarkIdentifiers(b *testing.B) {
	_, headers := headersOf(b, "#include <iostream>\n#include <map>\n#include <cassert>\n")
	g := &gathering{
		c: compileOf(b, b.TempDir(), "g++", "-c", "-DNDEBUG", "-o", "x.o", "x.cc"), command: scanText(nil, cText),
		predefined: scanText([]byte("#define linux 1\n"), plainText),
	}
	for _, path := range headers {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		g.texts = append(g.texts, scanText(text, cText))
	}
	b.ReportAllocs()
	start := cpuTime(b)
	defer func() { reportCPU(b, start) }()
	for b.Loop() {
		if ids := g.identifiers(); ids != 0 {
			b.Fatalf("identifiers %b", ids)
		}
	}
}
