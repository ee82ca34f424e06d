//go:build unix

package main

import (
	"errors"
	"net"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/endpoint/listen"
)

// A server that has stopped listening is waited for; one that listens keeps its
// cache directory.
func TestLockWaitsForAnEndingServer(t *testing.T) {
	dir := t.TempDir()
	c := &composition{place: endpoint.Place{Socket: filepath.Join(dir, "s"), CacheDir: filepath.Join(dir, "cache")}}
	old, err := listen.LockCache(c.place)
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", c.place.Socket)
	if err != nil {
		t.Fatal(err)
	}
	var held *listen.HeldError
	if _, err := c.lock(); !errors.As(err, &held) {
		t.Errorf("beside a server that listens: %v, want a HeldError", err)
	}
	if err := socket.Close(); err != nil {
		t.Fatal(err)
	}
	locked := make(chan error)
	go func() {
		lock, err := c.lock()
		if err == nil {
			err = lock.Close()
		}
		locked <- err
	}()
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-locked; err != nil {
		t.Errorf("after a server that has stopped listening: %v", err)
	}
}
