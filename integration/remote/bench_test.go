//go:build linux

package remote

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A language is one that the sources are in.
type language struct{ compiler, suffix, text string }

func inC() language {
	return language{"gcc", ".c", "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\nint f%d(void) { return getpid(); }\n"}
}

func inCxx() language {
	return language{"g++", ".cc", "#include <iostream>\n#include <map>\n#include <string>\nvoid f%d() { std::cout << 1; }\n"}
}

// A far is a checkout whose results all are on a remote, and a machine there that
// has none of them.
type far struct {
	language
	b      *testing.B
	dir    string
	server *clienttest.Server
	rigs   int
}

func newFar(b *testing.B, l language, n int) *far {
	b.Helper()
	f := &far{language: l, b: b, dir: b.TempDir(), server: clienttest.New(b, clienttest.Options{})}
	for i := range n {
		text := fmt.Sprintf(l.text, i)
		if err := os.WriteFile(f.source(i), []byte(text), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	if err := rig.Settle(); err != nil {
		b.Fatal(err)
	}
	first := f.machine(f.server.Address)
	f.compile(first, n, 4)
	if out, err := first.Verb("cache", "flush"); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return f
}

func (f *far) source(i int) string { return filepath.Join(f.dir, fmt.Sprintf("x%d%s", i, f.suffix)) }

// machine is a new machine with an empty cache and a running server.
func (f *far) machine(address string) *rig.Rig {
	f.b.Helper()
	f.rigs++
	dir := filepath.Join(f.b.TempDir(), fmt.Sprint(f.rigs))
	if err := os.Mkdir(dir, 0o755); err != nil {
		f.b.Fatal(err)
	}
	r, err := rig.New(bin, dir)
	if err != nil {
		f.b.Fatal(err)
	}
	f.b.Cleanup(r.Close)
	r.Set = []string{"REXWRAP_REMOTE=" + address, "REXWRAP_STRATEGY=local"}
	if _, err := r.Verb("server", "start"); err != nil {
		f.b.Fatal(err)
	}
	return r
}

// compile compiles the first n sources, jobs at a time, and returns what each
// took.
func (f *far) compile(r *rig.Rig, n, jobs int) []time.Duration {
	f.b.Helper()
	took, next := make([]time.Duration, n), make(chan int)
	var group sync.WaitGroup
	for range jobs {
		group.Go(func() {
			for i := range next {
				cmd := exec.Command(filepath.Join(bin, "rexwrap"), f.compiler, "-c", filepath.Base(f.source(i)), "-o", fmt.Sprintf("x%d.o", i))
				cmd.Dir, cmd.Env = f.dir, r.Env()
				begin := time.Now()
				if out, err := cmd.CombinedOutput(); err != nil {
					f.b.Errorf("%v: %s", err, out)
				}
				took[i] = time.Since(begin)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	group.Wait()
	return took
}

// want checks that r has had no other calls than hits, and of the remote so many.
func (f *far) want(r *rig.Rig, calls, remote int) {
	f.b.Helper()
	s, err := r.Settled(int64(calls))
	if err != nil {
		f.b.Fatal(err)
	}
	if s.HitsRemote != int64(remote) || s.HitsLocal+s.HitsRemote+s.Merged < int64(calls) {
		f.b.Fatalf("%d hits wanted, %d of the remote: %+v", calls, remote, s)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func quantile(d []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(d))
	return milliseconds(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)])
}

// BenchmarkRemoteHit prints what a hit of the remote, on this machine, costs more
// than a local one: at most 1.5 ms are wanted.
func BenchmarkRemoteHit(b *testing.B) {
	for _, l := range []language{inC(), inCxx()} {
		b.Run(l.compiler, func(b *testing.B) {
			const n, first = 120, 20
			f := newFar(b, l, n)
			r := f.machine(f.server.Address)
			f.compile(r, first, 1) // connect, and know the compiler and the headers
			begin := f.serverTime(r)
			remote := f.compile(r, n, 1)[first:]
			between := f.serverTime(r)
			local := f.compile(r, n, 1)[first:]
			end := f.serverTime(r)
			f.want(r, first+2*n, n)
			fmt.Printf("%s: remote hit %.2f ms (p99 %.2f, rexd's CPU %.2f), local hit %.2f ms (p99 %.2f, rexd's CPU %.2f): %+.2f ms\n", l.compiler,
				quantile(remote, 0.5), quantile(remote, 0.99), milliseconds(between-begin)/n,
				quantile(local, 0.5), quantile(local, 0.99), milliseconds(end-between)/n, quantile(remote, 0.5)-quantile(local, 0.5))
			for b.Loop() {
			}
		})
	}
}

func (f *far) serverTime(r *rig.Rig) time.Duration {
	f.b.Helper()
	cpu, err := r.ServerTime()
	if err != nil {
		f.b.Fatal(err)
	}
	return cpu
}

// BenchmarkDistantHits prints how long 100 hits of a remote that is 50 ms away
// take, 32 at a time: at most 1.5 s are wanted.
func BenchmarkDistantHits(b *testing.B) {
	const n = 100
	f := newFar(b, inC(), n+1)
	r := f.machine("grpc://" + delayed(b, strings.TrimPrefix(f.server.Address, "grpc://"), 50*time.Millisecond))
	f.compile(r, 1, 1) // connect
	begin := time.Now()
	f.compile(r, n+1, 32)
	took := time.Since(begin)
	f.want(r, n+2, n+1)
	fmt.Printf("%d remote hits over 50 ms, 32 at a time: %.2f s\n", n, took.Seconds())
	for b.Loop() {
	}
}

// delayed is an address behind which address is that much further away, there and
// back.
func delayed(b *testing.B, address string, roundTrip time.Duration) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			distant, err := net.Dial("tcp", address)
			if err != nil {
				near.Close()
				continue
			}
			go relay(distant, near, roundTrip/2)
			go relay(near, distant, roundTrip/2)
		}
	}()
	return listener.Addr().String()
}

// relay writes to to what it reads from from, that much later, and closes both at
// the end.
func relay(to io.WriteCloser, from io.ReadCloser, later time.Duration) {
	type packet struct {
		due  time.Time
		data []byte
	}
	queue := make(chan packet, 1024)
	go func() {
		defer close(queue)
		for {
			buf := make([]byte, 32<<10)
			n, err := from.Read(buf)
			if n > 0 {
				queue <- packet{time.Now().Add(later), buf[:n]}
			}
			if err != nil {
				return
			}
		}
	}()
	var err error
	for p := range queue {
		<-time.After(time.Until(p.due))
		if err == nil {
			_, err = to.Write(p.data)
		}
	}
	_ = errors.Join(to.Close(), from.Close())
}
