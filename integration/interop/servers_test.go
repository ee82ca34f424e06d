//go:build linux

package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/integration/debsrc"
)

// A kind is one of the servers.
type kind struct {
	name, pkg string
	// start returns the command that serves with its state in dir, and a
	// function that returns its address once it listens.
	start func(t *testing.T, root *debsrc.Root, dir string) (argv []string, address func() (string, error))

	readOnly bool // its ActionCache is written by its workers alone
	absolute bool // takes symbolic links with absolute targets

	bare bool // its workers are started without the headers and compilers of this machine
}

func kinds() []kind {
	return []kind{
		{name: "casd", pkg: "buildbox", start: casd, absolute: true},
		{name: "just", pkg: "justbuild", start: just, readOnly: true},
	}
}

// open unpacks the servers, or ends the test.
func open(t *testing.T) *debsrc.Root {
	t.Helper()
	if os.Getenv("REXWRAP_TEST_INTEROP") == "" {
		t.Skip("set REXWRAP_TEST_INTEROP, or run make interop")
	}
	var packages []string
	for _, k := range kinds() {
		packages = append(packages, k.pkg)
	}
	root, err := debsrc.OpenRoot("../../.cache/debian-sid", "sid", io.Discard, packages...)
	if err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	return root
}

// eachServer runs f for each of the servers.
func eachServer(t *testing.T, f func(t *testing.T, k kind, start func(*testing.T) string)) {
	root := open(t)
	for _, k := range kinds() {
		t.Run(k.name, func(t *testing.T) {
			version, err := root.Version(k.pkg)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s of %s %s", k.name, k.pkg, version)
			f(t, k, func(t *testing.T) string { return k.run(t, root) })
		})
	}
}

// run starts a server with nothing in it that lives as long as the test, and
// returns its address.
func (k kind) run(t *testing.T, root *debsrc.Root) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "interop") // t.TempDir's names are too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, dir) })
	argv, address := k.start(t, root, dir)
	if k.bare {
		argv = append(hiding(), argv...)
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = []string{} // what casd has, its actions get
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // with the actions under way
		_ = cmd.Wait()                                      // says that it was killed
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s says:\n%.8000s", k.name, text)
		}
	})
	return listening(t, address)
}

// hiding are the words before a command that has neither system headers nor what
// gcc starts, nor clang or Rust's own libraries: it has a mount namespace of its own.
func hiding() []string {
	const script = `set -e
for dir in /usr/include /usr/lib/gcc /usr/lib/llvm-* /usr/lib/rustlib; do
	[ ! -d "$dir" ] || mount -t tmpfs none "$dir"
done
exec "$@"
`
	return []string{"/usr/bin/unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh"}
}

// listening waits for a server.
func listening(t *testing.T, address func() (string, error)) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(20 * time.Second); ; {
		a, err := address()
		if err == nil {
			return a
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal(err)
		}
	}
}

// removeAll removes dir, in which servers keep files without permissions.
func removeAll(t *testing.T, dir string) {
	out, err := exec.Command("sh", "-c", `chmod -R u+rwx "$0"; rm -rf "$0"`, dir).CombinedOutput()
	if err != nil {
		t.Errorf("remove %s: %v: %s", dir, err, out)
	}
}

func command(t *testing.T, root *debsrc.Root, program string, args ...string) []string {
	t.Helper()
	argv, err := root.Command(program, args...)
	if err != nil {
		t.Fatal(err)
	}
	return argv
}

// casd starts buildbox-casd with buildbox-run-hosttools, which it runs by a
// script, since the runner needs the root's loader as well.
func casd(t *testing.T, root *debsrc.Root, dir string) ([]string, func() (string, error)) {
	script := filepath.Join(dir, "run")
	runner := "#!/bin/sh\nexec '" + strings.Join(command(t, root, "buildbox-run-hosttools"), "' '") + "' \"$@\"\n"
	if err := os.WriteFile(script, []byte(runner), 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	return command(t, root, "buildbox-casd", "--bind", "unix:"+socket, "--buildbox-run", script, "--jobs", "2", filepath.Join(dir, "casd")),
		func() (string, error) {
			c, err := net.Dial("unix", socket)
			if err != nil {
				return "", err
			}
			return "unix:" + socket, c.Close()
		}
}

// just starts the service of the build tool just. It chooses a port and writes
// it to a file.
func just(t *testing.T, root *debsrc.Root, dir string) ([]string, func() (string, error)) {
	file := filepath.Join(dir, "info")
	return command(t, root, "justbuild", "execute", "--compatible", "--local-build-root", filepath.Join(dir, "just"), "--info-file", file, "--plain-log"),
		func() (string, error) {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", err
			}
			var info struct {
				Interface string
				Port      int
			}
			if err := json.Unmarshal(text, &info); err != nil {
				return "", err
			}
			return fmt.Sprintf("grpc://%s:%d", info.Interface, info.Port), nil
		}
}

// dial connects to a server for as long as the test lives.
func dial(t *testing.T, address string) *client.Conn {
	t.Helper()
	conn, err := client.Dial(client.Options{Address: address, Metadata: client.Metadata{ToolName: "rexwrap", InvocationID: t.Name()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
