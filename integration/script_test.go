//go:build linux

package integration

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/integration/script"
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
			_, err := script.Setup(bin, filepath.Join(rigs, filepath.Base(e.WorkDir)), e)
			return err
		},
		Condition: script.Have,
		Cmds:      script.Commands(),
	})
}
