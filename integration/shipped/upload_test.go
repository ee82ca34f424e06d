//go:build linux

package shipped

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/integration/rig"
)

// TestKilledUpload kills a server in the middle of the first upload of a compiler.
// Compiles go on here meanwhile, the next server sends what is lacking and no more,
// and workers then compile.
func TestKilledUpload(t *testing.T) {
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	server := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Confined: true}})
	// The launcher goes first, by itself. Of the compiler what is large comes
	// through, and the rest does not.
	server.Fault(&clienttest.Fault{Method: "BatchUpdateBlobs", From: 2, Hang: true})
	f := &files{t: t, dir: t.TempDir()}
	var err error
	if f.rig, err = rig.New(bin, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.rig.Close)
	f.rig.Set = []string{"REXWRAP_REMOTE=" + server.Address, "REXWRAP_STRATEGY=remote", "REXWRAP_TOOLCHAIN=ship", "LC_ALL=C"}
	u := &upload{files: f}

	large := u.program("cc1")
	u.until("the compiler is under way", func() bool { return server.Has(large) })
	for _, verb := range [][]string{{"stats"}, {"server", "status"}} {
		told := regexp.MustCompile(`toolchain gcc \S+ is being uploaded: \d+ of \d+ MB, \d+ MB/s; compiles run here meanwhile`)
		if text, err := f.rig.Verb(verb...); err != nil || !told.Match(text) {
			t.Errorf("%q tells of no upload: %s%v", verb, text, err)
		}
	}
	if s := u.stats(); s.Remotely != 0 || s.Reasons["ship-uploading"] == 0 {
		t.Errorf("during the upload: %+v", s)
	}
	killed, err := f.rig.Server()
	if err == nil {
		err = syscall.Kill(killed.Pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Fatal(err)
	}
	server.Heal()
	before := server.Received()
	u.until("another server answers", func() bool {
		now, err := f.rig.Server()
		return err == nil && now.Pid != killed.Pid
	})
	u.until("workers compile", func() bool { return u.stats().Remotely > 0 })
	if again := server.Received() - before; again > large.Size {
		t.Errorf("%d bytes were sent after the kill: what was there was sent again", again)
	}
}

// upload compiles one file after the other.
type upload struct {
	*files
	n int
}

// until compiles until what is waited for is so.
func (u *upload) until(what string, so func() bool) {
	u.t.Helper()
	const most = 100 // a server that has no time is not waited for by compiles
	for range most {
		if so() {
			return
		}
		u.compileNext()
	}
	u.t.Fatalf("%d compiles, and not so: %s", most, what)
}

// compileNext compiles a new file, bare and through rexwrap.
func (u *upload) compileNext() {
	u.t.Helper()
	u.n++
	if err := os.WriteFile(filepath.Join(u.dir, "x.c"), fmt.Appendf(nil, "int x%d;\n", u.n), 0o600); err != nil {
		u.t.Fatal(err)
	}
	var made [2][]byte
	for i, wrapper := range []string{"", "rexwrap "} {
		argv := strings.Fields(wrapper + "gcc -g -c x.c")
		res, err := rig.Command{Argv: argv, Dir: u.dir, Env: u.rig.Env("PWD=" + u.dir)}.Run()
		if err != nil || res.Status != 0 {
			u.t.Fatalf("%v: %s\n%s", err, res.Ended(), res.Stderr)
		}
		if made[i], err = os.ReadFile(filepath.Join(u.dir, "x.o")); err != nil {
			u.t.Fatal(err)
		}
	}
	if !bytes.Equal(made[0], made[1]) {
		u.t.Errorf("compile %d makes another object than the plain compiler", u.n)
	}
}

// stats returns the counters, without waiting for uploads.
func (u *upload) stats() rig.Stats {
	u.t.Helper()
	s, err := u.rig.Stats()
	if err != nil {
		u.t.Fatal(err)
	}
	return s
}

// program is the digest of a program of gcc's.
func (u *upload) program(name string) digest.Digest {
	u.t.Helper()
	path, err := exec.Command("gcc", "-print-prog-name="+name).Output()
	if err != nil {
		u.t.Fatal(err)
	}
	text, err := os.ReadFile(strings.TrimSpace(string(path)))
	if err != nil {
		u.t.Fatal(err)
	}
	return digest.Of(text)
}
