package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// compilerNames matches what compilers that we know are called: gcc, c++,
// clang-14, x86_64-linux-gnu-g++-12, and with .exe; cl and clang-cl on Windows
// (elsewhere cl is a Lisp). Companions such as gcc-ar do not match.
func compilerNames() *regexp.Regexp {
	if runtime.GOOS == "windows" {
		return regexp.MustCompile(`(?i)^(([a-z0-9_.]+-)*(cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(-[0-9]+(\.[0-9]+)*)?|cl|clang-cl)\.exe$`)
	}
	return regexp.MustCompile(`^([a-z0-9_.]+-)*(cc|c\+\+|gcc|g\+\+|clang|clang\+\+)(-[0-9]+(\.[0-9]+)*)?(\.exe)?$`)
}

// A search looks for programs along a PATH. Links and copies of rexwrap are no
// compilers.
type search struct {
	dirs []string
	self string // rexwrap, with links resolved; empty where it was not found
}

func newSearch(path, rexwrap string) *search {
	s := &search{}
	for _, dir := range filepath.SplitList(path) {
		if filepath.IsAbs(dir) && !slices.Contains(s.dirs, dir) {
			s.dirs = append(s.dirs, dir)
		}
	}
	if real, err := filepath.EvalSymlinks(rexwrap); err == nil {
		s.self = real
	}
	return s
}

// ours reports whether path is rexwrap under whatever name.
func (s *search) ours(path string) bool {
	if s.self == "" {
		return false
	}
	return sameProgram(path, s.self)
}

// sameProgram reports whether a and b are one file, or, where links are a
// privilege, copies.
func sameProgram(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil {
		return false
	}
	if os.SameFile(infoA, infoB) || runtime.GOOS != "windows" || infoA.Size() != infoB.Size() {
		return os.SameFile(infoA, infoB)
	}
	textA, errA := os.ReadFile(a)
	textB, errB := os.ReadFile(b)
	return errA == nil && errB == nil && bytes.Equal(textA, textB)
}

// find returns the absolute path of the first program called name that is not
// ours, empty where there is none.
func (s *search) find(name string) string {
	for _, dir := range s.dirs {
		path := filepath.Join(dir, name)
		if executable(path) && !s.ours(path) {
			return path
		}
	}
	return ""
}

// compilers returns the names of the compilers that find finds, sorted.
func (s *search) compilers() []string {
	pattern := compilerNames()
	var names []string
	for _, dir := range s.dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if pattern.MatchString(e.Name()) && !slices.Contains(names, e.Name()) && s.find(e.Name()) != "" {
				names = append(names, e.Name())
			}
		}
	}
	slices.Sort(names)
	return names
}

// masquerades returns the folders of PATH in which compilers are links to
// rexwrap, and for each whether it comes before all real compilers.
func (s *search) masquerades() (folders []string, first []bool) {
	pattern, seen := compilerNames(), false
	for _, dir := range s.dirs {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue
		}
		linked, realOnes := false, false
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if !pattern.MatchString(e.Name()) || !executable(path) {
				continue
			}
			if s.ours(path) {
				linked = true
			} else {
				realOnes = true
			}
		}
		if linked {
			folders, first = append(folders, dir), append(first, !seen)
		}
		seen = seen || realOnes
	}
	return folders, first
}

func executable(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	return runtime.GOOS == "windows" || info.Mode().Perm()&0o111 != 0
}

// lookPath finds a command along path as a shell does, our own links included.
// The error is exec.ErrNotFound, or fs.ErrPermission where what was found cannot
// be run.
func lookPath(name, path string) (string, error) {
	if strings.ContainsRune(name, filepath.Separator) {
		return name, nil // running it tells
	}
	err := exec.ErrNotFound
	for _, dir := range filepath.SplitList(path) {
		full := filepath.Join(dir, name)
		if dir == "" {
			full = "." + string(filepath.Separator) + name
		}
		if executable(full) {
			return full, nil
		}
		if _, statErr := os.Stat(full); statErr == nil {
			err = fs.ErrPermission
		}
	}
	return "", err
}

// rexwrap returns the absolute path of the thin binary: beside this program,
// else on PATH, else empty.
func (a *app) rexwrap() string {
	name := "rexwrap"
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if self, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(self); err == nil {
			self = real
		}
		if path := filepath.Join(filepath.Dir(self), name); executable(path) {
			return path
		}
	}
	for _, dir := range filepath.SplitList(a.env.Value("PATH")) {
		if path := filepath.Join(dir, name); filepath.IsAbs(path) && executable(path) {
			return path
		}
	}
	return ""
}

func (a *app) search() *search { return newSearch(a.env.Value("PATH"), a.rexwrap()) }

// isLauncher reports whether a command line or path starts with the program of
// another compiler cache.
func isLauncher(command string) (name string, ok bool) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return "", false
	}
	name = strings.TrimSuffix(filepath.Base(words[0]), ".exe")
	return name, slices.Contains([]string{"ccache", "sccache", "cachepot", "distcc", "icecc", "recc", "rewrapper", "buildcache", "kache"}, name)
}
