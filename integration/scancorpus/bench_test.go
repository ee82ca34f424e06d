//go:build unix

package scancorpus

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// cpuTime is the CPU time of this process, or of its children.
func cpuTime(who int) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(who, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// spent returns the CPU time that f takes of this process.
func spent(f func()) time.Duration {
	before := cpuTime(syscall.RUSAGE_SELF)
	f()
	return cpuTime(syscall.RUSAGE_SELF) - before
}

// BenchmarkScan prints the CPU time of a scan beside gcc -M and clang-scan-deps
// for the projects of the corpus; without one, for system headers.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	groups := map[string][]unit{}
	units := system(b, dir)
	if *corpusDir != "" {
		fetch(b, *corpusDir)
		units = append(full(b, *corpusDir, dir), units...)
	}
	var names []string
	for _, u := range units {
		if filepath.Base(u.argv[0]) != "gcc" && filepath.Base(u.argv[0]) != "g++" {
			continue
		}
		if groups[u.corpus] == nil {
			names = append(names, u.corpus)
		}
		groups[u.corpus] = append(groups[u.corpus], u)
	}
	for _, n := range names {
		b.Run(n, func(b *testing.B) { speed(b, n, groups[n]) })
	}
}

func speed(b *testing.B, name string, units []unit) {
	var ok []*toolchains.Compile
	probe := &cpptest.Compiler{}
	fresh := cpp.New(cpp.Options{Compiler: probe})
	for _, u := range units {
		c := cpptest.Compile(u.dir, nil, u.argv...)
		if _, err := fresh.Scan(context.Background(), c); err == nil {
			ok = append(ok, c)
		}
	}
	if len(ok) == 0 {
		b.Fatal("nothing to scan")
	}
	runtime.GC()
	s := cpp.New(cpp.Options{Compiler: probe, Watch: true}) // answers are known, nothing is lexed
	ms := func(d time.Duration, n int) float64 { return float64(d.Microseconds()) / float64(n) / 1000 }
	all := func() {
		for _, c := range ok {
			if _, err := s.Scan(context.Background(), c); err != nil {
				b.Fatal(err)
			}
		}
	}
	cold := ms(spent(all), len(ok))
	again := ms(spent(all), len(ok))
	for _, c := range ok {
		s.Forget(c)
	}
	all()
	var warm, slowest []float64
	for range 5 {
		warm = append(warm, ms(spent(func() {
			for _, c := range ok {
				s.Forget(c)
				start := time.Now()
				_, _ = s.Scan(context.Background(), c)
				slowest = append(slowest, time.Since(start).Seconds()*1000)
			}
		}), len(ok)))
	}
	slices.Sort(warm)
	slices.Sort(slowest)
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	gcc := compilerTime(ok, "-M")
	line := fmt.Sprintf("%-12s %4d TUs  cold %.2f  new TU %.3f (p99 %.2f)  same TU %.3f ms; gcc -M %.1f ms (%.0fx)",
		name, len(ok), cold, warm[2], slowest[len(slowest)*99/100], again, gcc, gcc/warm[2])
	if tool := filepath.Join(*corpusDir, "root/usr/lib/llvm-14/bin/clang-scan-deps"); *corpusDir != "" {
		line += fmt.Sprintf(", scan-deps %.1f ms", scanDeps(b, tool, ok))
	}
	fmt.Printf("%s; two workers %.2fx; heap %d MB\n", line, scaling(s, ok), mem.HeapAlloc>>20)
	b.ReportMetric(warm[2], "ms/TU")
	for b.Loop() {
	}
}

// compilerTime is the mean CPU time in ms of a sample of compiler runs.
func compilerTime(list []*toolchains.Compile, flag string) float64 {
	step := max(len(list)/12, 1)
	n := 0
	before := cpuTime(syscall.RUSAGE_CHILDREN)
	for i := 0; i < len(list); i += step {
		c := list[i]
		cmd := exec.Command(c.Call.Argv[0], append(slices.Clone(c.Call.Argv[1:len(c.Call.Argv)-2]), flag, "-o", os.DevNull, c.Source)...)
		cmd.Dir = c.Call.Dir
		_ = cmd.Run()
		n++
	}
	return float64((cpuTime(syscall.RUSAGE_CHILDREN) - before).Microseconds()) / float64(n) / 1000
}

// scanDeps is the mean CPU time in ms that clang-scan-deps takes for all.
func scanDeps(b *testing.B, tool string, list []*toolchains.Compile) float64 {
	db := filepath.Join(b.TempDir(), "compile_commands.json")
	var text []byte
	for i, c := range list {
		sep := ","
		if i == 0 {
			sep = "["
		}
		text = fmt.Appendf(text, "%s{\"directory\":%q,\"file\":%q,\"arguments\":[\"clang\"", sep, c.Call.Dir, c.Source)
		for _, a := range c.Call.Argv[1:] {
			text = fmt.Appendf(text, ",%q", a)
		}
		text = append(text, "]}"...)
	}
	if err := os.WriteFile(db, append(text, ']'), 0o666); err != nil {
		b.Fatal(err)
	}
	before := cpuTime(syscall.RUSAGE_CHILDREN)
	_ = exec.Command(tool, "-j", "1", "-compilation-database", db).Run()
	return float64((cpuTime(syscall.RUSAGE_CHILDREN) - before).Microseconds()) / float64(len(list)) / 1000
}

// scaling is how much faster two goroutines are than one.
func scaling(s *cpp.Scanner, list []*toolchains.Compile) float64 {
	run := func(workers int) time.Duration {
		start := time.Now()
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < len(list); i += workers {
					s.Forget(list[i])
					_, _ = s.Scan(context.Background(), list[i])
				}
			})
		}
		wg.Wait()
		return time.Since(start)
	}
	return run(1).Seconds() / run(2).Seconds()
}
