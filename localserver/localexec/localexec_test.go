//go:build unix

package localexec

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/toolchains"
)

func shell(script string) toolchains.Command {
	return toolchains.Command{Argv: []string{"/bin/sh", "-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
}

func TestResult(t *testing.T) {
	command := shell(`cat; pwd; echo "$ONLY" >&2; env | wc -l; exit 3`)
	command.Env = append(command.Env, "ONLY=this")
	command.Stdin = []byte("in\n")
	got, err := Runner(Limits{})(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	if got.Status != 3 || string(got.Stderr) != "this\n" {
		t.Errorf("status %d, stderr %q", got.Status, got.Stderr)
	}
	if want := "in\n/\n"; !strings.HasPrefix(string(got.Stdout), want) {
		t.Errorf("stdout %q, want prefix %q", got.Stdout, want)
	}
}

func TestEmptyEnvironmentIsNotInherited(t *testing.T) {
	t.Setenv("REXWRAP_LOCALEXEC_LEAK", "1")
	got, err := Runner(Limits{})(t.Context(), toolchains.Command{Argv: []string{"/usr/bin/env"}})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(got.Stdout, []byte("REXWRAP_LOCALEXEC_LEAK")) {
		t.Errorf("inherited environment: %s", got.Stdout)
	}
}

func TestNoDescriptorsButTheStandardThree(t *testing.T) {
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := Runner(Limits{})(t.Context(), shell(`for n in 3 4 5 6 7 8 9; do (: <&$n) 2>/dev/null && echo $n; done; :`))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Stdout) != 0 {
		t.Errorf("open descriptors: %s", got.Stdout)
	}
}

func TestDeadlineKillsTheGroup(t *testing.T) {
	pidFile := t.TempDir() + "/pid"
	run := Runner(Limits{Time: 200 * time.Millisecond})
	_, err := run(t.Context(), shell(`sleep 100 & echo $! >`+pidFile+`; wait`))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("err = %v, want deadline exceeded", err)
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Errorf("child %d survived", pid)
	}
}

// alive reports whether pid runs; a zombie whose new parent has not reaped it
// yet counts as dead.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}

func TestCancelledByTheCaller(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	time.AfterFunc(50*time.Millisecond, func() { cancel(stopped) })
	if _, err := Runner(Limits{})(ctx, shell(`sleep 100`)); !errors.Is(err, stopped) {
		t.Errorf("err = %v, want the cause", err)
	}
}

func TestOutputLimit(t *testing.T) {
	for _, stream := range []string{"", ">&2"} {
		run := Runner(Limits{Output: 1 << 16})
		if _, err := run(t.Context(), shell(`trap "" PIPE; while :; do echo xxxxxxxxxxxxxxxxxxx; done `+stream)); !errors.Is(err, ErrOutputLimit) {
			t.Errorf("%q: err = %v, want ErrOutputLimit", stream, err)
		}
	}
}

func TestErrors(t *testing.T) {
	run := Runner(Limits{})
	for name, command := range map[string]toolchains.Command{
		"empty":     {},
		"relative":  {Argv: []string{"sh"}},
		"missing":   {Argv: []string{"/nonexistent/cc"}},
		"directory": {Argv: []string{"/usr"}},
		"signal":    shell(`kill -SEGV $$`),
	} {
		if result, err := run(t.Context(), command); err == nil {
			t.Errorf("%s: no error, status %d", name, result.Status)
		}
	}
}

func TestStreamHeldByAChild(t *testing.T) {
	run := Runner(Limits{Drain: 50 * time.Millisecond})
	if _, err := run(t.Context(), shell(`sleep 100 & exit 0`)); err == nil {
		t.Error("no error for a stream that stays open")
	}
}
