// Package bug reports broken invariants: conditions that no input, however
// strange, and no state of the machine can bring about, unless the code is
// wrong. Under test a report is a panic, so that it cannot be overlooked. In
// production it is one line in the server's log, and the caller goes the safe
// way: it steps aside, or treats the entry as missing.
//
// Whatever a user, a file, a peer or a full disk can cause is not a bug but an
// error. Used by localserver and the packages below it.
package bug

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/rs/zerolog"
)

// Report reports a broken invariant, described like fmt.Sprintf does. Under
// test it panics; otherwise it logs the description and where it was called,
// and returns. The description must hold no value of an environment variable.
func Report(log zerolog.Logger, format string, args ...any) {
	if testing.Testing() {
		panic("bug: " + fmt.Sprintf(format, args...))
	}
	write(log, caller(), fmt.Sprintf(format, args...))
}

// Check reports a broken invariant unless ok holds, and returns ok.
func Check(log zerolog.Logger, ok bool, format string, args ...any) bool {
	if !ok {
		Report(log, format, args...)
	}
	return ok
}

func write(log zerolog.Logger, where, what string) {
	log.Error().Str("bug", what).Str("at", where).Msg("broken invariant")
}

// caller names the first function outside this package.
func caller() string {
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs[:])])
	for {
		f, more := frames.Next()
		if f.Function != "github.com/rexwrap/rexwrap/localserver/bug.Check" || !more {
			return fmt.Sprintf("%s:%d", f.Function, f.Line)
		}
	}
}
