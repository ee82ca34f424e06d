package layout

import (
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Of Microsoft's compilers Facts have the folders that the call names too: those are sent.
func TestHostFilesOfMicrosoft(t *testing.T) {
	c := &toolchains.Compile{
		Toolchain: &toolchains.Toolchain{Family: toolchains.FamilyMSVC, Programs: []toolchains.Program{{Path: "/vc/bin/cl"}}},
		Microsoft: &toolchains.Microsoft{},
		Args:      []toolchains.Arg{{Option: "/I", Value: "/p/inc", Class: argtable.Search | argtable.Path}},
	}
	has := HostFiles(c, &toolchains.Facts{AngleDirs: []string{"/p/inc", "inc", "/vc/include"}})
	for path, want := range map[string]bool{"/vc/bin/cl": true, "/vc/include/vector": true, "/p/inc/a.h": false, "inc/a.h": false} {
		if has(path) != want {
			t.Errorf("%s: %v", path, !want)
		}
	}
}
