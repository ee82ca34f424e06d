package ask

import (
	"os"
	"slices"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// stampAll notes the modification times that clang keeps in the precompiled
// header which it makes, or compares with those in the one which it uses.
func (g *gathering) stampAll() error {
	if g.c.Toolchain.Family != "clang" || g.hasOption("-fno-pch-timestamp") {
		return nil
	}
	files := g.closure[1 : 1+g.precompiledFrom]
	if g.c.Mode == toolchains.Precompile {
		files = g.closure
	}
	for i := range files {
		if err := g.stamp(&files[i]); err != nil {
			return err
		}
	}
	return nil
}

// hasOption reports whether an option stands among the arguments, be it for the
// driver or passed on.
func (g *gathering) hasOption(name string) bool {
	for option := range gnu.Options(g.c.Args) {
		if option == name {
			return true
		}
	}
	return false
}

// stamp sets the modification time of a file.
func (g *gathering) stamp(f *depscan.File) error {
	if !g.asker.modTimes {
		return toolchains.Unsupported("modification-time", f.Path)
	}
	info, err := os.Stat(g.c.Call.Abs(f.Path))
	if err != nil {
		return toolchains.Unsupported("input-unreadable", f.Path)
	}
	f.ModTime = info.ModTime().Unix()
	return nil
}

// settleTwins notes the modification times of a file that was read, which mentions
// t, and of its copy under another name. For #pragma once and #import, gcc takes
// files for one if content and time agree.
func (g *gathering) settleTwins(read, twin *depscan.File, t *Text) error {
	imports := slices.ContainsFunc(g.texts, func(t *Text) bool { return t.Imports })
	if !t.Once && !imports || g.c.Toolchain.Family != "gcc" {
		return nil
	}
	a, errA := os.Stat(g.c.Call.Abs(read.Path))
	b, errB := os.Stat(g.c.Call.Abs(twin.Path))
	if errA == nil && errB == nil && os.SameFile(a, b) {
		return nil
	}
	if err := g.stamp(read); err != nil {
		return err
	}
	return g.stamp(twin)
}
