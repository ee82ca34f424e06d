package rustdeps

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
)

// named are Files whose content is their path.
type named struct{}

func (named) DigestSince(path string, _ filestate.Mark) (digest.Digest, bool, error) {
	return digest.OfString(path), true, nil
}

// tracedCall is a compile in dir that makes t/libx.rlib of x.rs, which is known to
// be read, with crates in t.
func tracedCall(dir string) *collector {
	c := &toolchains.Compile{
		Call: &toolchains.Call{Dir: dir}, Toolchain: &toolchains.Toolchain{Sysroot: "/usr", Programs: []toolchains.Program{{Path: "/usr/lib/librustc.so"}}},
		Outputs: []toolchains.Output{{Role: toolchains.RoleRlib, Path: "t/libx.rlib"}},
		Crate:   &toolchains.Crate{OutDir: "t", Search: []toolchains.SearchDir{{Kind: "dependency", Dir: "t"}}},
		Args:    []toolchains.Arg{{Option: "-Cincremental=", Value: "inc"}},
	}
	return &collector{Plan: &Plan{c: c}, files: named{}, seen: map[string]bool{"x.rs": true}, absent: map[string]bool{}}
}

// TestTraced holds what becomes of a lookup: an input, nothing, or a reason not to
// store the result.
func TestTraced(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"t", "d/e"} {
		if err := os.MkdirAll(in(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("d", in("link")); err != nil {
		t.Fatal(err)
	}
	list := FolderListing(in("d")).Hex()
	link := depscan.Symlink{Path: in("link"), Target: "d"}
	type taken struct {
		Files, Dirs, Absent, Listed []string
		Links                       []depscan.Symlink
		Reason                      string
	}
	for name, c := range map[string]struct {
		trace Trace
		want  taken
	}{
		"a file":               {Trace{Lookups: []Lookup{{Act: Opened, Kind: File, Path: in("f")}}}, taken{Files: []string{in("f")}}},
		"a file that is known": {Trace{Lookups: []Lookup{{Act: Opened, Kind: File, Path: in("x.rs")}}}, taken{}},
		"a crate":              {Trace{Lookups: []Lookup{{Act: Opened, Kind: File, Path: in("t/liby-1.rmeta")}}}, taken{}},
		"an output":            {Trace{Lookups: []Lookup{{Act: Changed, Kind: Missing, Path: in("t/libx.rlib")}}}, taken{}},
		"the compiler's own":   {Trace{Lookups: []Lookup{{Act: Opened, Kind: File, Path: "/usr/lib/librustc.so"}}}, taken{}},
		"nothing": {
			Trace{Lookups: []Lookup{{Act: Asked, Kind: Missing, Path: in("none")}}}, taken{Absent: []string{in("none"), in("none") + "/"}},
		},
		"what is there now": {Trace{Lookups: []Lookup{{Act: Asked, Kind: Missing, Path: in("d")}}}, taken{Reason: reasonMoved}},
		"a folder":          {Trace{Lookups: []Lookup{{Act: Asked, Kind: Folder, Path: in("d")}}}, taken{Dirs: []string{in("d")}}},
		"a folder above":    {Trace{Lookups: []Lookup{{Act: Asked, Kind: Folder, Path: dir}}}, taken{}},
		"names in a folder": {
			Trace{Lookups: []Lookup{{Act: Opened, Kind: Folder, Path: in("d"), Listing: list}}},
			taken{Dirs: []string{in("d")}, Listed: []string{in("d")}},
		},
		"names that are others now": {
			Trace{Lookups: []Lookup{{Act: Opened, Kind: Folder, Path: in("d"), Listing: "0"}}}, taken{Reason: reasonMoved},
		},
		"a link": {
			Trace{Lookups: []Lookup{{Act: Asked, Kind: Folder, Path: in("d"), Links: []depscan.Symlink{link}}}},
			taken{Dirs: []string{in("d")}, Links: []depscan.Symlink{link}},
		},
		"a link that leads elsewhere now": {
			Trace{Lookups: []Lookup{{Act: Asked, Kind: Folder, Path: in("d"), Links: []depscan.Symlink{{Path: in("link")}}}}}, taken{Reason: reasonMoved},
		},
		"a change":              {Trace{Lookups: []Lookup{{Act: Changed, Kind: Missing, Path: in("y")}}}, taken{Reason: reasonChanges}},
		"the incremental state": {Trace{Lookups: []Lookup{{Act: Changed, Kind: Missing, Path: in("inc/s")}}}, taken{}},
		"a device":              {Trace{Lookups: []Lookup{{Act: Opened, Kind: Machine, Path: "/dev/sda"}}}, taken{Reason: reasonMachine}},
		"the process":           {Trace{Lookups: []Lookup{{Act: Opened, Kind: Machine, Path: "/proc/self/maps"}}}, taken{}},
		"its environment":       {Trace{Lookups: []Lookup{{Act: Opened, Kind: Machine, Path: "/proc/self/environ"}}}, taken{Reason: reasonMachine}},
		"a socket":              {Trace{Lookups: []Lookup{{Act: Asked, Kind: Special, Path: in("s")}}}, taken{Reason: reasonSpecial}},
		"a program":             {Trace{Barred: "proc-macro-exec"}, taken{Reason: "proc-macro-exec"}},
	} {
		k, res := tracedCall(dir), &Result{}
		err := k.traced(&c.trace, res)
		got := taken{Dirs: k.in.Dirs, Links: res.Links}
		if got.Reason, _, _ = toolchains.ReasonOf(err); got.Reason != "" {
			got = taken{Reason: got.Reason}
		} else {
			for _, f := range k.in.Files {
				got.Files = append(got.Files, f.Path)
			}
			for _, l := range res.Listings {
				got.Listed = append(got.Listed, l.Dir)
			}
			for _, name := range []string{in("none"), in("none") + "/"} {
				if k.absent[name] {
					got.Absent = append(got.Absent, name)
				}
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
