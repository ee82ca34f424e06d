package toolchains

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// clang chooses its system headers by what it finds installed: the newest GCC
// below lib/gcc, the C++ headers that belong to it, Debian's multiarch folders. A
// GCC that is installed later changes what `#include <vector>` means to an
// unchanged clang, and none of the files of an earlier compile changes with it.
// So the names in those folders belong to clang's identity.

// clangLayout returns "FOLDER" followed by the names in it, for all folders that
// clang's choice depends on (clang/lib/Driver/ToolChains/Gnu.cpp).
func clangLayout(look *observer, program, real string, around *surroundings) []string {
	l := &layout{look: look}
	sysroot := ""
	if roots := around.argValues("--sysroot=", "--sysroot", "-isysroot"); len(roots) > 0 {
		sysroot = strings.TrimSuffix(around.abs(roots[len(roots)-1]), "/")
	}
	l.installations(sysroot + "/usr")
	l.installations(filepath.Dir(program) + "/..")
	l.installations(filepath.Dir(real) + "/..")
	for _, dir := range around.argValues("--gcc-toolchain=", "--gcc-toolchain", "-gcc-toolchain=", "-gcc-toolchain") {
		l.installations(strings.TrimSuffix(around.abs(dir), "/"))
	}
	if sysroot == "" {
		l.names("/opt/rh", nil)        // Red Hat's toolsets
		l.names("/etc/env.d/gcc", nil) // Gentoo's choice
	}
	l.headers(sysroot + "/usr/include")
	return l.text
}

type layout struct {
	look *observer
	text []string
	seen map[string]bool
}

// names lists dir, unless it has been listed, and keeps the names that keep wants.
func (l *layout) names(dir string, keep func(string) bool) []string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // the program's own path leads here by several ways
	}
	if l.seen[dir] {
		return nil
	}
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	l.seen[dir] = true
	names := l.look.list(dir)
	if keep != nil {
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !keep(name) })
	}
	if len(names) > 0 {
		l.text = append(append(l.text, dir), names...)
	}
	return names
}

// installations notes the GCCs below a prefix.
func (l *layout) installations(prefix string) {
	for _, lib := range []string{"lib/gcc", "lib64/gcc", "lib32/gcc", "lib/gcc-cross"} {
		dir := prefix + "/" + lib
		for _, triple := range l.names(dir, nil) {
			l.names(dir+"/"+triple, nil)
		}
	}
}

// headers notes the folders of C++ headers and the multiarch ones.
func (l *layout) headers(include string) {
	isChoice := func(name string) bool { return name == "c++" || strings.Contains(name, "-linux-") }
	for _, name := range l.names(include, isChoice) {
		if name == "c++" {
			l.names(include+"/c++", nil)
		} else {
			l.names(include+"/"+name+"/c++", nil)
		}
	}
}

// configOptions are the options that a clang configuration file may hold without
// making the call mean something else than its arguments say: they choose
// folders and what a link does.
func configOptions() []string {
	return []string{
		"--sysroot=", "-isysroot", "--gcc-toolchain=", "--gcc-triple=", "--gcc-install-dir=", "--target=",
		"--rtlib=", "-rtlib=", "--unwindlib=", "--stdlib=", "-stdlib=", "-fuse-ld=", "-L", "-Wl,", "-B", "-resource-dir=",
	}
}

// clangConfigs returns the configuration files that clang reads by itself, in the
// folders it named and beside it. It steps aside where one holds more than
// configOptions.
func clangConfigs(look *observer, desc *description, program, real string, around *surroundings) ([]Program, error) {
	if slices.Contains(around.args, "--no-default-config") {
		return nil, nil
	}
	dirs := slices.Concat(desc.ConfigDirs, []string{filepath.Dir(program), filepath.Dir(real)})
	var files []Program
	for _, dir := range dirs {
		for _, name := range configNames(desc, program, around) {
			path := filepath.Join(dir, name)
			if key, ok := look.stat(path); !ok || !key.isRegular() {
				continue
			}
			found, err := readConfig(look, name, path, 0)
			if err != nil {
				return nil, err
			}
			files = append(files, found...)
		}
	}
	return files, nil
}

// configNames are the names under which clang looks: by the mode, by the target
// and by both (clang manual, "Configuration files"); clang before 16 only by the
// program's own prefix. More are taken than a version reads.
func configNames(desc *description, program string, around *surroundings) []string {
	base := strings.TrimSuffix(filepath.Base(program), ".exe")
	modes := []string{"clang", "clang++", base, bareName(base)}
	triples := append([]string{desc.Target}, around.argValues("--target=", "--target", "-target")...)
	if i := strings.LastIndex(base, "-clang"); i > 0 {
		triples = append(triples, base[:i])
		modes = append(modes, bareName(base[i+1:]))
	}
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, mode := range modes {
		add(mode + ".cfg")
	}
	for _, triple := range triples {
		add(triple + ".cfg")
		for _, mode := range modes {
			add(triple + "-" + mode + ".cfg")
		}
	}
	return names
}

// readConfig checks one configuration file and those it includes ("@FILE").
func readConfig(look *observer, name, path string, depth int) ([]Program, error) {
	const maxDepth = 8
	text, err := os.ReadFile(path)
	if err != nil || depth > maxDepth {
		return nil, Unsupported("clang-config", path)
	}
	files := []Program{{Name: name, Path: path}}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
			continue
		}
		for word := range strings.FieldsSeq(line) {
			if included, ok := strings.CutPrefix(word, "@"); ok {
				if !filepath.IsAbs(included) {
					included = filepath.Join(filepath.Dir(path), included)
				}
				look.stat(included)
				more, err := readConfig(look, filepath.Base(included), included, depth+1)
				if err != nil {
					return nil, err
				}
				files = append(files, more...)
				continue
			}
			if !hasAnyPrefix(word, configOptions()) || strings.ContainsAny(word, `\"'`) {
				return nil, Unsupported("clang-config", path)
			}
		}
	}
	return files, nil
}
