package pipeline

import (
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/rustc"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

func crateCall(t *testing.T, args ...string) *toolchains.Compile {
	t.Helper()
	call := &toolchains.Call{Program: "/usr/bin/rustc", Argv: append([]string{"rustc", "--crate-name", "x", "--crate-type", "lib", "x.rs"}, args...), Dir: "/w"}
	c, err := rustc.New().Parse(call, &toolchains.Toolchain{Family: "rustc", Target: "x86_64-unknown-linux-gnu"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestMounts(t *testing.T) {
	a := cratePlace(crateCall(t, "-L", "dependency=/t/deps", "-Lnative=/t", "-L/t/deps/"), nil)
	b := cratePlace(crateCall(t, "-L", "dependency=/u/deps", "-Lnative=/v w"), nil)
	for path, want := range map[string]string{
		"/t/deps/libx.rlib": "/u/deps/libx.rlib", "/t/build/x.a": "/v w/build/x.a", "/t": "/v w", "/tt/x": "/tt/x", "x.rs": "x.rs", "/t/deps/": "/u/deps/",
	} {
		encoded := a.encode(path)
		if got := a.spell(encoded); got != path {
			t.Errorf("%s came back as %s", path, got)
		}
		if got := b.spell(encoded); got != want {
			t.Errorf("%s: %s elsewhere, want %s", path, got, want)
		}
	}
	if got := b.spell(mountMark + "7/x"); got != mountMark+"7/x" {
		t.Errorf("a mount that is not there: %q", got)
	}
}

// TestCrateArgs checks what of a command line stands in the key.
func TestCrateArgs(t *testing.T) {
	key := func(args ...string) []string {
		c := crateCall(t, args...)
		return crateArgs(c, cratePlace(c, nil))
	}
	same := key("-L", "dependency=/t/deps", "--extern", "a=/t/deps/liba.rlib", "--out-dir", "/t/deps")
	if other := key("-L", "dependency=/u/deps", "--extern", "a=/u/deps/liba.rlib", "--out-dir", "/u/deps"); !slices.Equal(same, other) {
		t.Errorf("another target directory: %q, %q", same, other)
	}
	for _, other := range [][]string{
		key("-L", "dependency=/t/deps", "--extern", "b=/t/deps/liba.rlib", "--out-dir", "/t/deps"),
		key("-L", "dependency=/t/deps", "--extern", "a=/s/liba.rlib", "--out-dir", "/t/deps"),
		key("-L", "native=/t/deps", "--extern", "a=/t/deps/liba.rlib", "--out-dir", "/t/deps"),
	} {
		if slices.Equal(same, other) {
			t.Errorf("%q is the same key", other)
		}
	}
	if slices.Equal(key("-Crpath", "-L/t"), key("-Crpath", "-L/u")) {
		t.Error("folders that are written into the result share a key")
	}
}

func TestRenotice(t *testing.T) {
	chunks := []wire.Chunk{{Fd: 2, Data: []byte("{\"$message_type\":\"artifact\",\"artifact\":\"/t/x.d\",\"emit\":\"dep-info\"}\n" +
		"{\"message\":\"about /t/x\"}\n{\"artifact\":\"/t/libx.rmeta\",\"emit\":\"metadata\"}\n{\"artifact\":\"/tt/x\"}")}}
	want := "{\"$message_type\":\"artifact\",\"artifact\":\"/u/\\\"q/x.d\",\"emit\":\"dep-info\"}\n" +
		"{\"message\":\"about /t/x\"}\n{\"artifact\":\"/u/\\\"q/libx.rmeta\",\"emit\":\"metadata\"}\n{\"artifact\":\"/tt/x\"}"
	if got := string(renotice(chunks, "/t", "/u/\"q")[0].Data); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := renotice(chunks, "/t", "/t"); string(got[0].Data) != string(chunks[0].Data) {
		t.Error("changed without need")
	}
}

// TestRoots checks which folders have other names elsewhere.
func TestRoots(t *testing.T) {
	for _, c := range []struct {
		dir, outDir, setting string
		env                  []string
		want                 layout.Roots
	}{
		{"/c/ws", "/c/ws/target/debug/deps", "", []string{"HOME=/h"}, layout.Roots{Dir: "/c/ws", Cargo: "/h/.cargo", Target: "/c/ws/target"}},
		{"/c/ws/sub", "/t/release/build/x-1", "/c/", []string{"CARGO_HOME=/cargo/"}, layout.Roots{Dir: "/c", Cargo: "/cargo", Target: "/t"}},
		{"/cargo/registry/x", "/t/x86/debug/build/x-1/out", "", []string{"CARGO_HOME=/cargo"}, layout.Roots{Cargo: "/cargo", Target: "/t/x86"}},
		{"/h", "o", "", []string{"HOME=/h"}, layout.Roots{Cargo: "/h/.cargo"}},
		{"/c/ws", "/deps", "", nil, layout.Roots{Dir: "/c/ws"}},
	} {
		call := crateCall(t, "--out-dir", c.outDir)
		call.Call.Dir, call.Call.Env = c.dir, c.env
		if got := newRoots().rootsOf(call, c.setting); got != c.want {
			t.Errorf("%s, %s: %+v, want %+v", c.dir, c.outDir, got, c.want)
		}
	}
}

// TestSharedPlace checks that the key of a call is the same wherever its roots are.
func TestSharedPlace(t *testing.T) {
	key := func(ws, target string) *keyParts {
		c := crateCall(t, "--out-dir", target+"/debug/deps", "-L", "dependency="+target+"/debug/deps", "--extern", "y="+target+"/debug/deps/liby.rmeta")
		c.Call.Dir, c.Call.Env = ws, toolchains.Environ{"CARGO=" + ws + "/bin/cargo"}
		roots := &layout.Roots{Dir: ws, Target: target}
		return keyOf(c, cratePlace(c, roots), "", digest.Digest{})
	}
	one, two := key("/a/ws", "/a/ws/target"), key("/some/where", "/else")
	if one.manifestKey() != two.manifestKey() {
		t.Errorf("%+v is not %+v", one, two)
	}
	at := cratePlace(crateCall(t), &layout.Roots{Dir: "/a", Target: "/a/t"})
	if got := at.encodeList("/a/t/x:/usr/lib:/a"); got != mountMark+"2/x:/usr/lib:"+mountMark+"0" {
		t.Errorf("%q", got)
	}
}
