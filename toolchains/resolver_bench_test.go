//go:build linux

package toolchains_test

import "testing"

// BenchmarkResolve is what every call pays: the surroundings known, nothing
// changed. The budget is 40 µs.
func BenchmarkResolve(b *testing.B) {
	for _, name := range []string{"gcc", "clang"} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b)
			c := call(installed(b, name), "-O2", "-g", "-Wall", "-Iinclude", "-DNDEBUG", "-c", "x.c", "-o", "x.o")
			f.resolve(b, c)
			before := f.processes.Load()
			reads := f.files.reads.Load()
			b.ReportAllocs()
			for b.Loop() {
				f.resolve(b, c)
			}
			if f.processes.Load() != before || f.files.reads.Load() != reads {
				b.Error("a known call ran or read something")
			}
		})
	}
}
