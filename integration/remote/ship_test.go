//go:build linux

package remote

import (
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// bare are workers that have nothing: no compiler, no headers, no shell.
func bare() clienttest.Options {
	return clienttest.Options{Quirks: clienttest.Quirks{Confined: true}}
}

// A toolchain travels with the compiles where the setting says so, and where
// workers turn out to have none: the first compiles run here while it is sent.
func TestShippedToolchain(t *testing.T) {
	for name, list := range map[string][]compile{
		"relative": compiles("-O2"), "absolute debug": absolute("-g"),
	} {
		for i, setting := range []string{"ship", "auto"} {
			if (name == "relative") != (i == 0) && !rig.Long() {
				continue
			}
			t.Run(name+"/"+setting, func(t *testing.T) {
				s := newSite(t, bare(), remotely, "REXWRAP_TOOLCHAIN="+setting)
				dir := s.checkout("one")
				n := int64(len(list))
				r := s.machine()
				if got := s.build(r, dir, compiles("-O3")[:1]); got.FellBack != 1 || got.Reasons["ship-uploading"] != 1 {
					t.Errorf("while it is sent: %+v", got)
				}
				// What prints is not the worker's to say: no locale is packed.
				if got := s.build(r, dir, list); got.Remotely != n-1 || got.Reasons["remote-messages"] != 1 || got.Executed != 0 {
					t.Errorf("the first machine: %+v", got)
				}
				if sent := s.server.Calls("Write"); sent == 0 {
					t.Error("nothing large was sent")
				}
				sent := s.server.Calls("Write")
				other := s.machine()
				if got := s.build(other, dir, compiles("-O1")); got.Remotely+got.FellBack != int64(len(compiles())) {
					t.Errorf("another machine: %+v", got)
				}
				if again := s.server.Calls("Write"); again != sent {
					t.Errorf("the toolchain was sent again: %d streams", again-sent)
				}
				if setting == "ship" {
					s.hits(s.machine(), dir, list)
				}
			})
		}
	}
}

// hits expects every compile that prints nothing to be a hit of the remote.
func (s *site) hits(r *rig.Rig, dir string, list []compile) {
	s.t.Helper()
	if got := s.build(r, dir, list); got.HitsRemote != int64(len(list))-1 {
		s.t.Errorf("a fresh machine: %+v", got)
	}
}
