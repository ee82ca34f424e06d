// Package launch is what cmd/rexlaunch and toolchains/pack agree about: how a
// packed program is found from the launcher that stands in its place, and how
// the pack's loader is asked to start it.
//
// Grammar of the mark, the file at the head of a pack:
//
//	mark      = "rexpack 1" LF "loader " path LF "libraries " path LF [ "rpath " names LF ] ;
//	names     = name { ":" name } ;
//
// Paths are relative to the folder of the mark. The program that a launcher at
// D/NAME stands for is D/.real/NAME. Names are those of libraries with a DT_RPATH,
// and the empty one stands for the programs: the loader would look there before it
// looks into the folder of libraries, and there is the worker's.
package launch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// RootName is that of a launcher which writes, after ProbeText, the names of what is
// in the root of the file system, one a line: whether a worker's root is what was sent.
const RootName = "rexlaunch-root"

// HereName is that of a launcher which starts another program, and tells it where it
// is, which only a worker knows:
//
//	HereName NAME NOTE OPTION PROGRAM { WORD }
//
// starts PROGRAM { WORD } OPTION DIR "=" NAME, with DIR the working directory as
// the system has it. If NOTE is not empty, DIR and a line feed go into that file.
const HereName = "rexlaunch-here"

// Names within a pack.
const (
	MarkName = ".rexpack"
	RealDir  = ".real"
)

// A launcher of the name ProbeName writes ProbeText to the file that its argument
// names: whether a worker can run it is found out so.
const (
	ProbeName = "rexlaunch-probe"
	ProbeText = "rexwrap\n"
)

const (
	head      = "rexpack 1"
	markRpath = "rpath "
)

// Errors of Command and Here.
var (
	ErrWords  = errors.New("usage: " + HereName + " NAME NOTE OPTION PROGRAM [WORD]")
	ErrNoPack = errors.New("not in a pack: no " + MarkName + " in any folder above")
	ErrMark   = errors.New("malformed " + MarkName)
)

// Mark returns the mark of a pack whose loader and folder of libraries are at
// these paths, and in which these libraries have a DT_RPATH.
func Mark(loader, libraries string, rpath []string) []byte {
	text := head + "\nloader " + loader + "\nlibraries " + libraries + "\n"
	if len(rpath) > 0 {
		text += markRpath + strings.Join(rpath, ":") + "\n"
	}
	return []byte(text)
}

// Real returns where the program is that the launcher at path stands for.
func Real(path string) string {
	i := strings.LastIndexByte(path, '/')
	return path[:i+1] + RealDir + "/" + path[i+1:]
}

// The loader's options.
const (
	optionCache     = "--inhibit-cache"
	optionName      = "--argv0"
	optionLibraries = "--library-path"
	optionRpath     = "--inhibit-rpath"
)

// Options are those that Command calls a loader with.
func Options() []string { return []string{optionCache, optionName, optionLibraries, optionRpath} }

// Command returns what the launcher at self, started with args, has to execute.
// read reads a file. A name without a slash in args[0], as one found by PATH has,
// becomes self: programs look for their own files from there.
func Command(self string, args []string, read func(path string) (string, error)) (program string, argv []string, err error) {
	for dir := self; ; {
		i := strings.LastIndexByte(dir, '/')
		if i < 0 {
			return "", nil, fmt.Errorf("%s: %w", self, ErrNoPack)
		}
		dir = dir[:i]
		text, err := read(dir + "/" + MarkName)
		if err != nil {
			continue
		}
		m, err := parse(text)
		if err != nil {
			return "", nil, fmt.Errorf("%s: %w", dir, err)
		}
		name := self
		if len(args) > 0 && strings.Contains(args[0], "/") {
			name = args[0]
		}
		argv := append(m.loaderWords(dir, name), Real(self))
		return argv[0], append(argv, args[min(1, len(args)):]...), nil
	}
}

// loaderWords are the words by which a loader starts a program of the pack in dir under
// a name.
func (m *mark) loaderWords(dir, name string) []string {
	libraries := dir + "/" + m.libraries
	words := []string{dir + "/" + m.loader, optionCache, optionName, name, optionLibraries, libraries}
	if m.rpath == nil {
		return words
	}
	var paths []string // as the loader calls them, which has found them in libraries
	for _, library := range m.rpath {
		if library != "" {
			library = libraries + "/" + library
		}
		paths = append(paths, library)
	}
	return append(words, optionRpath, strings.Join(paths, ":"))
}

// Here returns what the launcher of that name, started with args in dir, has to
// execute, and which file it has to write before, empty for none.
func Here(args []string, dir string) (note string, argv []string, err error) {
	if len(args) < 5 {
		return "", nil, ErrWords
	}
	name, note, option := args[1], args[2], args[3]
	return note, append(slices.Clone(args[4:]), option+dir+"="+name), nil
}

// A mark is what one says.
type mark struct {
	loader, libraries string
	rpath             []string
}

func parse(text string) (*mark, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || len(lines) > 5 || lines[0] != head || lines[len(lines)-1] != "" {
		return nil, ErrMark
	}
	m, okRpath := &mark{}, true
	var okLoader, okLibraries bool
	m.loader, okLoader = strings.CutPrefix(lines[1], "loader ")
	m.libraries, okLibraries = strings.CutPrefix(lines[2], "libraries ")
	if len(lines) == 5 {
		var names string
		names, okRpath = strings.CutPrefix(lines[3], markRpath)
		m.rpath = strings.Split(names, ":")
	}
	if !okLoader || !okLibraries || !okRpath || !inside(m.loader) || !inside(m.libraries) {
		return nil, ErrMark
	}
	return m, nil
}

// inside reports whether a path of the mark stays in the pack.
func inside(path string) bool {
	return path != "" && path[0] != '/' && !strings.Contains("/"+path+"/", "/../")
}
