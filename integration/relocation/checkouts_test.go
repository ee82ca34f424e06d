//go:build linux

package relocation

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
)

// TestCheckouts compiles in two checkouts at different places. What is laid out
// relocatably must be one Action, a worker must make of it what both local
// compilers make, and no byte of the result may name either place.
func TestCheckouts(t *testing.T) {
	r := newRig(t)
	shared := map[string]bool{"bare": true, "O2": true, "g": true, "g3-O2": true, "dwarf4": true, "dwarf5": true, "gz": true, "dep": true, "S-g": true}
	for _, row := range rows() {
		flags := row.name[strings.LastIndexByte(row.name, '/')+1:]
		quick := row.short && strings.Contains(row.name, "cmake") && strings.HasPrefix(row.name, "file.c")
		if row.root != "" || row.prep != "" || strings.Count(row.name, "/") != 2 || !shared[flags] || !quick && !long() {
			continue
		}
		row.mode, row.unproven = layout.Relocatable, ""
		for cc := range strings.FieldsSeq(row.on) {
			program := compilerFor(t, cc)
			t.Run(row.name+"/"+cc, func(t *testing.T) {
				one, two := checkout(t, r, &row, program), checkout(t, r, &row, program)
				if diff := cmp.Diff(one.action, two.action); diff != "" {
					t.Errorf("two Actions:\n%s", diff)
				}
				for role, data := range one.want.files {
					if role != toolchains.RoleDep && !bytes.Equal(data, two.want.files[role]) {
						t.Errorf("%s: the checkouts differ: %s", role, firstDifference(two.want.files[role], data))
					}
					if role != toolchains.RoleDep && bytes.Contains(data, []byte(one.place)) {
						t.Errorf("%s names the place", role)
					}
				}
			})
		}
	}
}

// A checked checkout is what one compile in it made, and the Action it stands for.
type checked struct {
	place  string
	want   *outcome
	action any
}

func checkout(t *testing.T, r *rig, row *row, program string) *checked {
	t.Helper()
	p := newPlace(t)
	call := p.call(row, program)
	req := r.request(t, call, p.expand("$P"))
	req.Mode = row.mode
	l, err := layout.New(req)
	if err != nil {
		t.Fatal(err)
	}
	c := &checked{place: p.dir}
	c.want = compile(t, withLocal(call.Argv, l), call.Dir, call.Env, localOutputs(req.Compile))
	if l.Unproven == nil {
		got := onWorker(t, l, contents(t, l), shortPath(t))
		if diff := difference(c.want, got, l, req.Compile); diff != "" {
			t.Errorf("worker: %s\n%q", diff, l.Arguments)
		}
	}
	tree, err := merkle.Build(l.Entries)
	if err != nil {
		t.Fatal(err)
	}
	c.action = []any{l.Arguments, slices.Sorted(slices.Values(l.Env)), l.WorkingDir, l.Outputs, tree.Root}
	return c
}
