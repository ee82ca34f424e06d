//go:build unix

package wrapper

import (
	"net"
	"os"
	"os/exec"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// BenchmarkRoundTrip is a hit on a server that has nothing to do: the released
// binary starts, asks, puts one output in its place and ends. Each output is a
// new file, as in a clean build.
func BenchmarkRoundTrip(b *testing.B) {
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/rexwrap", "../cmd/rexwrap")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	ln, err := net.Listen("unix", dir+"/s")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { ln.Close() })
	go answerAll(b, ln, dir+"/x.o")
	env := append(os.Environ(), "REXWRAP_SOCKET="+dir+"/s", "REXWRAP_CACHE_DIR="+dir+"/c")
	var user, sys int64
	for b.Loop() {
		cmd := exec.Command(dir+"/rexwrap", "/bin/true", "-c")
		cmd.Env = env
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
		user += int64(cmd.ProcessState.UserTime())
		sys += int64(cmd.ProcessState.SystemTime())
		if err := os.Remove(dir + "/x.o"); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(user)/float64(b.N), "user-ns/op")
	b.ReportMetric(float64(sys)/float64(b.N), "sys-ns/op")
}

func answerAll(b *testing.B, ln net.Listener, object string) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			if err := answer(conn, object); err != nil {
				b.Error(err)
			}
		}()
	}
}

// answer has an empty file put in the place of object.
func answer(conn net.Conn, object string) error {
	frames := wire.NewReader(conn)
	_, payload, err := frames.Next()
	if err != nil {
		return err
	}
	var call wire.Call
	if err := wire.Decode(payload, &call); err != nil {
		return err
	}
	temp := wire.TempName(object, call.Token, 0)
	if err := os.WriteFile(temp, nil, 0o666); err != nil {
		return err
	}
	replies := wire.Append(nil, &wire.Prepare{Temps: []string{temp}})
	replies = wire.Append(replies, &wire.Done{Files: []wire.File{{Target: object, Temp: temp}}})
	if _, err := conn.Write(replies); err != nil {
		return err
	}
	_, _, err = frames.Next() // Committed
	return err
}
