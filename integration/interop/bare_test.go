//go:build linux

package interop

import "testing"

// TestBareWorkers has real servers compile whose workers have no headers and only
// the driver of a compiler: the toolchain is sent, as the setting "auto" finds out
// by itself.
func TestBareWorkers(t *testing.T) {
	open(t)
	s := newSite(t, project{name: "zlib", configure: `CFLAGS="-O1 -g" ./configure --static`, script: "make -j4 libz.a"})
	s.plain()
	root := open(t)
	for _, k := range kinds() {
		k.bare = true
		t.Run(k.name, func(t *testing.T) {
			s := *s
			s.t, s.server, s.address = t, k, k.run(t, root)
			s.ship()
		})
	}
}

// ship builds on two machines: the first sends the toolchain.
func (s *site) ship() {
	s.t.Helper()
	var counted [2]struct{ remotely, here, errors int64 }
	for i, name := range []string{"sends", "finds"} {
		r := s.machine(name)
		r.Set = append(r.Set, "REXWRAP_TOOLCHAIN=auto", "LC_ALL=C", "REXWRAP_RECACHE=1")
		_, got := s.measure(r)
		s.compare(name)
		s.flush(r)
		counted[i].remotely, counted[i].here, counted[i].errors = got.Remotely, got.FellBack+got.Executed, got.Errors
		if i == 1 && (got.Remotely == 0 || got.Reasons["remote-parity"] > 0) {
			s.t.Errorf("nothing is compiled by workers: %+v\n%s", got, s.explain(r))
		}
	}
	s.t.Logf("by workers, here, failed: while it is sent %v, by another machine %v", counted[0], counted[1])
}
