package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

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
	if endpoint.Absent(err) {
		if holder, ok := p.Holder(); ok {
			conn, err = holder.Dial(dialLimit)
		}
	}
	if endpoint.Absent(err) {
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

// spawn starts a server and returns at once.
func (a *app) spawn() error {
	cmd, err := a.launch()
	if err != nil {
		return err
	}
	return cmd.Process.Release()
}

// serverEnv is what a server gets of the environment: where things are, our own
// settings, and what TLS and proxies need. A server answers many builds and
// must not depend on which one started it. Relative places become absolute.
func (a *app) serverEnv() toolchains.Environ {
	pass := passed()
	var env toolchains.Environ
	for _, kv := range a.env {
		name, _, _ := strings.Cut(kv, "=")
		ours := strings.HasPrefix(name, "REXWRAP_") && name != "REXWRAP_GUARD" && name != "REXWRAP_SLOT" && name != "REXWRAP_BUILD"
		if ours || strings.HasPrefix(name, "XDG_") || slices.ContainsFunc(pass, func(p string) bool { return toolchains.SameName(p, name) }) {
			env = append(env, kv)
		}
	}
	place := a.place()
	if a.env.Value("REXWRAP_CACHE_DIR") != "" {
		env = env.With("REXWRAP_CACHE_DIR=" + place.CacheDir)
	}
	if socket := a.env.Value("REXWRAP_SOCKET"); socket != "" && !filepath.IsAbs(socket) && place.Address == "" {
		env = env.With("REXWRAP_SOCKET=" + place.Socket)
	}
	return env
}
