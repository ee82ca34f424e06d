package rig

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Build puts rexwrap and rexd into dir, built as they are released; root is the
// module's root directory. Where REXWRAP_TEST_BIN names a directory, its
// binaries are linked to instead: so a package can be tested as installed.
func Build(root, dir string) error {
	if ready := os.Getenv("REXWRAP_TEST_BIN"); ready != "" {
		for _, name := range []string{"rexwrap", "rexd"} {
			if err := os.Symlink(filepath.Join(ready, name), filepath.Join(dir, name)); err != nil {
				return err
			}
		}
		return nil
	}
	scratch, err := os.MkdirTemp("", "build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	launcher, overlay := filepath.Join(scratch, "rexlaunch"), filepath.Join(scratch, "overlay.json")
	if err := goBuild(root, "-o", launcher, "./cmd/rexlaunch"); err != nil {
		return err
	}
	text := fmt.Sprintf(`{"Replace":{"cmd/rexd/launcher/linux-%s":%q}}`, runtime.GOARCH, launcher)
	if err := os.WriteFile(overlay, []byte(text), 0o600); err != nil {
		return err
	}
	return goBuild(root, "-tags=urfave_cli_no_docs", "-overlay", overlay, "-o", dir+string(filepath.Separator), "./cmd/rexwrap", "./cmd/rexd")
}

func goBuild(root string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", args[len(args)-1], err, bytes.TrimSpace(out))
	}
	return nil
}

// TrackSources opens every Go file of the module below root. The go command
// remembers the files that a test opens and reruns the test when one changes;
// it does not see what a child process reads, so without this a stale
// "ok (cached)" follows any change that reaches a test only through the
// binaries that Build makes.
func TrackSources(root string) error {
	return fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") && name != "go.mod":
			return nil
		}
		f, err := os.Open(filepath.Join(root, name))
		if err != nil {
			return err
		}
		return f.Close()
	})
}
