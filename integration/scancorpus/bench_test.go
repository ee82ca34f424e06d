//go:build linux

package scancorpus

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// childrenTime is the CPU time of the processes waited for.
func childrenTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &r); err != nil {
		panic(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// cpuTime reads one of the clocks that count CPU time, which know more than the
// ticks of getrusage.
func cpuTime(clock int32) time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(clock, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

// heapRoom is what cmd/rexd lets its heap grow by before it is collected.
const heapRoom = 32 << 20

// spent returns the CPU time that f takes of this process, collections of garbage
// included.
func spent(f func()) time.Duration {
	before := cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID)
	f()
	return cpuTime(unix.CLOCK_PROCESS_CPUTIME_ID) - before
}

// BenchmarkScan prints the CPU time of a scan beside gcc -M (clang-cl's) and clang-scan-deps
// for the projects of the corpus; without one, for system headers.
func BenchmarkScan(b *testing.B) {
	dir := b.TempDir()
	groups := map[string][]unit{}
	units := system(b, dir)
	if *corpusDir != "" {
		fetch(b, *corpusDir)
		units = append(full(b, *corpusDir, dir), units...)
	}
	units = append(units, microsoft(b, units, 1)...)
	var names []string
	for _, u := range units {
		if strings.HasPrefix(filepath.Base(u.argv[0]), "clang") && u.argv[0] != clangCL {
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

// rounds is how often all compiles are scanned for one figure, the median.
const rounds = 7

func speed(b *testing.B, name string, units []unit) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	room := make([]byte, heapRoom)
	defer runtime.KeepAlive(room)
	probe := &cpptest.Compiler{}
	ok := scannable(b, probe, units)
	s := cpp.New(cpp.Options{Compiler: probe, Watch: true}) // answers are known, nothing is lexed
	defer s.Close()
	all := func() {
		for _, c := range ok {
			if _, err := s.Scan(context.Background(), c); err != nil {
				b.Fatal(err)
			}
		}
	}
	cold := mean(spent(all), len(ok))
	scanAnew(s, ok)
	fresh, p99 := scanAnew(s, ok)
	all()
	again := mean(spent(all), len(ok))
	list := compilerTime(ok)
	line := fmt.Sprintf("%-12s %4d TUs  cold %.2f  new TU %.3f (p99 %.2f)  same TU %.3f ms; %s -M %.1f ms (%.0fx)",
		name, len(ok), cold, fresh, p99, again, filepath.Base(ok[0].Call.Program), list, list/fresh)
	if ok[0].Microsoft != nil {
		fmt.Println(line)
		return
	}
	if tool := filepath.Join(*corpusDir, "root/usr/lib/llvm-14/bin/clang-scan-deps"); *corpusDir != "" {
		line += fmt.Sprintf(", scan-deps %.1f ms", scanDeps(b, tool, ok))
	}
	wall, cpu := scaling(s, ok)
	fmt.Printf("%s; two workers %.2fx, %.2fx by CPU time; heap %d MB\n", line, wall, cpu, heap()-heapRoom>>20)
	b.ReportMetric(fresh, "ms/TU")
	for b.Loop() {
	}
}

// scannable returns the compiles of units that need no fallback. The compiler has
// answered all questions after that.
func scannable(b *testing.B, probe *cpptest.Compiler, units []unit) []*toolchains.Compile {
	var ok []*toolchains.Compile
	s := cpp.New(cpp.Options{Compiler: probe})
	for _, u := range units {
		c := cpptest.Compile(u.dir, nil, u.argv...)
		if _, err := s.Scan(context.Background(), c); err == nil {
			ok = append(ok, c)
		}
	}
	if len(ok) == 0 {
		b.Fatal("nothing to scan")
	}
	runtime.GC()
	return ok
}

func mean(d time.Duration, n int) float64 { return float64(d.Nanoseconds()) / float64(n) / 1e6 }

// scanAnew scans compiles whose answers are forgotten, what they share is not. It
// returns the mean CPU time in ms, and the 99th percentile of what the thread that
// scans takes.
func scanAnew(s *cpp.Scanner, list []*toolchains.Compile) (ms, p99 float64) {
	var warm, each []float64
	for range rounds {
		for _, c := range list {
			s.Forget(c)
		}
		warm = append(warm, mean(spent(func() {
			for _, c := range list {
				before := cpuTime(unix.CLOCK_THREAD_CPUTIME_ID)
				_, _ = s.Scan(context.Background(), c)
				each = append(each, mean(cpuTime(unix.CLOCK_THREAD_CPUTIME_ID)-before, 1))
			}
		}), len(list)))
	}
	slices.Sort(warm)
	slices.Sort(each)
	return warm[rounds/2], each[len(each)*99/100]
}

// heap is what is live on the heap, in MB.
func heap() uint64 {
	var mem runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&mem)
	return mem.HeapAlloc >> 20
}

// manyHeaders is the size of the corpus that memory is measured with.
const manyHeaders = 8000

// BenchmarkMemory prints the heap after compiles that read 8,000 headers together.
func BenchmarkMemory(b *testing.B) {
	if *corpusDir == "" {
		b.Fatal("needs a corpus")
	}
	fetch(b, *corpusDir)
	inc := filepath.Join(*corpusDir, "root/usr/include")
	list := walk(b, inc, 9, func(rel string) bool { return strings.HasPrefix(rel, "boost/") && strings.HasSuffix(rel, ".hpp") })
	units := headers(b, b.TempDir(), "boost", true, list, []string{"-isystem", inc, "-std=c++17"}, "gcc")
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}, Watch: true})
	defer s.Close()
	files := make(map[string]bool)
	n := 0
	before := heap()
	for _, u := range units {
		if len(files) >= manyHeaders {
			break
		}
		in, err := s.Scan(context.Background(), cpptest.Compile(u.dir, nil, u.argv...))
		if err != nil {
			continue
		}
		n++
		for _, f := range in.Files {
			files[f.Path] = true
		}
	}
	fmt.Printf("%d compiles that read %d files: heap %d MB\n", n, len(files), heap()-before)
	for b.Loop() {
	}
	runtime.KeepAlive(s)
}

// compilerTime is the mean CPU time in ms of a sample of runs with -M.
func compilerTime(list []*toolchains.Compile) float64 {
	step := max(len(list)/12, 1)
	n := 0
	before := childrenTime()
	for i := 0; i < len(list); i += step {
		c := list[i]
		question := []string{"-M", "-o", os.DevNull, c.Source}
		if c.Microsoft != nil {
			question = []string{"/w", "-clang:-M", c.Source}
		}
		cmd := exec.Command(c.Call.Argv[0], append(slices.Clone(c.Call.Argv[1:len(c.Call.Argv)-2]), question...)...)
		cmd.Dir = c.Call.Dir
		_ = cmd.Run()
		n++
	}
	return float64((childrenTime() - before).Microseconds()) / float64(n) / 1000
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
	before := childrenTime()
	_ = exec.Command(tool, "-j", "1", "-compilation-database", db).Run()
	return float64((childrenTime() - before).Microseconds()) / float64(len(list)) / 1000
}

// enough is the CPU time for which one thing is repeated before it is the other's turn:
// taken in turn one by one, collections of garbage fall into always the same.
const enough = time.Second / 4

// scaling is how much faster two goroutines are than one: as the clock says, and as
// it would be on two free cores, by the CPU time both take together.
func scaling(s *cpp.Scanner, list []*toolchains.Compile) (wall, cpu float64) {
	var took [2]effort
	for range rounds {
		for i := range took {
			for end := took[i].cpu + enough; took[i].cpu < end; {
				took[i].scan(s, list, i+1)
			}
		}
	}
	perScan := func(d time.Duration, e effort) float64 { return d.Seconds() / float64(e.scans) }
	one, two := took[0], took[1]
	return perScan(one.wall, one) / perScan(two.wall, two), 2 * perScan(one.cpu, one) / perScan(two.cpu, two)
}

// An effort is what scanning took.
type effort struct {
	wall, cpu time.Duration
	scans     int
}

// scan adds what it takes some goroutines to scan compiles whose answers are forgotten.
func (e *effort) scan(s *cpp.Scanner, list []*toolchains.Compile, workers int) {
	for _, c := range list {
		s.Forget(c)
	}
	start := time.Now()
	e.cpu += spent(func() {
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for i := w; i < len(list); i += workers {
					_, _ = s.Scan(context.Background(), list[i])
				}
			})
		}
		wg.Wait()
	})
	e.wall += time.Since(start)
	e.scans += len(list)
}
