//go:build linux

package shipped

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestDoctor asks what becomes of a compiler, on workers that have it, that have
// another one, and that have nothing.
func TestDoctor(t *testing.T) {
	require(t, "unshare")
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	const id = `[0-9a-f]{12}`
	const same = `^/usr/bin/cc: gcc [0-9.]+, (` + id + `) here and on worker clienttest: its own is used$`
	const other = `^/usr/bin/cc: gcc [0-9.]+, (` + id + `) here, (` + id + `) on worker clienttest; /\S+/cc1 is (` + id + `) here, (` + id + `) there; `
	sent := `it is sent: [0-9.]+ MiB in \d+ files$`
	equipped := clienttest.New(t, clienttest.Options{})
	bare := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}})
	for _, c := range []struct {
		name      string
		server    *clienttest.Server
		change    string
		setting   string
		want      string
		different bool
	}{
		{name: "the same", server: equipped, setting: "auto", want: same},
		{name: "another cc1", server: equipped, change: "cc1", setting: "auto", want: other + sent, different: true},
		{name: "nothing", server: bare, setting: "auto", want: `^/usr/bin/cc: gcc [0-9.]+, not found out what workers have: .*; ` + sent},
		{name: "asked for", server: bare, setting: "ship", want: `^/usr/bin/cc: gcc [0-9.]+; ` + sent},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := diagnosed(t, bin, c.server, c.setting, c.change)
			found := regexp.MustCompile(c.want).FindStringSubmatch(text)
			if found == nil {
				t.Fatalf("%q, want %s", text, c.want)
			}
			if c.different && (found[1] == found[2] || found[3] == found[4]) {
				t.Errorf("%q shows no difference", text)
			}
		})
	}
}

// diagnosed returns what doctor says of cc where a program of gcc's is one byte
// longer.
func diagnosed(t *testing.T, bin string, server *clienttest.Server, setting, change string) string {
	t.Helper()
	const script = `set -e
if [ -n "$2" ]; then
	path=$(gcc -print-prog-name="$2")
	{ cat "$path"; echo; } >"$1/changed"
	chmod --reference="$path" "$1/changed"
	mount --bind "$1/changed" "$path"
fi
rexwrap doctor --json || true
`
	r, err := rig.New(bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Set = []string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_TOOLCHAIN=" + setting, "LC_ALL=C"}
	others := t.TempDir() // no compilers: one is enough
	for _, name := range []string{"clang", "rustc"} {
		if err := os.WriteFile(filepath.Join(others, name), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	argv := []string{"unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", t.TempDir(), change}
	res, err := rig.Command{Argv: argv, Dir: t.TempDir(), Env: r.Env("PATH=" + bin + ":" + others + ":/usr/bin:/bin")}.Run()
	if err != nil || res.Status != 0 {
		t.Fatalf("%v: %s\n%s", err, res.Ended(), res.Stderr)
	}
	var d struct {
		Checks []struct{ Name, Text string } `json:"checks"`
	}
	if err := json.Unmarshal(res.Stdout, &d); err != nil {
		t.Fatal(err)
	}
	for _, k := range d.Checks {
		if k.Name == "toolchain" {
			return k.Text
		}
	}
	return ""
}
