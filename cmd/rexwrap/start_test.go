package main

import (
	"net"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/endpoint/listen"
	"github.com/rexwrap/rexwrap/wrapper/wire"
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
// (rexwrap without arguments), of stepping aside with no server to ask, and of
// a hit on a server that has nothing to do either, over the least that such
// programs cost. The programs take turns, so that a busy machine is busy for
// all of them.
func BenchmarkStart(b *testing.B) {
	rexwrap := build(b, ".")
	alone := placeFor(b)
	served := placeFor(b)
	serve(b, served)
	programs := []*program{
		{name: "empty", path: buildSource(b, empty)},
		{name: "rexwrap", path: rexwrap},
		{name: "exec", path: buildSource(b, execing), args: []string{"/bin/true", "-c"}},
		{name: "aside", path: rexwrap, args: []string{"/bin/true", "-c"}, env: settings(alone)},
		{name: "hit", path: rexwrap, args: []string{"/bin/true", "-c"}, env: settings(served)},
	}
	for b.Loop() {
		for _, p := range programs {
			p.run()
		}
	}
	for _, p := range programs {
		p.report(b)
	}
	b.ReportMetric(0, "ns/op")
}

func placeFor(b *testing.B) endpoint.Place {
	b.Helper()
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return endpoint.Place{Dir: dir + "/run", Socket: dir + "/run/s", CacheDir: dir + "/cache"}
}

func settings(p endpoint.Place) []string {
	return []string{"REXWRAP_SOCKET=" + p.Socket, "REXWRAP_CACHE_DIR=" + p.CacheDir, "REXWRAP_REXD=/nonexistent"}
}

// serve answers every call with an output of one temp file.
func serve(b *testing.B, p endpoint.Place) {
	b.Helper()
	l, err := listen.Listen(p)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	object := b.TempDir() + "/x.o"
	go func() {
		for {
			conn, _, err := l.Accept()
			if err != nil {
				return
			}
			go answer(b, conn, object)
		}
	}()
}

func answer(b *testing.B, conn net.Conn, object string) {
	defer conn.Close()
	replies := wire.NewReader(conn)
	_, payload, err := replies.Next()
	if err != nil {
		b.Error(err)
		return
	}
	var call wire.Call
	if err := wire.Decode(payload, &call); err != nil {
		b.Error(err)
		return
	}
	temp := wire.TempName(object, call.Token, 0)
	out := wire.Append(nil, &wire.Prepare{Temps: []string{temp}})
	out = wire.Append(out, &wire.Done{Files: []wire.File{{Target: object, Temp: temp}}})
	if err := os.WriteFile(temp, []byte("object"), 0o666); err != nil {
		b.Error(err)
		return
	}
	if _, err := conn.Write(out); err != nil {
		b.Error(err)
		return
	}
	if kind, _, err := replies.Next(); err != nil || kind != wire.TypeCommitted {
		b.Errorf("after Done: frame of type %d, %v", kind, err)
	}
}

// A program is run many times.
type program struct {
	name, path string
	args, env  []string
	wall, cpu  []time.Duration // cpu: kernels that sample cannot tell user from system here
}

func (p *program) run() {
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = append(os.Environ(), p.env...)
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
