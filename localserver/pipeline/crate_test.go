package pipeline

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
)

// TestSplitFiles checks which files count as split debug information of a crate,
// and that a stored result brings its own among the outputs.
func TestSplitFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x-0f.x.1-cgu.0.rcgu.dwo", "x-0f.x.1-cgu.1.rcgu.dwo", "x-0f0.x.1-cgu.0.rcgu.dwo", "x-0f.d", "y.dwo"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	call := &toolchains.Call{Dir: dir}
	r := &request{call: call, compile: &toolchains.Compile{Call: call, Crate: &toolchains.Crate{Split: "x-0f"}}}
	got := r.splitFiles()
	if len(got) != 2 || got[0].Path != "x-0f.x.1-cgu.0.rcgu.dwo" || got[0].Role == got[1].Role || !got[0].Optional {
		t.Errorf("%+v", got)
	}
	stored := &Result{Outputs: []ResultOutput{{Role: got[1].Role}, {Role: toolchains.RoleRlib}, {Role: "dwo./../../x.dwo"}}}
	for range 2 {
		r.declareSplit(stored)
	}
	if o := r.compile.Outputs; len(o) != 1 || o[0].Path != got[1].Path {
		t.Errorf("%+v", o)
	}
	r.compile.Crate.Split = ""
	if got := r.splitFiles(); got != nil {
		t.Errorf("without split debug information: %+v", got)
	}
}
