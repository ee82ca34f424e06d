//go:build linux

package wine

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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

// errNotRun says that nobody asked for these tests, which have to have a Wine.
var errNotRun = errors.New("NOT RUN")

func install() (*installation, error) {
	in := &installation{bin: os.Getenv("REXWRAP_TEST_WINE")}
	if in.bin == "" {
		return nil, fmt.Errorf("%w: set REXWRAP_TEST_WINE to the folder of the binaries, or run make test-windows", errNotRun)
	}
	var err error
	if in.loader, err = program("wine64", "/usr/lib/wine/wine64"); err != nil {
		return nil, err
	}
	if in.server, err = program("wineserver64", "/usr/lib/wine/wineserver64"); err != nil {
		return nil, err
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

// makePrefix makes the least of a Windows: Wine's own programs and libraries in their
// folder, and hardly any registry. wineboot would copy them all, and register what nobody
// here asks for, which takes longer than the tests.
func (in *installation) makePrefix() error {
	programs, err := filepath.Glob("/usr/lib/*/wine/x86_64-windows/*")
	if err != nil || len(programs) == 0 {
		return errors.Join(errors.New("Wine's libraries are not where Debian has them"), err)
	}
	prefix := in.dir + "/prefix"
	system := prefix + "/drive_c/windows/system32"
	for _, folder := range []string{system, prefix + "/drive_c/windows/temp", prefix + "/dosdevices"} {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return err
		}
	}
	links := map[string]string{prefix + "/dosdevices/c:": "../drive_c", prefix + "/dosdevices/z:": "/"}
	for _, path := range programs {
		links[system+"/"+filepath.Base(path)] = path
	}
	for name, target := range links {
		if err := os.Symlink(target, name); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(prefix+"/.update-timestamp", []byte("disable\n"), 0o666),
		os.WriteFile(prefix+"/system.reg", []byte(registry), 0o666),
	)
}

// registry is what programs want to find in their environment.
const registry = `WINE REGISTRY Version 2
;; All keys relative to \\\\Machine

#arch=win64

[System\\CurrentControlSet\\Control\\Session Manager\\Environment] 0
"ComSpec"="C:\\windows\\system32\\cmd.exe"
"PATH"="C:\\windows\\system32;C:\\windows"
"TEMP"="C:\\windows\\temp"
"TMP"="C:\\windows\\temp"
`

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
		cmd := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", in.dir+"/"+folder+"/cl.exe", source)
		cmd.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the compiler: %w\n%s", err, bytes.TrimSpace(out))
		}
	}
	for _, name := range []string{"cl/args", "cl/hold", "cl/alive", "cl/kill", "cl/together", "msvc/clang-cl"} {
		if err := os.Link(in.dir+"/cl/cl.exe", in.dir+"/"+name+".exe"); err != nil {
			return err
		}
	}
	return nil
}

// windows returns a path as programs for Windows have it.
func windows(path string) string { return `Z:` + strings.ReplaceAll(path, "/", `\`) }
