//go:build linux

package toolchains_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkResolve is what every call pays: the surroundings known, nothing
// changed. The budget is 40 µs of processor time.
func BenchmarkResolve(b *testing.B) {
	for _, name := range []string{"gcc", "clang"} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b)
			c := call(installed(b, name), "-O2", "-g", "-Wall", "-Iinclude", "-DNDEBUG", "-c", "x.c", "-o", "x.o")
			f.resolve(b, c)
			before := f.processes.Load()
			reads := f.files.reads.Load()
			b.ReportAllocs()
			start := processorTime(b)
			for b.Loop() {
				f.resolve(b, c)
			}
			b.ReportMetric(float64(processorTime(b)-start)/float64(b.N), "cpu-ns/op")
			if f.processes.Load() != before || f.files.reads.Load() != reads {
				b.Error("a known call ran or read something")
			}
		})
	}
}

// processorTime is what this process has used, by which a busy machine is judged.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var used unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkFirst is what the first call of a server pays, the files' digests
// known: with a memory nothing is run, without it the driver is asked.
func BenchmarkFirst(b *testing.B) {
	for _, name := range []string{"gcc", "clang"} {
		for memory, forget := range map[string]bool{"remembered": false, "asked": true} {
			b.Run(name+"/"+memory, func(b *testing.B) {
				f := newFixture(b)
				c := call(installed(b, name), "-c", "x.c")
				f.resolve(b, c)
				for b.Loop() {
					if forget {
						f.memory = newTestMemory()
					}
					f.restart()
					f.resolve(b, c)
				}
			})
		}
	}
}
