//go:build linux

package wine

import (
	"strings"
	"sync"
	"testing"
)

func TestServer(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "tcp:127.0.0.1:0"} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			s := newBareSite(t)
			if address != "" {
				s.set = append(s.set, "REXWRAP_SOCKET="+address)
			}
			if got := s.verb("server", "status"); got.Status != 3 {
				t.Errorf("before: %+v", got)
			}
			if got := s.verb("server", "start"); got.Status != 0 || !strings.HasPrefix(got.Stdout, "started") {
				t.Errorf("start: %+v", got)
			}
			if got := s.verb("server", "status"); got.Status != 0 || !strings.Contains(got.Stdout, `cache`) {
				t.Errorf("status: %+v", got)
			}
			s.compile("/c", "a.c")
			s.compile("/c", "a.c")
			s.want(1, 1)
			if got := s.verb("server", "stop"); got.Status != 0 || got.Stdout != "stopped\n" {
				t.Errorf("stop: %+v", got)
			}
			if got := s.verb("server", "status"); got.Status != 3 {
				t.Errorf("after: %+v", got)
			}
			s.eventually("a hit of the next server", func() bool { // which a slow machine starts too late for the first call
				s.compile("/c", "a.c")
				return s.stats().HitsLocal == 2
			})
			if got := s.stats(); got.Misses > 1+unstored(got) || got.Errors != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Many wrappers that find no server start one.
func TestManyStart(t *testing.T) {
	t.Parallel()
	s := newBareSite(t)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			if got := s.finish(s.command(s.rexwrap(), s.cl(), "/c", "a.c")); got.Status != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
	group.Wait()
	s.eventually("the server", func() bool { return s.rexd("server", "status").Status == 0 }) // a slow one
	if n := strings.Count(s.read("cache/rexd.log"), "server started"); n != 1 {
		t.Errorf("%d servers were started", n)
	}
	s.noLitter()
}
