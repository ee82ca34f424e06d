//go:build linux

package rust

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// TestNotices checks, on a miss and on a hit, that every artifact is where its
// notice says when the notice can be read, and that notices come in the
// compiler's order: cargo starts the next compile at the one of the metadata.
func TestNotices(t *testing.T) {
	s := newSite(t, txtar.Parse([]byte("-- o/keep --\n"+onlyLib)))
	s.start()
	args := strings.Fields("--edition=2018 --crate-name x x.rs" + emitLib)
	want := []string{"dep-info o/x.d", "metadata o/libx.rmeta", "link o/libx.rlib"}
	for _, through := range [][]string{nil, {filepath.Join(bin, "rexwrap")}, {filepath.Join(bin, "rexwrap")}} {
		for _, name := range []string{"o/libx.rlib", "o/libx.rmeta", "o/x.d"} {
			s.remove(name)
		}
		argv := slices.Concat(through, []string{rustc}, args)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir, cmd.Env = s.dir, s.wrapped()
		if got := s.notices(cmd); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", through, got, want)
		}
	}
	if st := s.stats(); st.HitsLocal+st.Merged != 1 || st.Executed != 1 {
		t.Errorf("%+v", st)
	}
}

// TestPipelining checks that cargo can read of the metadata while the compiler still
// makes code: the library is not there yet.
func TestPipelining(t *testing.T) {
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "pub fn f%d(x: &[u64]) -> String { x.iter().map(|n| format!(\"{}-{}\", n, %d)).collect::<Vec<_>>().join(\",\") }\n", i, i)
	}
	s := newSite(t, &txtar.Archive{Files: []txtar.File{{Name: "x.rs", Data: []byte(text.String())}, {Name: "o/keep"}}})
	s.start()
	s.library()
	s.write("y.rs", "pub const W: Option<&str> = m::who!();\n"+text.String())
	for i, call := range []string{"x x.rs -O" + emitLib, "y y.rs -O" + emitLib + withMacros} { // the second one is traced
		args := strings.Fields(rustc + " --edition=2018 --crate-name " + call)
		cmd := exec.Command(filepath.Join(bin, "rexwrap"), args...)
		cmd.Dir, cmd.Env = s.dir, s.wrapped()
		seen := false
		s.eachNotice(cmd, func(artifact, emit string) {
			if emit != "metadata" {
				return
			}
			seen = true
			if _, err := os.Stat(filepath.Join(s.dir, "o/lib"+call[:1]+".rlib")); err == nil {
				t.Error("the notice of the metadata came when all was done")
			}
		})
		if st := s.stats(); !seen || st.Executed != int64(i+1) {
			t.Errorf("%s: notice %v, %+v", call, seen, st)
		}
	}
}

// start starts the server: a call that has to do so itself may not wait for it
// where the machine is busy.
func (s *site) start() {
	s.t.Helper()
	if _, err := s.rig.Verb("server", "start"); err != nil {
		s.t.Fatal(err)
	}
}

// notices runs a compile and looks for each artifact at the moment when it is
// announced.
func (s *site) notices(cmd *exec.Cmd) (out []string) {
	s.t.Helper()
	s.eachNotice(cmd, func(artifact, emit string) {
		if _, err := os.Stat(filepath.Join(s.dir, artifact)); err != nil {
			s.t.Errorf("%s is announced and not there: %v", artifact, err)
		}
		out = append(out, emit+" "+artifact)
	})
	return out
}

// eachNotice runs a compile and calls visit with each notice when it can be read.
func (s *site) eachNotice(cmd *exec.Cmd, visit func(artifact, emit string)) {
	s.t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var n struct{ Artifact, Emit string }
		if err := json.Unmarshal(lines.Bytes(), &n); err == nil && n.Artifact != "" {
			visit(n.Artifact, n.Emit)
		}
	}
	if err := cmd.Wait(); err != nil {
		s.t.Fatal(err)
	}
}
