// Demo shows what rexwrap does for a real project: it builds one plain, through
// rexwrap with an empty cache, and with a warm one, verifies that all objects
// are the same, and prints the three times and the counters.
//
// The project is Debian's lua5.4, fetched by apt; where there is none, a sample
// that this program writes. Nothing outside a temporary directory is changed.
//
//	demo -bin DIR
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/integration/debsrc"
)

func main() {
	bin := flag.String("bin", "bin", "the directory of rexwrap and rexd")
	cache := flag.String("sources", ".cache/debsrc", "where source packages are kept")
	compiler := flag.String("cc", "gcc", "the compiler")
	flag.Parse()
	if err := run(*bin, *cache, *compiler); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// A demo is a project on its way through three builds.
type demo struct {
	dir      string // holds everything
	rexwrap  string
	compiler string
	project  project
}

func run(bin, cache, compiler string) (err error) {
	rexwrap, err := filepath.Abs(filepath.Join(bin, "rexwrap"))
	if err != nil {
		return err
	}
	for _, program := range []string{rexwrap, compiler, "make"} {
		if _, err := exec.LookPath(program); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "rexwrap-demo")
	if err != nil {
		return err
	}
	d := &demo{dir: dir, rexwrap: rexwrap, compiler: compiler}
	defer func() {
		_ = d.verb(io.Discard, "server", "stop")
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	d.project = d.choose(cache)
	return d.show()
}

// show makes the three builds and compares them.
func (d *demo) show() error {
	fmt.Printf("%s, built by make -j%d with %s\n\n", d.project.title, runtime.NumCPU(), d.compiler)
	plain, want, err := d.build(d.compiler)
	if err != nil {
		return err
	}
	fmt.Printf("  plain                %6.2f s   %d objects\n", plain.Seconds(), len(want))
	var times [2]time.Duration
	for i, name := range []string{"rexwrap, cold cache", "rexwrap, warm cache"} {
		took, got, err := d.build(d.rexwrap + " " + d.compiler)
		if err != nil {
			return err
		}
		if err := compare(want, got); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("  %-20s %6.2f s   all objects identical\n", name, took.Seconds())
		times[i] = took
	}
	fmt.Printf("\nthe warm build takes %.0f %% of the plain one\n\n", 100*times[1].Seconds()/plain.Seconds())
	return d.verb(os.Stdout, "stats")
}

// env is the environment of rexwrap, with a cache of the demo's own.
func (d *demo) env() []string {
	env := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "REXWRAP_") })
	return append(env, "REXWRAP_CACHE_DIR="+filepath.Join(d.dir, "cache"), "XDG_RUNTIME_DIR="+d.dir)
}

func (d *demo) verb(stdout io.Writer, args ...string) error {
	cmd := exec.Command(d.rexwrap, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = d.env(), stdout, os.Stderr
	return cmd.Run()
}

// build builds the project anew, at the same place each time, and returns the
// digests of its objects.
func (d *demo) build(cc string) (time.Duration, map[string]string, error) {
	src := filepath.Join(d.dir, "src")
	if err := os.RemoveAll(src); err != nil {
		return 0, nil, err
	}
	if err := d.project.unpack(src); err != nil {
		return 0, nil, err
	}
	args := append([]string{fmt.Sprintf("-j%d", runtime.NumCPU()), "-C", src, "CC=" + cc}, d.project.make...)
	cmd := exec.Command("make", args...)
	cmd.Env = d.env()
	start := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, nil, fmt.Errorf("make %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	took := time.Since(start)
	objects, err := digests(src)
	return took, objects, err
}

// digests returns the digests of all objects below dir, by name.
func digests(dir string) (map[string]string, error) {
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(name) != ".o" {
			return err
		}
		data, err := os.ReadFile(name)
		sum := sha256.Sum256(data)
		found[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err == nil && len(found) == 0 {
		err = errors.New("the build has left no objects")
	}
	return found, err
}

func compare(want, got map[string]string) error {
	for name, sum := range want {
		if got[name] != sum {
			return fmt.Errorf("%s differs from the plain build's", name)
		}
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d objects, the plain build has %d", len(got), len(want))
	}
	return nil
}

// A project is what the demo builds.
type project struct {
	title  string
	make   []string // arguments of make
	unpack func(dir string) error
}

// choose returns Debian's lua5.4, or the sample where it cannot be had.
func (d *demo) choose(cache string) project {
	store, err := debsrc.Open(cache, io.Discard)
	if err == nil {
		err = store.Unpack("lua5.4", filepath.Join(d.dir, "probe"))
	}
	if err != nil {
		fmt.Printf("no source package (%v): a sample instead\n", err)
		return project{title: "a sample of C", make: []string{"CFLAGS=-O2"}, unpack: writeSample}
	}
	return project{
		title:  "lua5.4 from Debian " + debsrc.Suite,
		make:   []string{"-C", "src", "linux"},
		unpack: func(dir string) error { return store.Unpack("lua5.4", dir) },
	}
}
