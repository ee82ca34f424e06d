// Package localexec runs the commands that the local server itself needs: asking
// a compiler for facts, verifying a result. A build's own compiles never run
// here; they stay in the wrapper's process tree.
//
// Every command has a deadline, a process group of its own that dies as a whole,
// nothing inherited but its three standard streams, and a bounded output.
package localexec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/toolchains"
)

// ErrOutputLimit is wrapped by the error for a command that wrote more than
// Limits.Output bytes.
var ErrOutputLimit = errors.New("output limit exceeded")

// Limits bound one command. A zero field means its default.
type Limits struct {
	// Time is how long a command may run, 30 s by default. A sooner
	// deadline of the context counts too.
	Time time.Duration
	// Output is how many bytes each of stdout and stderr may have, 16 MiB
	// by default: ten times what a compiler prints of its macros.
	Output int
	// Drain is how long a stream may stay open after the command itself
	// has ended, because a child of it holds it; 1 s by default.
	Drain time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Time <= 0 {
		l.Time = 30 * time.Second
	}
	if l.Output <= 0 {
		l.Output = 16 << 20
	}
	if l.Drain <= 0 {
		l.Drain = time.Second
	}
	return l
}

// Runner returns a toolchains.Runner that keeps commands within limits. It is
// safe for concurrent use. An exit status is a result; an error means that the
// command could not be started, was killed, or went beyond a limit.
func Runner(limits Limits) toolchains.Runner {
	limits = limits.withDefaults()
	return func(ctx context.Context, command toolchains.Command) (*toolchains.CommandResult, error) {
		result, err := run(ctx, command, limits)
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", name(command.Argv), err)
		}
		return result, nil
	}
}

func name(argv []string) string {
	if len(argv) == 0 {
		return "an empty command"
	}
	return argv[0]
}

func run(ctx context.Context, command toolchains.Command, limits Limits) (*toolchains.CommandResult, error) {
	if len(command.Argv) == 0 || !filepath.IsAbs(command.Argv[0]) {
		return nil, errors.New("program is not an absolute path")
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx, stop := context.WithTimeout(ctx, limits.Time)
	defer stop()

	stdout := &boundedBuffer{room: limits.Output, overflow: cancel}
	stderr := &boundedBuffer{room: limits.Output, overflow: cancel}
	cmd := build(ctx, command, limits)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err := cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		killGroup(cmd)
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
	case errors.As(err, &exit) && exit.Exited():
	default:
		return nil, err
	}
	return &toolchains.CommandResult{
		Status: cmd.ProcessState.ExitCode(),
		Stdout: stdout.take(),
		Stderr: stderr.take(),
	}, nil
}

func build(ctx context.Context, command toolchains.Command, limits Limits) *exec.Cmd {
	cmd := exec.CommandContext(ctx, command.Argv[0], command.Argv[1:]...)
	cmd.Dir = command.Dir
	if cmd.Dir == "" {
		cmd.Dir = string(filepath.Separator)
	}
	cmd.Env = command.Env
	if cmd.Env == nil {
		cmd.Env = []string{}
	}
	if len(command.Stdin) > 0 {
		cmd.Stdin = bytes.NewReader(command.Stdin)
	}
	cmd.WaitDelay = limits.Drain
	ownGroup(cmd)
	return cmd
}

// A boundedBuffer collects one stream and calls overflow, once, when it becomes
// too long.
type boundedBuffer struct {
	overflow context.CancelCauseFunc
	room     int

	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len()+len(p) > b.room {
		err := fmt.Errorf("%w: more than %d bytes", ErrOutputLimit, b.room)
		b.overflow(err)
		return 0, err
	}
	return b.buf.Write(p)
}

func (b *boundedBuffer) take() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Bytes()
}
