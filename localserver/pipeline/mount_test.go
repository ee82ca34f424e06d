package pipeline

import (
	"slices"
	"testing"

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
