//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/rexwrap/rexwrap/toolchains"
)

// An ending is how a build ended.
type ending = syscall.WaitStatus

// runBuild runs argv in the foreground, found along env's PATH. Keys that
// interrupt reach the whole process group anyway, so that they are only kept
// from ending us first; what is sent to us alone is passed on. A signal that we
// were told to ignore stays ignored.
func runBuild(argv []string, env toolchains.Environ) (ending, error) {
	program, err := lookPath(argv[0], env.Value("PATH"))
	if err != nil {
		return 0, err
	}
	cmd := &exec.Cmd{Path: program, Args: argv, Env: env}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case s := <-signals:
				if s == syscall.SIGTERM || s == syscall.SIGHUP {
					_ = cmd.Process.Signal(s) // it may have ended
				}
			case <-ended:
				return
			}
		}
	}()
	_ = cmd.Wait() // its status says all
	close(ended)
	return cmd.ProcessState.Sys().(syscall.WaitStatus), nil
}

// ended returns the error that ends us as the build has ended; where a signal
// killed it, that signal kills us as well.
func ended(e ending) error {
	if e.Signaled() {
		signal.Reset(e.Signal())
		_ = syscall.Kill(os.Getpid(), e.Signal())
		return exitError(128 + int(e.Signal()))
	}
	if e.ExitStatus() == 0 {
		return nil
	}
	return exitError(e.ExitStatus())
}
