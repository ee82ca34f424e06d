//go:build linux

package rust

import (
	"bufio"
	"encoding/json"
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

// notices runs a compile and looks for each artifact at the moment when it is
// announced.
func (s *site) notices(cmd *exec.Cmd) []string {
	s.t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		var n struct{ Artifact, Emit string }
		if err := json.Unmarshal(lines.Bytes(), &n); err != nil || n.Artifact == "" {
			continue
		}
		if _, err := os.Stat(filepath.Join(s.dir, n.Artifact)); err != nil {
			s.t.Errorf("%s is announced and not there: %v", n.Artifact, err)
		}
		out = append(out, n.Emit+" "+n.Artifact)
	}
	if err := cmd.Wait(); err != nil {
		s.t.Fatal(err)
	}
	return out
}
