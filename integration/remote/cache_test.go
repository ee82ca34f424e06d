//go:build linux

package remote

import (
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
)

// A machine with an empty cache has every result from the remote, at the same
// place and, where the place does not reach the bytes, at another.
func TestFreshMachine(t *testing.T) {
	for name, list := range map[string][]compile{"relative": compiles("-O2"), "absolute": absolute("-O2"), "debug": compiles("-g"), "absolute debug": absolute("-g")} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, clienttest.Options{})
			dir := s.checkout("one")
			n := int64(len(list))
			if got := s.build(s.machine(), dir, list); got.Misses != n {
				t.Fatalf("the first machine: %+v", got)
			}
			if got := s.build(s.machine(), dir, list); got.HitsRemote != n {
				t.Errorf("a fresh machine: %+v", got)
			}
		})
	}
}
