package main

import (
	"os"
	"os/exec"
	"os/signal"

	"github.com/rexwrap/rexwrap/toolchains"
)

// An ending is how a build ended: its exit code.
type ending = int

// runBuild runs argv in the foreground. Ctrl-C reaches the whole console.
func runBuild(argv []string, env toolchains.Environ) (ending, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	_ = cmd.Wait() // its exit code says all
	return cmd.ProcessState.ExitCode(), nil
}

func ended(e ending) error {
	if e == 0 {
		return nil
	}
	return exitError(e)
}
