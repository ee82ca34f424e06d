package parity

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// Output is the file to which the line of Arguments reports, in the working
// directory. It has to be among the Action's outputs.
const Output = ".rexwrap-parity"

// Local is the content of Output in the results of local compiles: who compiled
// had the files by definition.
const Local = "local\n"

// ErrUnspellable is returned for files that the line of shell cannot name: too
// many of them, or with other characters than those of ordinary paths.
var ErrUnspellable = errors.New("files cannot be named in a line of shell")

// A File is one that the worker must have.
type File struct {
	Path   string // absolute
	Digest digest.Digest
}

// A Host is what one compile needs of a worker. It is immutable.
type Host struct {
	files  []File   // sorted by path
	absent []string // sorted
	dirs   []string // those that hold absent, sorted
	script string
}

// NewHost returns what a compile needs: files, and names that must be absent, of
// which one with a slash at its end stands for a directory. All are absolute and
// in any order.
func NewHost(files []File, absent []string) (*Host, error) {
	h := &Host{files: slices.Clone(files)}
	slices.SortFunc(h.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	for i, f := range h.files {
		if i > 0 && f.Path == h.files[i-1].Path && f.Digest != h.files[i-1].Digest {
			return nil, fmt.Errorf("%s with two contents", f.Path)
		}
	}
	h.files = slices.Compact(h.files)
	for _, name := range absent {
		name = strings.TrimSuffix(name, "/")
		h.absent = append(h.absent, name)
		h.dirs = append(h.dirs, folderOf(name))
	}
	h.absent, h.dirs = sorted(h.absent), sorted(h.dirs)
	for _, name := range h.names() {
		if !spellable(name) {
			return nil, fmt.Errorf("%w: %q", ErrUnspellable, name)
		}
	}
	h.script = h.line()
	if len(h.script) > maxScript {
		return nil, fmt.Errorf("%w: %d files", ErrUnspellable, len(h.files))
	}
	return h, nil
}

func sorted(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// names are all names that a shell has to spell.
func (h *Host) names() []string {
	names := slices.Concat(h.absent, h.dirs)
	for _, f := range h.files {
		names = append(names, f.Path)
	}
	return names
}

// spellable holds for absolute paths that mean themselves in a shell, unquoted.
func spellable(name string) bool {
	if !path.IsAbs(name) {
		return false
	}
	for i := range len(name) {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("/._+-@%,:=#", c) < 0 {
			return false
		}
	}
	return true
}

// maxScript is below what Linux takes as one argument (MAX_ARG_STRLEN, 128 KiB).
const maxScript = 120 << 10

// Arguments returns the command line that reports and then becomes argv, whose
// first word is the compiler's path. It is a function of Host and argv alone.
func (h *Host) Arguments(argv []string) []string {
	return append([]string{shell, "-c", h.script}, argv...)
}

const (
	shell = "/bin/sh"
	// stamp prints what tells a changed file: its size and mtime. The
	// compile's own PATH and time zone are left out of it.
	stamp = "TZ=UTC0 PATH=/usr/bin:/bin stat -L -c '%s %y'"
)

// line is the line of shell. $0 and $@ are the compiler and its arguments. What
// it reports:
//
//	report = "=" { "+" | "-" } LF { stamp LF } ;
//	stamp  = size " " mtime ;           (* opaque *)
//
// with a sign for each of dirs, by whether it is there, a stamp of each file
// and one of each of dirs that is there. A shell needs no process for the signs.
func (h *Host) line() string {
	var b strings.Builder
	folders := h.folders(&b)
	b.WriteString("p=;l=")
	for _, dir := range h.dirs {
		spelled := folders.spell(dir)
		b.WriteString(";if [ -d " + spelled + " ];then p=$p+;l=\"$l " + spelled + "\";else p=$p-;fi")
	}
	b.WriteString(";{ echo =$p;" + stamp + " --")
	for _, f := range h.files {
		b.WriteString(" " + folders.spell(f.Path))
	}
	b.WriteString(" $l;}>" + Output + " 2>/dev/null;exec \"$0\" \"$@\"")
	return b.String()
}

// folders are the shell variables of directories that occur again and again.
type folders map[string]string

// folders assigns a variable to each directory of at least two files.
func (h *Host) folders(b *strings.Builder) folders {
	count := map[string]int{}
	out := folders{}
	for _, f := range h.files {
		dir := folderOf(f.Path)
		if count[dir]++; count[dir] == 2 && dir != "/" {
			name := "d" + strconv.Itoa(len(out))
			out[dir] = "$" + name
			b.WriteString(name + "=" + dir + ";")
		}
	}
	return out
}

func (f folders) spell(name string) string {
	if v, ok := f[name]; ok {
		return v
	}
	if v, ok := f[folderOf(name)]; ok {
		return v + "/" + path.Base(name)
	}
	return name
}

// folderOf is path.Dir, which costs more, of an absolute path.
func folderOf(name string) string {
	if i := strings.LastIndexByte(name, '/'); i > 0 && !strings.Contains(name, "/.") && !strings.Contains(name, "//") {
		return name[:i]
	}
	return path.Dir(name)
}

// A report is what a worker said of itself.
type report struct {
	there  []bool   // by dirs
	stamps []string // of files, then of those dirs that are there
}

// parse reads a report on h. Where files are missing there are too few stamps.
func (h *Host) parse(content []byte) (*report, error) {
	first, rest, ok := strings.Cut(string(content), "\n")
	signs, marked := strings.CutPrefix(first, "=")
	if !ok || !marked || len(signs) != len(h.dirs) {
		return nil, ErrNoShell
	}
	r := &report{}
	want := len(h.files)
	for _, sign := range []byte(signs) {
		if sign != '+' && sign != '-' {
			return nil, ErrNoShell
		}
		r.there = append(r.there, sign == '+')
		if sign == '+' {
			want++
		}
	}
	for line := range strings.Lines(rest) {
		r.stamps = append(r.stamps, strings.TrimSuffix(line, "\n"))
	}
	if len(r.stamps) != want {
		return nil, &DifferentError{Missing: true}
	}
	return r, nil
}
