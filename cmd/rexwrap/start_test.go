package main

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// empty and execing are what the thin binary is measured against: a program
// that does nothing, and one that only becomes another program.
const (
	empty   = "package main\n\nfunc main() {}\n"
	execing = `package main

import (
	"os"
	"syscall"
)

func main() { _ = syscall.Exec(os.Args[1], os.Args[1:], os.Environ()) }
`
)

// BenchmarkStart is the cost of the thin binary before it has anything to do
// (rexwrap without arguments) and of stepping aside with no server to ask, over
// the least that such programs cost. The programs take turns, so that a busy
// machine is busy for all of them.
func BenchmarkStart(b *testing.B) {
	rexwrap := build(b, ".")
	programs := []*program{
		{name: "empty", path: buildSource(b, empty)},
		{name: "rexwrap", path: rexwrap},
		{name: "exec", path: buildSource(b, execing), args: []string{"/bin/true", "-c"}},
		{name: "aside", path: rexwrap, args: []string{"/bin/true", "-c"}},
	}
	dir := b.TempDir()
	env := append(os.Environ(), "REXWRAP_SOCKET="+dir+"/s", "REXWRAP_CACHE_DIR="+dir+"/c", "REXWRAP_REXD=/nonexistent")
	for b.Loop() {
		for _, p := range programs {
			p.run(env)
		}
	}
	for _, p := range programs {
		p.report(b)
	}
	b.ReportMetric(0, "ns/op")
}

// A program is run many times.
type program struct {
	name, path string
	args       []string
	wall, cpu  []time.Duration // cpu: kernels that sample cannot tell user from system here
}

func (p *program) run(env []string) {
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = env
	begin := time.Now()
	_ = cmd.Run() // usage is status 2
	p.wall = append(p.wall, time.Since(begin))
	p.cpu = append(p.cpu, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
}

func (p *program) report(b *testing.B) {
	b.ReportMetric(float64(median(p.wall)), p.name+"-wall-ns")
	b.ReportMetric(float64(median(p.cpu)), p.name+"-cpu-ns")
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
