//go:build linux

// Rexlaunch stands in a packed toolchain in the place of each program that
// needs a loader, and starts the program that it stands for through the pack's
// own loader with the pack's own libraries: a packed gcc would else be run by
// the worker's. See toolchains/pack, which says how a pack is laid out.
//
// It is linked statically, needs /proc, and reads one file. By other names it does
// what package launch says of those.
package main

import (
	"os"
	"strings"
	"syscall"

	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

func main() {
	if len(os.Args) == 2 && strings.HasSuffix(os.Args[0], "/"+launch.ProbeName) {
		probe(os.Args[1])
		return
	}
	if len(os.Args) == 2 && strings.HasSuffix(os.Args[0], "/"+launch.RootName) {
		root(os.Args[1])
		return
	}
	if strings.HasSuffix(os.Args[0], "/"+launch.HereName) {
		here()
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		fail("/proc is not mounted: " + err.Error())
	}
	program, argv, err := launch.Command(self, os.Args, readFile)
	if err != nil {
		fail(err.Error())
	}
	err = syscall.Exec(program, argv, os.Environ())
	fail(program + ": " + err.Error())
}

// here starts a program that is told where it is.
func here() {
	dir, err := syscall.Getwd() // not what PWD says
	if err != nil {
		fail(err.Error())
	}
	note, argv, err := launch.Here(os.Args, dir)
	if err != nil {
		fail(err.Error())
	}
	if note != "" {
		if err := os.WriteFile(note, []byte(dir+"\n"), 0o644); err != nil {
			fail(err.Error())
		}
	}
	err = syscall.Exec(argv[0], argv, os.Environ())
	fail(argv[0] + ": " + err.Error())
}

// root writes what is in the root of the file system.
func root(path string) {
	entries, err := os.ReadDir("/")
	if err != nil {
		fail(err.Error())
	}
	var b strings.Builder
	b.WriteString(launch.ProbeText)
	for _, e := range entries {
		b.WriteString(e.Name() + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		fail(err.Error())
	}
}

func probe(path string) {
	if err := os.WriteFile(path, []byte(launch.ProbeText), 0o644); err != nil {
		fail(err.Error())
	}
}

func readFile(path string) (string, error) {
	data, err := os.ReadFile(path)
	return string(data), err
}

// fail ends as a shell ends that cannot run a program.
func fail(text string) {
	_, _ = os.Stderr.WriteString("rexlaunch: " + strings.TrimSpace(text) + "\n")
	os.Exit(126)
}
