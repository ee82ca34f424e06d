//go:build linux

package shipped

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// A row is one change of a machine's compiler, and what the next compile is on a
// server that knows the result of the unchanged one.
type row struct {
	name string
	// file prints the path of what gets one byte more; empty for none.
	file string
	want outcome
}

type outcome string

const (
	hit      outcome = "a hit"
	executed outcome = "executed anew"
	aside    outcome = "not cached"
)

func rows() []row {
	return []row{
		{"nothing", "", hit},
		{"compiler", "gcc -print-prog-name=cc1", executed},
		{"driver", "readlink -f $(command -v gcc)", executed},
		{"assembler", "readlink -f $(command -v as)", executed},
		{"library of the compiler", "ldd $(gcc -print-prog-name=cc1) | sed -n 's/.*=> \\(.*libisl[^ ]*\\) .*/\\1/p' | xargs readlink -f", executed},
		{"loader", "readlink -f /lib64/ld-linux-x86-64.so.2", executed},
		{"system header", "echo /usr/include/stdio.h", executed},
		{"header that is not read", "echo /usr/include/fts.h", hit},
		// None is packed: shipped compiles run under LC_ALL=C.
		{"locale", "echo /usr/lib/locale/C.utf8/LC_MESSAGES/SYS_LC_MESSAGES", hit},
	}
}

// rustRows are those of a program that rustc makes and links.
func rustRows() []row {
	return []row{
		{"nothing", "", hit},
		{"compiler's library", "ldd /usr/bin/rustc | sed -n 's/.*=> \\(.*librustc_driver[^ ]*\\) .*/\\1/p' | xargs readlink -f", executed},
		{"standard library", "echo /usr/lib/rustlib/x86_64-unknown-linux-gnu/lib/libtest-*.rlib", executed},
		{"linker's driver", "readlink -f $(command -v cc)", executed},
		{"linker", "readlink -f $(command -v ld)", executed},
		{"library of the linker", "ldd $(command -v ld) | sed -n 's/.*=> \\(.*libctf[^ ]*\\) .*/\\1/p' | xargs readlink -f", executed},
		{"start file", "cc -print-file-name=Scrt1.o | xargs readlink -f", executed},
		{"library that is not linked", "echo /usr/lib/x86_64-linux-gnu/libz.a", hit},
	}
}

// TestTwoCompilers has machines whose compilers differ in one byte share a server:
// no result of one is another's.
func TestTwoCompilers(t *testing.T) {
	require(t, "unshare")
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	k := newKeys(t)
	k.check(bin, rows())
	t.Run("launcher", func(t *testing.T) {
		k.t = t
		if got := k.machine(k.otherLauncher(), ""); got != executed {
			t.Errorf("%s, want %s", got, executed)
		}
	})
	t.Run("specs", func(t *testing.T) {
		k.t = t
		// A folder's content can be changed for one process only as a whole.
		if got := k.machine(bin, "", `dir=$(dirname "$(gcc -print-prog-name=cc1)")
cp -a "$dir" "$base/gcc"
gcc -dumpspecs >"$base/gcc/specs"
mount --bind "$base/gcc" "$dir"`); got != aside {
			t.Errorf("%s, want %s", got, aside)
		}
	})
}

// TestTwoRusts is TestTwoCompilers for rustc.
func TestTwoRusts(t *testing.T) {
	require(t, "unshare")
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	k := newKeys(t)
	k.compile = "/usr/bin/rustc --crate-name x --crate-type bin --emit=link,dep-info --out-dir . x.rs"
	k.warm = strings.ReplaceAll(k.compile, "x.rs", "warm.rs")
	rows := rustRows()
	if !rig.Long() { // every machine reads some hundred megabytes
		rows = rows[1:2]
	}
	k.check(bin, rows)
}

// keys are machines that share a server.
type keys struct {
	t      *testing.T
	server *clienttest.Server
	dir    string
	// The calls of the compiler: the first has it delivered.
	warm, compile string
}

func newKeys(t *testing.T) *keys {
	t.Helper()
	k := &keys{
		t: t, server: clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}}), dir: t.TempDir(),
		warm: "gcc -c warm.c", compile: "gcc -c x.c",
	}
	k.write()
	return k
}

// check has a machine for every row, after a first one.
func (k *keys) check(bin string, rows []row) {
	k.t.Helper()
	if got := k.machine(bin, ""); got != executed {
		k.t.Fatalf("the first machine: %s", got)
	}
	all := k.t
	for i, r := range rows {
		if !rig.Part(2).Takes(i) {
			continue
		}
		all.Run(r.name, func(t *testing.T) {
			k.t = t
			if got := k.machine(bin, r.file); got != r.want {
				t.Errorf("%s, want %s", got, r.want)
			}
		})
	}
	k.t = all
}

func (k *keys) write() {
	k.t.Helper()
	for name, text := range map[string]string{
		"x.rs": "fn main() { println!(\"x\"); }\n", "warm.rs": "fn main() {}\n",
		"x.c": "#include <stdio.h>\nint main(void) { return puts(\"x\"); }\n", "warm.c": "#include <stddef.h>\nsize_t warm;\n",
	} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(text), 0o600); err != nil {
			k.t.Fatal(err)
		}
	}
	if err := rig.Settle(); err != nil {
		k.t.Fatal(err)
	}
}

// machine compiles on a new machine, on which what the shell command file prints
// is one byte longer, and more has been done. It is a mount namespace with a
// server of its own.
func (k *keys) machine(bin, file string, more ...string) outcome {
	k.t.Helper()
	const script = `set -e
base=$1
if [ -n "$2" ]; then
	path=$(eval "$2")
	test -f "$path"
	{ cat "$path"; echo; } >"$base/changed"
	chmod --reference="$path" "$base/changed"
	mount --bind "$base/changed" "$path"
fi
eval "$3"
rexwrap $4
rexwrap cache flush >&2
rexwrap stats --zero >&2
rexwrap $5
rexwrap stats --json
rexwrap log -n 1 >&2
rexwrap server stop >&2
`
	r, err := rig.New(bin, k.t.TempDir())
	if err != nil {
		k.t.Fatal(err)
	}
	defer r.Close()
	r.Set = []string{"REXWRAP_REMOTE=" + k.server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=ship", "LC_ALL=C"}
	argv := []string{"unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", k.t.TempDir(), file, strings.Join(more, "\n"), k.warm, k.compile}
	res, err := rig.Command{Argv: argv, Dir: k.dir, Env: r.Env()}.Run()
	if err != nil || res.Status != 0 {
		k.t.Fatalf("%v: %s\n%s", err, res.Ended(), res.Stderr)
	}
	var s rig.Stats
	if err := json.Unmarshal(res.Stdout, &s); err != nil {
		k.t.Fatal(err)
	}
	switch {
	case s.HitsRemote == 1:
		return hit
	case s.Remotely == 1:
		return executed
	case s.SteppedAside == 1 && s.Reasons["specs-file"] == 1:
		return aside
	}
	return outcome(res.Stderr)
}

// otherLauncher builds binaries with a launcher that is another one.
func (k *keys) otherLauncher() string {
	k.t.Helper()
	bin := k.t.TempDir()
	launcher, overlay := filepath.Join(bin, "launcher"), filepath.Join(bin, "overlay.json")
	arch := strings.TrimSpace(k.goCommand("env", "GOARCH"))
	k.goCommand("build", "-o", launcher, "./cmd/rexlaunch") // with its symbols
	text, err := json.Marshal(map[string]map[string]string{"Replace": {"cmd/rexd/launcher/linux-" + arch: launcher}})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		k.t.Fatal(err)
	}
	k.goCommand("build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-tags=urfave_cli_no_docs", // as rig.Build, which has compiled most of it
		"-overlay", overlay, "-o", bin+"/", "./cmd/rexwrap", "./cmd/rexd")
	return bin
}

func (k *keys) goCommand(args ...string) string {
	k.t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		k.t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
