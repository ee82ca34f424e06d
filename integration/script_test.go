//go:build linux

package integration

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// binaries builds rexwrap once for all tests of the package.
var binaries = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rexwrap-bin")
	if err != nil {
		return "", err
	}
	return dir, rig.Build("..", dir)
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := binaries(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(status)
}

// TestScript runs what users type. Each script has a cache and a server of its
// own, and the commands below beside those of testscript.
func TestScript(t *testing.T) {
	if err := rig.TrackSources(".."); err != nil {
		t.Fatal(err)
	}
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	rigs := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			s, err := newScript(bin, filepath.Join(rigs, filepath.Base(e.WorkDir)), e)
			if err != nil {
				return err
			}
			e.Values[scriptKey{}] = s
			e.Defer(s.rig.Close)
			return nil
		},
		Condition: have,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"bare":   cmdBare,
			"like":   cmdLike,
			"settle": cmdSettle,
			"stat":   cmdStat,
		},
	})
}

// have is the condition [have:PROGRAM]: [exec:PROGRAM], except that a missing
// program fails the script where every tool is promised.
func have(cond string) (bool, error) {
	program, ok := strings.CutPrefix(cond, "have:")
	if !ok {
		return false, fmt.Errorf("unknown condition %q", cond)
	}
	_, err := exec.LookPath(program)
	if err != nil && os.Getenv("REXWRAP_TEST_ALL_TOOLS") == "1" {
		return false, fmt.Errorf("%s is not installed", program)
	}
	return err == nil, nil
}
