//go:build unix

package pdb

import (
	"syscall"
	"testing"
	"time"
)

// processorTime is what the process has used so far. Unlike the time of day it does not
// depend on what else runs.
func processorTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkMerge reads, merges and writes a private PDB of 40,000 records, all new.
func BenchmarkMerge(b *testing.B) {
	file := NewMemory(nil)
	s := Create(file, GUID{1})
	merge(b, s, private(b, many(40000, "bench"), nil))
	if err := s.Commit(); err != nil {
		b.Fatal(err)
	}
	begin := processorTime(b)
	for b.Loop() {
		p, err := ReadPrivate(file.Bytes())
		if err != nil {
			b.Fatal(err)
		}
		s := Create(NewMemory(nil), GUID{1})
		merge(b, s, p)
		if err := s.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processorTime(b)-begin).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
}
