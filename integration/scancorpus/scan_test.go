package scancorpus

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
)

var (
	corpusDir = flag.String("corpus", "", "folder of the corpus, which is fetched if it is empty; by default only system headers are compared")
	only      = flag.String("only", "", "compare only corpora whose name has this prefix")
)

// result counts the outcome for one corpus and compiler.
type result struct {
	units, exact, failing int
	fallbacks             map[string]int
}

// warmPasses is how often everything is scanned again, in another order, by the
// scanner that remembers the passes before.
const warmPasses = 3

// TestSameAsCompiler is the gate: no difference, few fallbacks.
func TestSameAsCompiler(t *testing.T) {
	dir := t.TempDir()
	units, nth := system(t, dir), 3
	if *corpusDir != "" {
		fetch(t, *corpusDir)
		units, nth = append(full(t, *corpusDir, dir), units...), 1
	}
	units = append(units, microsoft(t, units, nth)...)
	units = slices.DeleteFunc(units, func(u unit) bool { return !strings.HasPrefix(u.corpus, *only) })
	s := cpp.New(cpp.Options{Compiler: &cpptest.Compiler{}, Watch: true})
	defer s.Close()
	results := make(map[string]*result)
	var known sync.Map // index of a unit → []string
	var mu sync.Mutex
	byTwo(len(units), func(i int) {
		if want := compare(t, s, units[i], results, &mu); want != nil {
			known.Store(i, want)
		}
	})
	report(t, results)
	r := rand.New(rand.NewPCG(1, 2))
	for range warmPasses {
		order := r.Perm(len(units))
		byTwo(len(order), func(i int) {
			if want, ok := known.Load(order[i]); ok {
				compareWarm(t, s, units[order[i]], want.([]string))
			}
		})
	}
}

// byTwo calls do for 0 to n-1 from two goroutines.
func byTwo(n int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	wg.Wait()
}

// compareWarm compares a unit once more, by what is known of others.
func compareWarm(t *testing.T, s *cpp.Scanner, u unit, want []string) {
	c := cpptest.Compile(u.dir, nil, u.argv...)
	s.Forget(c)
	got, err := s.Scan(context.Background(), c)
	if err != nil {
		t.Errorf("again: %v: %v", u.argv, err)
	} else if d := difference(got.Files, want); d != "" {
		t.Errorf("again: cd %s && %s:%s", u.dir, strings.Join(u.argv, " "), d)
	}
}

// compare compares one unit and returns its files if they are right. What the
// compiler rejects is left out.
func compare(t *testing.T, s *cpp.Scanner, u unit, results map[string]*result, mu *sync.Mutex) []string {
	c := cpptest.Compile(u.dir, nil, u.argv...)
	want, notes, rejected := readBy(c)
	got, err := s.Scan(context.Background(), c)
	mu.Lock()
	defer mu.Unlock()
	name := u.corpus + " " + c.Toolchain.Family
	r := results[name]
	if r == nil {
		r = &result{fallbacks: make(map[string]int)}
		results[name] = r
	}
	if rejected != nil {
		r.failing++
		return nil
	}
	r.units++
	switch {
	case errors.Is(err, depscan.ErrFallback):
		r.fallbacks[cpp.Reason(err)]++
		t.Logf("%s: %s: %v", name, u.argv[len(u.argv)-1], err)
	case err != nil:
		t.Errorf("%s: %v: %v", name, u.argv, err)
	default:
		if d := difference(got.Files, want); d != "" {
			t.Errorf("%s: cd %s && %s:%s", name, u.dir, strings.Join(u.argv, " "), d)
			return nil
		}
		if d := notes(got.Files); d != "" {
			t.Errorf("%s: cd %s && %s: notes:%s", name, u.dir, strings.Join(u.argv, " "), d)
			return nil
		}
		r.exact++
		return want
	}
	return nil
}

// readBy returns the compiler's list of the files that c reads, and what compares files with
// all else that it tells of them.
func readBy(c *toolchains.Compile) (list []string, notes func([]depscan.File) string, err error) {
	if c.Microsoft == nil {
		list, err = cpptest.ReadBy(context.Background(), c, true)
		return list, func([]depscan.File) string { return "" }, err
	}
	read, err := cpptest.ReadByMicrosoft(context.Background(), c)
	if err != nil {
		return nil, nil, err
	}
	return read.Listed, func(files []depscan.File) string { return noteDifference(files, read) }, nil
}

func difference(files []depscan.File, want []string) string {
	got := make([]string, len(files))
	for i, f := range files {
		got[i] = f.Path
	}
	if slices.Equal(got, want) {
		return ""
	}
	var b strings.Builder
	for _, p := range want {
		if !slices.Contains(got, p) {
			b.WriteString("\n  missing " + p)
		}
	}
	for _, p := range got {
		if !slices.Contains(want, p) {
			b.WriteString("\n  extra " + p)
		}
	}
	for i := range min(len(got), len(want)) {
		if b.Len() == 0 && got[i] != want[i] {
			b.WriteString("\n  order: " + got[i] + " instead of " + want[i])
		}
	}
	return b.String()
}

// maxFallbacks is the share of units that may fall back.
const maxFallbacks = 0.005

func report(t *testing.T, results map[string]*result) {
	var names []string
	for n := range results {
		names = append(names, n)
	}
	sort.Strings(names)
	units, fell := 0, 0
	for _, n := range names {
		r := results[n]
		units += r.units
		for _, k := range r.fallbacks {
			fell += k
		}
		t.Logf("%-24s %5d units  %5d exact  fallbacks %v  (%d rejected by the compiler)", n, r.units, r.exact, r.fallbacks, r.failing)
	}
	if units == 0 {
		t.Fatal("nothing was compared")
	}
	if share := float64(fell) / float64(units); share > maxFallbacks {
		t.Errorf("%d of %d units fell back", fell, units)
	}
	fmt.Printf("scan corpus: %d units, %d fallbacks\n", units, fell)
}

var cHeaders = []string{
	"assert.h", "complex.h", "ctype.h", "dirent.h", "dlfcn.h", "errno.h", "fcntl.h", "fenv.h", "float.h",
	"fts.h", "getopt.h", "glob.h", "grp.h", "iconv.h", "ifaddrs.h", "inttypes.h", "langinfo.h", "libgen.h", "limits.h", "link.h",
	"locale.h", "malloc.h", "math.h", "memory.h", "mntent.h", "net/if.h", "netdb.h", "netinet/in.h", "netinet/tcp.h", "nl_types.h",
	"poll.h", "pthread.h", "pwd.h", "regex.h", "resolv.h", "sched.h", "search.h", "semaphore.h", "setjmp.h", "signal.h", "spawn.h",
	"stdalign.h", "stdarg.h", "stdatomic.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "sys/epoll.h",
	"sys/mman.h", "sys/socket.h", "sys/stat.h", "sys/types.h", "sys/wait.h", "syslog.h", "termios.h", "tgmath.h", "time.h",
	"unistd.h", "wchar.h", "wctype.h", "linux/fs.h", "linux/if_ether.h", "linux/netlink.h",
}

var cxxHeaders = []string{
	"algorithm", "any", "array", "atomic", "bitset", "chrono", "codecvt", "complex", "condition_variable",
	"deque", "exception", "filesystem", "forward_list", "fstream", "functional", "future", "iomanip", "ios", "iostream", "iterator",
	"limits", "list", "locale", "map", "memory", "mutex", "numeric", "optional", "queue", "random", "ratio", "regex", "set", "span",
	"sstream", "stack", "string", "string_view", "thread", "tuple", "type_traits", "typeindex", "unordered_map", "utility", "valarray",
	"variant", "vector",
}

// system lists compiles that need nothing but the compilers' packages.
func system(t testing.TB, dir string) []unit {
	return slices.Concat(
		headers(t, dir, "libc", false, cHeaders, []string{"-std=gnu11", "-O2"}, "gcc", "clang"),
		headers(t, dir, "libstdc++17", true, cxxHeaders, []string{"-std=c++17"}, "gcc", "clang"),
		headers(t, dir, "libstdc++20", true, cxxHeaders[:24], []string{"-std=gnu++20", "-D_GLIBCXX_ASSERTIONS"}, "gcc", "clang"),
	)
}

func full(t testing.TB, root, dir string) []unit {
	var out []unit
	for _, p := range projects() {
		for _, cc := range []string{"gcc", "clang"} {
			out = append(out, p.units(t, root, cc)...)
		}
	}
	inc := filepath.Join(root, "root/usr/include")
	top := func(rel string) bool { return filepath.Dir(rel) == "." && strings.HasSuffix(rel, ".hpp") }
	boost := walk(t, inc+"/boost", 1, top)
	boost = append(boost, "spirit/include/qi.hpp", "hana/tuple.hpp", "asio/io_context.hpp", "msm/back/state_machine.hpp", "mpl/vector/vector50.hpp",
		"preprocessor.hpp", "phoenix/phoenix.hpp", "proto/proto.hpp", "fusion/include/fusion.hpp")
	for i := range boost {
		boost[i] = "boost/" + boost[i]
	}
	eigen := walk(t, inc+"/eigen3", 1, func(rel string) bool { return filepath.Ext(rel) == "" || strings.HasPrefix(rel, "unsupported") })
	json := walk(t, inc+"/nlohmann", 1, func(rel string) bool { return strings.HasSuffix(rel, ".hpp") })
	for i := range json {
		json[i] = "nlohmann/" + json[i]
	}
	libc := walk(t, "/usr/include", 4, func(rel string) bool {
		return strings.HasSuffix(rel, ".h") && !strings.HasPrefix(rel, "c++/") && !strings.HasPrefix(rel, "llvm") && !strings.Contains(rel, "python")
	})
	cxx := walk(t, "/usr/include/c++/12", 1, func(rel string) bool { return filepath.Ext(rel) == "" && !strings.Contains(rel, "/impl/") })
	return slices.Concat(out,
		headers(t, dir, "boost", true, boost, []string{"-isystem", inc, "-std=c++17"}, "gcc", "clang"),
		headers(t, dir, "eigen", true, eigen, []string{"-I", inc + "/eigen3", "-std=c++14", "-march=haswell"}, "gcc", "clang"),
		headers(t, dir, "json", true, json, []string{"-I", inc}, "gcc", "clang"),
		headers(t, dir, "usr", false, libc, nil, "gcc", "clang"),
		headers(t, dir, "std11", true, cxx, []string{"-std=c++11"}, "gcc", "clang"),
		headers(t, dir, "std20", true, cxx, []string{"-std=c++20"}, "gcc", "clang"),
	)
}

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(m.Run())
}
