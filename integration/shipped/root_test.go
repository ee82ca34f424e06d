//go:build linux

package shipped

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestRoot compiles on workers whose root is the InputRoot, and on those that take
// the digest of a root as a property: compiles of which no other worker is asked are
// among them. Workers that only have a root of their own are not asked.
func TestRoot(t *testing.T) {
	compilers := []string{"gcc"}
	if rig.Long() {
		compilers = append(compilers, "clang", "g++")
	}
	const property = "chrootRootDigest"
	for _, c := range []struct {
		name, setting string
		quirks        clienttest.Quirks
	}{
		{"InputRoot", "chroot", clienttest.Quirks{Chroot: true}},
		{"property", "property:" + property, clienttest.Quirks{RootProperty: property}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newRooted(t, c.setting, c.quirks)
			for _, compiler := range compilers {
				f.warm(compiler)
				for _, flags := range []string{
					"-g -O2", "-g3 -gsplit-dwarf", "-fsanitize=address -MD -MF x.d -I" + f.dir,
				} {
					argv := append(append([]string{compiler}, strings.Fields(flags)...), "-c", "x.c")
					if s := f.compile(argv...); s.Remotely != 1 {
						t.Errorf("%q: %+v", argv, s)
					}
				}
			}
		})
	}
	for name, quirks := range map[string]clienttest.Quirks{"own root": {}, "elsewhere": {Confined: true}} {
		t.Run(name, func(t *testing.T) {
			f := newRooted(t, "chroot", quirks)
			if s := f.compile("gcc", "-c", "x.c"); s.FellBack != 1 || s.Reasons["remote-no-workers"] != 1 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// newRooted is a machine whose workers get their root.
func newRooted(t *testing.T, setting string, quirks clienttest.Quirks) *files {
	t.Helper()
	server := clienttest.New(t, clienttest.Options{Quirks: quirks})
	return newFiles(t, server, "REXWRAP_TOOLCHAIN=ship", "REXWRAP_TOOLCHAIN_ROOT="+setting)
}

// warm has the toolchain delivered: compiles run here until that is done.
func (f *files) warm(compiler ...string) {
	f.t.Helper()
	f.until(func(i int) bool {
		return f.compile(append(slices.Clone(compiler), fmt.Sprint("-Dwarm", i), "-c", "warm.c")...).Remotely > 0
	})
}

// until tries, by number, until it is done.
func (f *files) until(try func(i int) (done bool)) {
	f.t.Helper()
	const most = 50 // a server that has no time is not waited for by compiles
	for i := range most {
		if try(i) {
			return
		}
	}
	text, err := f.rig.Verb("log", "-n", "5")
	f.t.Fatalf("%d compiles and no worker: %s%v", most, text, err)
}
