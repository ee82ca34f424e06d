//go:build unix

package proc

import (
	"os"
	"slices"
	"syscall"
	"testing"
)

func TestStart(t *testing.T) {
	if got := Args(); !slices.Equal(got, os.Args) {
		t.Errorf("Args = %q, want %q", got, os.Args)
	}
	// Environ keeps what os.Environ drops (second settings of one name).
	env := Environ()
	for _, kv := range os.Environ() {
		if !slices.Contains(env, kv) {
			t.Errorf("Environ lacks an entry of os.Environ")
		}
	}
	want, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got := Executable(); got != want {
		t.Errorf("Executable = %q, want %q", got, want)
	}
	st, err := ExecutableStat()
	if err != nil || st.Size == 0 {
		t.Errorf("ExecutableStat = %d bytes, %v", st.Size, err)
	}
}

func TestWatch(t *testing.T) {
	got := make(chan syscall.Signal, 1)
	Watch([]syscall.Signal{syscall.SIGUSR1, syscall.SIGUSR2}, func(sig syscall.Signal) { got <- sig })
	for _, sig := range []syscall.Signal{syscall.SIGUSR2, syscall.SIGUSR1} {
		if err := syscall.Kill(os.Getpid(), sig); err != nil {
			t.Fatal(err)
		}
		if s := <-got; s != sig {
			t.Errorf("got %v, want %v", s, sig)
		}
	}
}
