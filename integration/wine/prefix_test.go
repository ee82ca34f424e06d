//go:build linux

package wine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// An installation is a Wine with our programs in it.
type installation struct {
	bin    string // where rexwrap.exe and rexd.exe are
	dir    string // of everything else here
	loader string // runs a program for Windows
	server string // Wine's
}

// shared makes the installation when the first test wants it.
var shared = sync.OnceValues(install)

// patience is less than the tests are given: where that ends nothing is cleaned up.
const patience = 9 * time.Minute

func TestMain(m *testing.M) {
	end := func(code int) {
		if in, err := shared(); err == nil {
			in.remove()
		}
		os.Exit(code)
	}
	time.AfterFunc(patience, func() {
		fmt.Println("FAIL: not done after", patience)
		end(1)
	})
	end(m.Run())
}

// errNotRun says why there is no Wine here.
var errNotRun = errors.New("NOT RUN")

func install() (*installation, error) {
	in := &installation{bin: os.Getenv("REXWRAP_TEST_WINE")}
	if in.bin == "" {
		return nil, fmt.Errorf("%w: set REXWRAP_TEST_WINE to the folder of the binaries, or run make test-windows", errNotRun)
	}
	var err error
	if in.loader, err = program("wine64", "/usr/lib/wine/wine64"); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotRun, err)
	}
	if in.server, err = program("wineserver64", "/usr/lib/wine/wineserver64"); err != nil {
		return nil, fmt.Errorf("%w: %w", errNotRun, err)
	}
	if in.dir, err = os.MkdirTemp("", "wine"); err != nil {
		return nil, err
	}
	for _, step := range []func() error{in.makePrefix, in.makeLibrary, in.buildCompilers} {
		if err := step(); err != nil {
			in.remove()
			return nil, err
		}
	}
	return in, nil
}

// program finds a program on PATH or where Debian keeps it.
func program(name, place string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(place)
}

// remove ends what runs in the installation, and removes it.
func (in *installation) remove() {
	kill := exec.Command(in.server, "-k", "-w")
	kill.Env = in.env()
	_ = kill.Run() // it may have ended
	_ = os.RemoveAll(in.dir)
}

// env is the environment in which programs for Windows run here.
func (in *installation) env(extra ...string) []string {
	base := rig.Environ(rig.BareEnv(in.dir, in.dir))
	return base.Set(append([]string{
		"WINEPREFIX=" + in.dir + "/prefix", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe=",
		"WINESERVER=" + in.server, "WINELOADER=" + in.loader,
	}, extra...)...)
}

func (in *installation) makePrefix() error { return in.run(in.loader, "wineboot", "--init") }

// run runs a program with a file for its output: what is started below keeps what
// would be a pipe, and with it anybody who waits for its end.
func (in *installation) run(argv ...string) error {
	out, err := os.Create(in.dir + "/output")
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = in.env(), in.dir, out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", strings.Join(argv, " "), err, bytes.TrimSpace(said))
	}
	return nil
}

// makeLibrary makes the library that Go programs want to find: its function is one
// of another library.
func (in *installation) makeLibrary() error {
	source, object := in.dir+"/empty.c", in.dir+"/empty.obj"
	if err := os.WriteFile(source, nil, 0o666); err != nil {
		return err
	}
	if err := in.run("clang", "--target=x86_64-pc-windows-msvc", "-c", source, "-o", object); err != nil {
		return err
	}
	return in.run("lld-link", "/dll", "/noentry", "/machine:x64", "/export:ProcessPrng=advapi32.SystemFunction036",
		"/out:"+in.dir+"/prefix/drive_c/windows/system32/bcryptprimitives.dll", object)
}

// buildCompilers puts the compiler of this package into the folder cl, under all its
// names, and that of integration/msvc, which makes real objects, into the folder msvc.
func (in *installation) buildCompilers() error {
	for folder, source := range map[string]string{"cl": "./fakecl", "msvc": "../msvc/fakecl"} {
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", in.dir+"/"+folder+"/cl.exe", source)
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the compiler: %w\n%s", err, bytes.TrimSpace(out))
		}
	}
	for _, name := range []string{"cl/args", "cl/hold", "cl/kill", "cl/together", "msvc/clang-cl"} {
		if err := os.Link(in.dir+"/cl/cl.exe", in.dir+"/"+name+".exe"); err != nil {
			return err
		}
	}
	return nil
}

// windows returns a path as programs for Windows have it.
func windows(path string) string { return `Z:` + strings.ReplaceAll(path, "/", `\`) }
