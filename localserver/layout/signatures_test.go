package layout

import (
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// TestForeignSignature finds the worker's names for files in what clang says of lambdas
// and of types without a name.
func TestForeignSignature(t *testing.T) {
	names := Names{{Worker: "/proc/self/cwd/..", Client: "/home/me/project"}}
	for text, want := range map[string]string{
		"int call(F, int) [F = (lambda at /proc/self/cwd/../src/x.cc:3:27)]":   "/proc/self/cwd/../src/x.cc",
		"\x00int f(F) [F = (unnamed struct at /proc/self/cwd/../x.h:4:1)]\x00": "/proc/self/cwd/../x.h",
		"[F = (unnamed at /proc/self/cwd/../x.h:4:1)]":                         "/proc/self/cwd/../x.h",
		"[F = (anonymous enum at /proc/self/cwd/../x.h:4:1)]":                  "/proc/self/cwd/../x.h",
		"(lambda at src/x.cc:1:1) and (lambda at /proc/self/cwd/gen.h:1:2)":    "/proc/self/cwd/gen.h",
		"[F = (lambda at /home/me/project/src/x.cc:3:27)]":                     "",
		"[F = (lambda at ../src/x.cc:3:27)]":                                   "",
		"int call2(F, int) [F = (anonymous namespace)::An]":                    "",
		"look at /proc/self/cwd/../src/x.cc:3":                                 "",
		"/proc/self/cwd/../src/x.cc":                                           "",
		"lambda at ":                                                           "",
		"":                                                                     "",
	} {
		if got := names.ForeignSignature([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestShowsSignatures checks that bitcode, whose texts are packed, is not looked through.
func TestShowsSignatures(t *testing.T) {
	for arg, want := range map[string]bool{"-O2": true, "-g": true, "-flto": false, "-flto=": false, "-emit-llvm": false, "-Xclang": false} {
		c := &toolchains.Compile{Toolchain: &toolchains.Toolchain{Family: "clang"}, Args: []toolchains.Arg{{Option: arg}}}
		if got := showsSignatures(c); got != want {
			t.Errorf("%s: %v", arg, got)
		}
	}
	if showsSignatures(&toolchains.Compile{Toolchain: &toolchains.Toolchain{Family: toolchains.FamilyMSVC}}) {
		t.Error("what cl.exe says of lambdas is not known")
	}
}
