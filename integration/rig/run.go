//go:build linux

package rig

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A Command is one to run.
type Command struct {
	Argv []string
	Dir  string
	Env  []string
	// Terminal makes a new terminal stdin, stdout and stderr.
	Terminal bool
	// Limit is how long the command may take, 10 minutes where it is 0.
	Limit time.Duration
}

// A Result is what a Command did.
type Result struct {
	Status int            // exit status
	Signal syscall.Signal // that killed it, 0 for none
	Stdout []byte         // with Terminal: all that came
	Stderr []byte
	User   time.Duration
	System time.Duration
	Wall   time.Duration
}

// Ended describes how the command ended.
func (r *Result) Ended() string {
	if r.Signal != 0 {
		return "signal: " + r.Signal.String()
	}
	return fmt.Sprintf("exit status %d", r.Status)
}

const defaultLimit = 10 * time.Minute

// Run runs the command, in a process group of its own, to its end. A failing
// command is no error; one that reaches its limit is, and all of its group is
// killed.
func (c Command) Run() (*Result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), cmp.Or(c.Limit, defaultLimit))
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	var err error
	if cmd.Path, err = lookPath(c.Argv[0], c.Env); err != nil {
		return nil, err
	}
	cmd.Err = nil
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second // should a stray process hold the pipes
	var stdout, stderr bytes.Buffer
	start := time.Now()
	if c.Terminal {
		err = runOnTerminal(cmd, &stdout)
	} else {
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err = cmd.Run()
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return nil, fmt.Errorf("run %q: %w", c.Argv, errors.Join(err, ctx.Err()))
	}
	return newResult(cmd.ProcessState, stdout.Bytes(), stderr.Bytes(), time.Since(start)), nil
}

func newResult(state *os.ProcessState, stdout, stderr []byte, wall time.Duration) *Result {
	r := &Result{
		Status: state.ExitCode(), Stdout: stdout, Stderr: stderr,
		User: state.UserTime(), System: state.SystemTime(), Wall: wall,
	}
	if ws := state.Sys().(syscall.WaitStatus); ws.Signaled() {
		r.Status, r.Signal = 0, ws.Signal()
	}
	return r
}

// lookPath finds a program in the PATH of env.
func lookPath(program string, env []string) (string, error) {
	for _, kv := range env {
		path, ok := bytes.CutPrefix([]byte(kv), []byte("PATH="))
		if !ok {
			continue
		}
		for dir := range bytes.SplitSeq(path, []byte(":")) {
			name := string(dir) + "/" + program
			if bytes.ContainsRune([]byte(program), '/') {
				name = program
			}
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
				return name, nil
			}
		}
	}
	return "", fmt.Errorf("%s: %w", program, exec.ErrNotFound)
}
