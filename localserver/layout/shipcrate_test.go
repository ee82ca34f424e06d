package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// shippedCrate is a compile that links, with a packed rustc and linker.
func shippedCrate(t *testing.T) *Request {
	t.Helper()
	r := crateRequest(t, "src/main.rs --crate-type bin --emit=dep-info,link")
	tc := *r.Compile.Toolchain
	tc.Sysroot = "/usr"
	r.Compile.Toolchain, r.HostFile = &tc, nil
	libc := digest.OfString("libc")
	p := &pack.Pack{
		Family: "rustc", Driver: "bin/rustc", Linker: "usr/bin/cc",
		Entries: []pack.Entry{{Path: "bin/rustc", Executable: true, Digest: digest.OfString("rustc")}, {Path: "lib/libc.so.6", Executable: true, Digest: libc}},
	}
	tree, err := PackTree(p)
	if err != nil {
		t.Fatal(err)
	}
	r.Ship = &Ship{Pack: p, Tree: tree}
	r.Crate.Linker = &toolchains.Toolchain{LibraryDirs: []string{"/usr/lib/gcc/12/", "/usr/lib/gcc/12/../../x/", "/lib/x/", "/usr/lib/x/"}}
	r.Crate.System = func(path string) bool {
		return strings.HasPrefix(path, "/usr/lib/") || strings.HasPrefix(path, "/lib/")
	}
	r.Inputs.Files = []depscan.File{
		{Path: r.Compile.Source, Digest: digest.OfString("x")},
		{Path: "/usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libstd-1.rlib", Digest: digest.OfString("std")},
		{Path: "/usr/lib/gcc/12/../../x/crt1.o", Digest: digest.OfString("crt1")},
		{Path: "/lib/x/libc.so.6", Digest: libc},
	}
	return r
}

// TestShippedCrate checks what a worker gets that has nothing.
func TestShippedCrate(t *testing.T) {
	l, err := New(shippedCrate(t))
	if err != nil || l.Unproven != nil {
		t.Fatal(err, l.Unproven)
	}
	const top = "/proc/self/cwd"
	begin := []string{
		".rexwrap-toolchain/rexlaunch-here", "/ws", ".rexwrap-here", "--remap-path-prefix=",
		".rexwrap-toolchain/bin/rustc", "--sysroot=" + top + "/.rexwrap-toolchain", "--crate-name",
	}
	if got := l.Arguments[:len(begin)]; !slices.Equal(got, begin) {
		t.Errorf("%q", got)
	}
	const root = top + "/.rexwrap-outside/root"
	link := " -C link-arg=--sysroot=" + root + " -C link-arg=-B" + root + "/usr/lib/x/ -C link-arg=-B" + root + "/lib/x/ --remap"
	if words := strings.Join(l.Arguments, " "); !strings.Contains(words, link) {
		t.Errorf("no %q in %q", link, words)
	}
	if !slices.Contains(l.Env, "PATH="+top+"/.rexwrap-toolchain/usr/bin") {
		t.Errorf("%q", l.Env)
	}
	var paths []string
	for _, e := range l.Entries {
		if e.Digest == digest.OfString("libc") && !e.Executable {
			t.Error("libc has another mode than in the pack")
		}
		paths = append(paths, e.Path)
	}
	slices.Sort(paths)
	inside := []string{
		".rexwrap-outside/root/lib/x/libc.so.6", ".rexwrap-outside/root/t/debug/deps", ".rexwrap-outside/root/usr/lib/x/crt1.o",
		".rexwrap-toolchain", "src/main.rs",
	}
	if !slices.Equal(paths, inside) {
		t.Errorf("input root %q", paths)
	}
	for worker, client := range map[string]string{
		"/srv/7/.rexwrap-toolchain/lib/rustlib/t/lib/libstd-1.rlib": "/usr/lib/rustlib/t/lib/libstd-1.rlib",
		"/srv/7/.rexwrap-outside/root/usr/lib/x/crt1.o":             "/usr/lib/x/crt1.o",
	} {
		if got := l.WorkerFile([]byte("/srv/7\n"), worker); got != client {
			t.Errorf("%s is %s", worker, got)
		}
	}
	if got := l.Names().ClientPath(root + "/usr/lib/x/crt1.o"); got != "/usr/lib/x/crt1.o" {
		t.Error(got)
	}
	if !NamesWorker([]byte("x/.rexwrap-toolchain/lib")) {
		t.Error("the name of the pack is not seen")
	}
}

// TestShippedCrateUnproven holds the links that no packed linker is asked to do.
func TestShippedCrateUnproven(t *testing.T) {
	r := shippedCrate(t)
	r.Ship.Pack.Linker = ""
	if l, err := New(r); err != nil || l.Unproven == nil {
		t.Errorf("a link without a linker: %v", err)
	}
}
