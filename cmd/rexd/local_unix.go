//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// dialLimit bounds, in milliseconds, the wait for a place in a server's queue.
const dialLimit = 2000

func (a *app) place() endpoint.Place {
	view := currentView()
	view.Dir = a.dir
	return endpoint.Locate(a.env.Value, view)
}

// whereabouts returns the socket and the cache directory of this view's server.
func (a *app) whereabouts() (socket, cacheDir string) {
	p := a.place()
	return p.Socket, p.CacheDir
}

// connectLocal implements app.connect for the server of this view.
func (a *app) connectLocal(start bool) admin.Dialer {
	return func(ctx context.Context) (io.ReadWriteCloser, error) {
		conn, err := dialServer(a.place())
		if !errors.Is(err, admin.ErrNoServer) || !start {
			return conn, err
		}
		return a.startServer(ctx)
	}
}

// startServer starts a server and connects to it. Where the one started ends at
// once, another one that was faster serves as well.
func (a *app) startServer(ctx context.Context) (conn io.ReadWriteCloser, err error) {
	starting, err := a.launch()
	if err != nil {
		return nil, fmt.Errorf("start a server: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- starting.Wait() }()
	gone := false
	waited := await(ctx, startLimit, func() bool {
		select {
		case <-ended:
			gone = true
		default:
		}
		conn, err = dialServer(a.place())
		return err == nil || gone
	})
	switch {
	case err == nil:
		return conn, nil
	case gone:
		return nil, fmt.Errorf("the server does not start: %w", cmp.Or(a.whyNot(), err))
	}
	return nil, fmt.Errorf("the server does not start (%v): %w; try: rexwrap server run", err, waited)
}

// whyNot tries in this process what a server that ended at once has tried, and
// returns the error.
func (a *app) whyNot() error {
	over, cancel := context.WithCancel(context.Background())
	cancel()
	return a.serve(over)
}

// dialServer connects to the server at p, or to the one that holds p's cache
// directory under another socket.
func dialServer(p endpoint.Place) (io.ReadWriteCloser, error) {
	conn, err := p.Dial(dialLimit)
	if absent(err) {
		if holder, ok := p.Holder(); ok {
			conn, err = holder.Dial(dialLimit)
		}
	}
	if absent(err) {
		return nil, admin.ErrNoServer
	}
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", p.Socket, err)
	}
	if err := conn.SetTimeout(0); err != nil { // some verbs take long
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

func absent(err error) bool {
	return errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED)
}

// spawn starts a server and returns at once.
func (a *app) spawn() error {
	cmd, err := a.launch()
	if err != nil {
		return err
	}
	return cmd.Process.Release()
}

// launch starts `rexd server run` in a session of its own. Nothing of the caller
// goes with it but what serverEnv lets pass.
func (a *app) launch() (*exec.Cmd, error) {
	if err := checkLimits(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	closeOnExec()
	cmd := exec.Command(self, "server", "run")
	cmd.Dir = "/"
	cmd.Env = a.serverEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
}

// checkLimits refuses to start a server that would inherit a limit on its CPU
// time, memory or file sizes, which were meant for something else.
func checkLimits() error {
	for _, limit := range []struct {
		resource int
		name     string
	}{{unix.RLIMIT_CPU, "-t"}, {unix.RLIMIT_AS, "-v"}, {unix.RLIMIT_FSIZE, "-f"}} {
		var r unix.Rlimit
		if unix.Getrlimit(limit.resource, &r) == nil && r.Cur != unix.RLIM_INFINITY {
			return fmt.Errorf("a limit is set (ulimit %s), which the server must not inherit", limit.name)
		}
	}
	return nil
}

// closeOnExec keeps every inherited descriptor but the standard ones from
// child processes: a pipe, lock or jobserver that a server held open would
// never end.
func closeOnExec() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd := 0
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// serverEnv is what a server gets of the environment: where things are, our own
// settings, and what TLS and proxies need. A server answers many builds and
// must not depend on which one started it. Relative places become absolute.
func (a *app) serverEnv() toolchains.Environ {
	pass := []string{
		"HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
	}
	var env toolchains.Environ
	for _, kv := range a.env {
		name, _, _ := strings.Cut(kv, "=")
		ours := strings.HasPrefix(name, "REXWRAP_") && name != "REXWRAP_GUARD" && name != "REXWRAP_SLOT" && name != "REXWRAP_BUILD"
		if ours || strings.HasPrefix(name, "XDG_") || slices.Contains(pass, name) {
			env = append(env, kv)
		}
	}
	place := a.place()
	if a.env.Value("REXWRAP_CACHE_DIR") != "" {
		env = env.With("REXWRAP_CACHE_DIR=" + place.CacheDir)
	}
	if socket := a.env.Value("REXWRAP_SOCKET"); socket != "" && !filepath.IsAbs(socket) {
		env = env.With("REXWRAP_SOCKET=" + place.Socket)
	}
	return env
}

// private keeps all files that this process makes from now on from other users.
func private() { unix.Umask(0o077) }

// alive reports whether a process of ours exists. One that has ended and whose
// parent has not asked yet does not count.
func alive(pid int) bool {
	if unix.Kill(pid, 0) != nil {
		return false
	}
	return !zombie(pid)
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, ok := strings.Cut(string(stat), ") ")
	return ok && strings.HasPrefix(rest, "Z")
}
