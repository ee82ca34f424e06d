package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// errOutput is wrapped by errors about output that is not a compiler's.
var errOutput = errors.New("unexpected output")

// readFacts takes the output of `-E -v -dD` over an empty file. -dD says what -dM
// says and besides, by line markers, in which files.
func readFacts(result *toolchains.CommandResult) (*toolchains.Facts, error) {
	facts := &toolchains.Facts{}
	if err := readSearch(facts, string(result.Stderr)); err != nil {
		return nil, err
	}
	facts.ReadFiles = systemLists(string(result.Stderr))
	readMacros(facts, string(result.Stdout))
	if len(facts.Predefined) == 0 && !strings.Contains(string(result.Stdout), "# ") {
		return nil, fmt.Errorf("%w: neither macros nor line markers", errOutput)
	}
	return facts, nil
}

// readSearch reads what -v prints of the search:
//
//	{ 'ignoring nonexistent directory "' DIR '"' | 'ignoring duplicate directory "' DIR '"' | other }
//	'#include "..." search starts here:' { " " DIR }
//	'#include <...> search starts here:' { " " DIR [ " (framework directory)" ] }
//	"End of search list."
func readSearch(facts *toolchains.Facts, text string) error {
	var list *[]string
	ended := false
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		absent, isAbsent := strings.CutPrefix(line, `ignoring nonexistent directory "`)
		switch {
		case isAbsent:
			// An empty name, which gcc makes of GCC_EXEC_PREFIX, never exists.
			if dir := strings.TrimSuffix(absent, `"`); dir != "" {
				facts.AbsentDirs = append(facts.AbsentDirs, dir)
			}
		case strings.HasPrefix(line, `#include "..." search starts here:`):
			list = &facts.QuoteDirs
		case strings.HasPrefix(line, "#include <...> search starts here:"):
			list = &facts.AngleDirs
		case strings.HasPrefix(line, "End of search list."):
			list, ended = nil, true
		case list != nil && strings.HasPrefix(line, " "):
			if dir, ok := strings.CutSuffix(line[1:], " (framework directory)"); ok {
				facts.FrameworkDirs = append(facts.FrameworkDirs, dir)
			} else {
				*list = append(*list, line[1:])
			}
		}
	}
	if !ended {
		return fmt.Errorf("%w: no search list", errOutput)
	}
	return nil
}

// systemLists picks the files that clang's driver adds to the command line of -cc1
// because of other flags: the ignorelists of sanitizers. -M lists them.
func systemLists(text string) []string {
	var files []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, " ") || !strings.Contains(line, " -cc1 ") {
			continue
		}
		for _, option := range []string{"-fsanitize-system-ignorelist=", "-fsanitize-system-blacklist="} {
			for _, rest := range strings.Split(line, option)[1:] {
				file, _, _ := strings.Cut(rest, " ")
				files = append(files, strings.TrimRight(file, "\"\r\n"))
			}
		}
	}
	return files
}

// readMacros reads what -dD prints: definitions in their order, #undef, and line
// markers.
func readMacros(facts *toolchains.Facts, text string) {
	var order []string
	defined := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, "#define "):
			name := macroName(line[len("#define "):])
			if _, again := defined[name]; !again {
				order = append(order, name)
			}
			defined[name] = line
		case strings.HasPrefix(line, "#undef "):
			delete(defined, strings.TrimSpace(line[len("#undef "):]))
		case strings.HasPrefix(line, "# "):
			if file, ok := enteredFile(line); ok && !slices.Contains(facts.Implicit, file) {
				facts.Implicit = append(facts.Implicit, file)
			}
		}
	}
	for _, name := range order {
		if line, ok := defined[name]; ok {
			facts.Predefined = append(append(facts.Predefined, line...), '\n')
			delete(defined, name) // undefined and defined again: once
		}
	}
}

func macroName(definition string) string {
	if i := strings.IndexAny(definition, " ("); i >= 0 {
		return definition[:i]
	}
	return definition
}

// enteredFile reads a line marker that says that a file begins:
// `# 1 "/usr/include/stdc-predef.h" 1 3 4`.
func enteredFile(line string) (string, bool) {
	quoted, err := strconv.QuotedPrefix(strings.TrimLeft(line, "# 0123456789"))
	if err != nil {
		return "", false
	}
	file, err := strconv.Unquote(quoted)
	if err != nil || strings.HasPrefix(file, "<") {
		return "", false
	}
	_, flags, _ := strings.Cut(line, quoted)
	return file, slices.Contains(strings.Fields(flags), "1")
}

// A record is what is remembered of a class, as JSON.
type record struct {
	Facts *toolchains.Facts
	// Groups says which of the search directories are one: the index of the
	// first with the same device and inode, -1 for one that does not exist.
	Groups []int
	// Read are the digests of Facts.Implicit and Facts.ReadFiles.
	Read []digest.Digest
}

// recordFormat is raised when record's fields or the way to find them change.
const recordFormat = "toolchains/probe/facts/1"

func decodeRecord(value []byte) (*record, bool) {
	r := new(record)
	if err := json.Unmarshal(value, r); err != nil || r.Facts == nil || r.isEmpty() || len(r.Read) != len(readFiles(r.Facts)) {
		return nil, false
	}
	return r, true
}

// isEmpty is true of no class: even -undef and -nostdinc leave some macros.
func (r *record) isEmpty() bool { return len(r.Facts.AngleDirs) == 0 && len(r.Facts.Predefined) == 0 }

func (r *record) encode() []byte {
	value, err := json.Marshal(r)
	if err != nil {
		return nil // lists of strings and numbers: cannot fail
	}
	return value
}

func newRecord(facts *toolchains.Facts, dir string, files toolchains.Files) (*record, error) {
	r := &record{Facts: facts, Groups: groups(facts, dir)}
	for _, path := range readFiles(facts) {
		d, err := files.Digest(absolute(dir, path))
		if err != nil {
			return nil, fmt.Errorf("digest %s: %w", path, err)
		}
		r.Read = append(r.Read, d)
	}
	return r, nil
}

// holds reports whether the file system still is as it was.
func (r *record) holds(dir string, files toolchains.Files) bool {
	if !slices.Equal(r.Groups, groups(r.Facts, dir)) {
		return false
	}
	for i, path := range readFiles(r.Facts) {
		if d, err := files.Digest(absolute(dir, path)); err != nil || d != r.Read[i] {
			return false
		}
	}
	return true
}

func readFiles(facts *toolchains.Facts) []string {
	return slices.Concat(facts.Implicit, facts.ReadFiles)
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) || dir == "" {
		return path
	}
	return dir + string(filepath.Separator) + path
}

func groups(facts *toolchains.Facts, dir string) []int {
	paths := slices.Concat(facts.QuoteDirs, facts.AngleDirs, facts.FrameworkDirs, facts.AbsentDirs)
	groups := make([]int, len(paths))
	infos := make([]os.FileInfo, len(paths))
	for i, path := range paths {
		groups[i] = -1
		info, err := os.Stat(absolute(dir, path))
		if err != nil || !info.IsDir() {
			continue
		}
		infos[i] = info
		groups[i] = slices.IndexFunc(infos, func(other os.FileInfo) bool { return other != nil && os.SameFile(other, info) })
	}
	return groups
}
