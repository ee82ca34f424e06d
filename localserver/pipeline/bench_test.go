package pipeline

import (
	"os"
	"testing"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// BenchmarkHit is the server's part of a hit: everything but the sockets, the
// store on disk and the wrapper's renames.
func BenchmarkHit(b *testing.B) {
	for name, source := range map[string]string{
		"headers=57":  "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n",
		"headers=196": "#include <iostream>\n#include <map>\n#include <string>\n#include <vector>\n",
	} {
		b.Run(name, func(b *testing.B) {
			r, dir := newRig(b), b.TempDir()
			r.o.Log = zerolog.Nop()
			write(b, dir, "x.cc", source)
			argv := []string{"g++", "-O2", "-Wall", "-I.", "-DX=1", "-MD", "-c", "x.cc", "-o", dir + "/x.o"}
			r.call(dir, argv...)
			call := &wire.Call{
				Version: wire.Version, Program: "/usr/bin/g++", Argv: argv, Dir: dir,
				Env: append([]string{"HOME=/root"}, "PATH="+os.Getenv("PATH")), Umask: 0o22,
			}
			w := &fakeWrapper{dir: dir, env: call.Env, argv: argv, program: call.Program}
			r.records = nil
			for b.Loop() {
				call.Token = "bench"
				r.Serve(b.Context(), call, w)
			}
			if w.err != nil || r.last().Outcome != journal.HitLocal {
				b.Fatalf("%v, %v", r.last(), w.err)
			}
		})
	}
}
