package main

import (
	"embed"
	"runtime"

	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// launchers holds cmd/rexlaunch by the kind of machine that it runs on. The
// Makefile supplies it; without it no toolchain is shipped.
//
//go:embed all:launcher
var launchers embed.FS

// launcher returns that for Linux workers of this machine's kind, empty where
// none was built in.
func launcher() pack.Launcher {
	data, err := launchers.ReadFile("launcher/linux-" + runtime.GOARCH)
	if err != nil {
		return pack.Launcher{}
	}
	return pack.Launcher{Data: data}
}
