// Rexd is the local server of rexwrap and all of its management verbs; users
// call it as `rexwrap VERB`. This package composes: it builds the concrete types
// of the packages below, reads flags and lays out answers. What the verbs do is
// done by the server (see localserver/admin) or by the package of its name.
package main

import (
	"context"
	"os"

	"github.com/rexwrap/rexwrap/localserver/trace"
	"github.com/rexwrap/rexwrap/toolchains"
)

// version is set by the linker.
var version = "unreleased"

func main() {
	if len(os.Args) > 1 && os.Args[1] == trace.Verb { // in a compiler's place
		os.Exit(trace.Main(os.Args[2:]))
	}
	dir, _ := os.Getwd() // empty where it is gone; relative paths then fail
	a := &app{
		version: version, env: toolchains.Environ(os.Environ()), dir: dir,
		stdout: newPrinter(os.Stdout), stderr: newPrinter(os.Stderr),
	}
	a.connect = a.connectLocal
	a.serve = func(ctx context.Context) error {
		private()
		return serve(ctx, a.version, a.env)
	}
	os.Exit(a.run(context.Background(), os.Args[1:]))
}
