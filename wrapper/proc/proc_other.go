//go:build !linux

package proc

import (
	"os"
	"os/signal"
	"syscall"
)

// Args returns the program's arguments, its own name first.
func Args() []string { return os.Args }

// Environ returns the environment of the process.
func Environ() []string { return os.Environ() }

// Exit ends the process.
func Exit(status int) { os.Exit(status) }

// Executable returns the path of the program's file, empty where it is unknown.
func Executable() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}

// Watch calls notify, on a goroutine of its own, for each of the given signals
// that arrives until unwatch is called. Signals that the process was started to
// ignore stay ignored, as far as the runtime knows of them (SIGHUP and SIGINT).
// Watch may be called once. On Windows SIGINT is Ctrl-C and Ctrl-Break, and
// SIGTERM the end of the console or of the session.
func Watch(signals []syscall.Signal, notify func(syscall.Signal)) (unwatch func()) {
	arrived := make(chan os.Signal, len(signals))
	for _, sig := range signals {
		if !signal.Ignored(sig) {
			signal.Notify(arrived, sig)
		}
	}
	go func() {
		for sig := range arrived {
			notify(sig.(syscall.Signal))
		}
	}()
	return func() { signal.Stop(arrived) }
}
