package cpp

import (
	"strconv"
	"testing"

	"github.com/rexwrap/rexwrap/depscan"
)

// What is remembered of compiles is bounded by its bytes, and the newest stays.
func TestFinishedIsBounded(t *testing.T) {
	var c compiles
	name := func(i int) compileKey { return compileKey{rest: strconv.Itoa(i)} }
	big := func() *finished {
		return &finished{in: &depscan.Inputs{Absent: make([]string, 10)}, read: make([]readFile, 1000)}
	}
	const room = 10 << 20
	n := int(2*room/big().size()) + 1
	for i := range n {
		c.keep(name(i), big(), room)
		c.keep(name(i), big(), room)
	}
	if c.size > room || c.size != int64(len(c.known))*big().size() || len(c.order) != len(c.known) {
		t.Errorf("%d bytes, %d known, %d in order", c.size, len(c.known), len(c.order))
	}
	if c.known[name(n-1)] == nil {
		t.Error("the newest goes")
	}
	// Of as many compiles again in the same order some are there.
	found := 0
	for i := range n {
		if c.known[name(i)] != nil {
			found++
		}
		c.keep(name(i), big(), room)
	}
	if found < n/10 {
		t.Errorf("%d of %d are remembered", found, n)
	}
}
