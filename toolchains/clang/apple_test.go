package clang

import (
	"os"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu/gnutest"
)

// TestApple holds the parser to calls of Apple's clang. That the compiler itself is
// identified needs more (see toolchains.Resolver).
func TestApple(t *testing.T) {
	text, err := os.ReadFile("testdata/apple.txt")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		calls++
		c, err := New().Parse(gnutest.Call(t.TempDir(), "clang", words[1:]), toolchain())
		reason, arg, _ := toolchains.ReasonOf(err)
		switch {
		case err != nil && reason != words[0]:
			t.Errorf("%q (%s %s)", line, reason, arg)
		case err == nil && words[0] != "cached":
			t.Errorf("%q is taken for a compile", line)
		case err == nil && (c.Primary() == nil || c.Primary().Role != toolchains.RoleObject):
			t.Errorf("%q: outputs %+v", line, c.Outputs)
		}
	}
	if calls < 14 {
		t.Errorf("%d calls", calls)
	}
}
