//go:build unix

package pdbsession

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// grow brings the PDB to size by large members.
func (r *rig) grow(size int64) {
	r.Helper()
	for i := 0; ; i++ {
		r.deliver(r.unit(fmt.Sprint("large", i), 40000))
		if info, err := os.Stat(r.id.Path); err != nil {
			r.Fatal(err)
		} else if info.Size() >= size {
			return
		}
	}
}

// BenchmarkHit is the answer to a member that comes from a cache, when the PDB has 50 MB: a
// private PDB of 1,300 records, of which 10 KB are new. What is reported is the latency of
// one member; width members come at once.
func BenchmarkHit(b *testing.B) {
	for _, width := range []int{1, 16} {
		b.Run(fmt.Sprintf("j=%d", width), func(b *testing.B) {
			r := newRig(b)
			r.grow(50 << 20)
			const count = 320
			var latencies []time.Duration
			var used time.Duration
			round := 0
			for b.Loop() {
				b.StopTimer()
				round++
				members := make([]*Member, count)
				for i := range members {
					members[i] = r.unit(fmt.Sprintf("round%d_%d", round, i), 90)
				}
				b.StartTimer()
				begin := processorTime(b)
				latencies = append(latencies, r.latencies(members, width)...)
				used += processorTime(b) - begin
			}
			slices.Sort(latencies)
			b.ReportMetric(latencies[len(latencies)/2].Seconds()*1e3, "p50-ms")
			b.ReportMetric(latencies[len(latencies)*99/100].Seconds()*1e3, "p99-ms")
			b.ReportMetric(used.Seconds()*1e3/float64(len(latencies)), "cpu-ms/member")
			b.ReportMetric(0, "ns/op")
		})
	}
}

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

// latencies delivers members, width of them at a time, and returns how long each one took.
func (r *rig) latencies(members []*Member, width int) []time.Duration {
	r.Helper()
	took := make([]time.Duration, len(members))
	var group sync.WaitGroup
	for w := range width {
		group.Go(func() {
			for i := w; i < len(members); i += width {
				begin := time.Now()
				d, err := r.sessions.Deliver(r.id, members[i])
				if took[i] = time.Since(begin); err != nil || d.Form != Merged {
					r.Errorf("%+v, %v", d, err)
				}
			}
		})
	}
	group.Wait()
	return took
}

// BenchmarkMemory is the peak of the process's memory, as a multiple of a PDB of 500 MB,
// while the PDB is opened and grows by one member.
func BenchmarkMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc")
	}
	const size = 500 << 20
	r := newRig(b)
	r.grow(size)
	r.sessions.Close()
	peak, open := 0.0, time.Duration(0)
	for b.Loop() {
		m := r.unit("one more", 90)
		runtime.GC()
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			b.Fatal(err)
		}
		begin := time.Now()
		r.deliver(m)
		open += time.Since(begin)
		peak = max(peak, float64(peakMemory(b))/size)
		r.sessions.Close()
	}
	b.ReportMetric(peak, "peak/size")
	b.ReportMetric(open.Seconds()/float64(b.N), "s/open")
	b.ReportMetric(0, "ns/op")
}

// peakMemory returns the process's highest resident memory since the last reset, in bytes.
func peakMemory(tb testing.TB) int64 {
	tb.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	var kilobytes int64
	for line := range strings.Lines(string(status)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	tb.Fatal("no VmHWM")
	return 0
}

// BenchmarkOpen is what a session of a PDB of 50 MB costs to open.
func BenchmarkOpen(b *testing.B) {
	r := newRig(b)
	r.grow(50 << 20)
	m := r.unit("one more", 90)
	r.deliver(m)
	var used time.Duration
	n := 0
	for b.Loop() {
		b.StopTimer()
		r.sessions.Close()
		b.StartTimer()
		begin := processorTime(b)
		r.deliver(m)
		used += processorTime(b) - begin
		n++
	}
	b.ReportMetric(used.Seconds()*1e3/float64(n), "cpu-ms/op")
}
