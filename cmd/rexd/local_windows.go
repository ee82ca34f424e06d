package main

import (
	"context"
	"io"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// whereabouts returns the socket and the cache directory of this view's server.
func (a *app) whereabouts() (socket, cacheDir string) {
	p := endpoint.Locate(a.env.Value, currentView())
	return p.Socket, p.CacheDir
}

// connectLocal implements app.connect. There is no server on this system yet.
func (a *app) connectLocal(bool) admin.Dialer {
	return func(context.Context) (io.ReadWriteCloser, error) { return nil, endpoint.ErrUnsupported }
}

func (a *app) spawn() error { return endpoint.ErrUnsupported }

func private() {} // files inherit the rights of their folder

func alive(int) bool { return false }
