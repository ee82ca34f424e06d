//go:build linux

package msvc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
)

const (
	benchMembers = 5000
	// Types of each member of its own, about 10 KB in the PDB, and of all.
	benchOwn, benchCommon = 90, 340
	benchHits             = 640
)

// BenchmarkSession is the product with a session of 5,000 members whose PDB grows to 50 MB:
// what a hit takes, from the start of the wrapper to its end, and of the server's processor
// time, while the PDB grows from nothing (1 or 16 at a time) and when all its types are
// there, and the server's highest memory. Of hits that are no members, too, for comparison.
func BenchmarkSession(b *testing.B) {
	s := newBenchSite(b)
	s.deliver(16, s.members) // misses
	status, err := pdbsession.Verify(filepath.Join(s.dir, "x", "vc140.pdb"))
	if err != nil || status.Bytes < 45<<20 {
		b.Fatalf("%+v, %v", status, err)
	}
	for _, width := range []int{1, 16} {
		few := s.members[:benchHits*width/16+benchHits/4]
		b.Run(fmt.Sprintf("plain/j=%d", width), func(b *testing.B) { s.hits(b, width, few, false, "/c") })
		b.Run(fmt.Sprintf("renumbered/j=%d", width), func(b *testing.B) { s.hits(b, width, few, false, "/Zi", "/Fdx/vc140.pdb") })
	}
	for _, width := range []int{1, 16} {
		b.Run(fmt.Sprintf("growing/j=%d", width), func(b *testing.B) {
			s.hits(b, width, s.members, true, "/Zi", "/Fdx/vc140.pdb")
		})
	}
}

// A benchSite is a folder of made-up sources.
type benchSite struct {
	testing.TB
	*rig.Rig
	dir     string
	members []string
}

func newBenchSite(b *testing.B) *benchSite {
	b.Helper()
	bin := b.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		b.Fatal(err)
	}
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(bin, "cl"), "./fakecl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build fakecl: %v\n%s", err, out)
	}
	r, err := rig.New(bin, b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.Close)
	s := &benchSite{TB: b, Rig: r, dir: filepath.Join(b.TempDir(), "w")}
	for i := range benchMembers {
		name := fmt.Sprintf("member%d", i)
		s.members = append(s.members, name)
		pdbtest.Write(b, s.dir, name+".cpp", fmt.Appendf(nil, "// made-up %d %d of %s\n", benchOwn, benchCommon, name))
	}
	pdbtest.Write(b, s.dir, "x/.keep", nil)
	if err := rig.Settle(); err != nil {
		b.Fatal(err)
	}
	return s
}

// deliver compiles members, width at a time, and returns how long each took.
func (s *benchSite) deliver(width int, members []string, flags ...string) []time.Duration {
	s.Helper()
	if flags == nil {
		flags = []string{"/Zi", "/Fdx/vc140.pdb"}
	}
	took, env := make([]time.Duration, len(members)), s.Env()
	var group sync.WaitGroup
	for w := range width {
		group.Go(func() {
			for i := w; i < len(members); i += width {
				args := slices.Concat([]string{"cl", "/nologo", "/c", "/Fox/" + members[i] + ".obj"}, flags, []string{members[i] + ".cpp"})
				cmd := exec.Command(filepath.Join(s.Bin, "rexwrap"), args...)
				cmd.Dir, cmd.Env = s.dir, env
				begin := time.Now()
				out, err := cmd.CombinedOutput()
				if took[i] = time.Since(begin); err != nil {
					s.Errorf("%q: %v\n%s", args, err, out)
				}
			}
		})
	}
	group.Wait()
	return took
}

// hits measures hits on members. With anew, the PDB is begun anew.
func (s *benchSite) hits(b *testing.B, width int, members []string, anew bool, flags ...string) {
	if anew {
		if err := s.Stop(); err != nil {
			b.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(s.dir, "x")); err != nil {
			b.Fatal(err)
		}
		pdbtest.Write(b, s.dir, "x/.keep", nil)
	}
	s.deliver(16, members[:min(64, len(members))], flags...) // the server, and the plain ones' misses
	if flags[0] != "/Zi" {
		s.deliver(16, members, flags...)
	}
	before, err := s.Stats()
	if err != nil {
		b.Fatal(err)
	}
	server, err := s.Server()
	if err != nil {
		b.Fatal(err)
	}
	used := processorTime(b, server.Pid)
	took := s.deliver(width, members, flags...) // once: it takes longer than benchmarks do
	used = processorTime(b, server.Pid) - used
	after, err := s.Stats()
	if err != nil {
		b.Fatal(err)
	}
	if d := after.Sub(before); d.HitsLocal != int64(len(took)) {
		b.Errorf("%+v of %d", d, len(took))
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2].Seconds()*1e3, "p50-ms")
	b.ReportMetric(took[len(took)*99/100].Seconds()*1e3, "p99-ms")
	b.ReportMetric(used.Seconds()*1e3/float64(len(took)), "server-cpu-ms/hit")
	b.ReportMetric(float64(peak(b, server.Pid))/(1<<20), "server-peak-MB")
	b.ReportMetric(0, "ns/op")
}

// processorTime is what a process has used so far.
func processorTime(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var user, system int64
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(user+system) * (time.Second / 100) // USER_HZ
}

// peak is the highest resident memory of a process so far, in bytes.
func peak(tb testing.TB, pid int) int64 {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	var kilobytes int64
	for line := range strings.Lines(string(text)) {
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	tb.Fatal("no VmHWM")
	return 0
}
