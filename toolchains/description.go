package toolchains

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// descriptionFormat is raised when a description's fields or the way to find them
// change; older ones are then asked for again.
const descriptionFormat = "toolchains/description/1"

// A description is what a driver says of itself in given surroundings. It is kept
// in a Memory as JSON.
type description struct {
	Family, Version, Target string
	// Prefixes is prepended to a program's name where the driver looks for
	// it, in order; a prefix need not end in a separator (gcc's -B).
	Prefixes []string
	// SpecPrefixes is the same for gcc's specs file.
	SpecPrefixes []string
	// Assembler is the path that gcc was configured with, empty for none.
	Assembler string
	// ResourceDir is clang's.
	ResourceDir string
	// ConfigDirs are where clang looks for configuration files.
	ConfigDirs []string
	// Folders says which of the folders named here existed: drivers leave
	// out some that do not.
	Folders map[string]bool
}

// errOtherWrapper says that what was asked passed the question on.
var errOtherWrapper = errors.New("another program answered")

// errNotDriver says that the answer is no gcc's or clang's.
var errNotDriver = errors.New("not a driver")

// A driver is a program to be asked about itself.
type driver struct {
	program, real string
	content       digest.Digest
	around        *surroundings
	run           Runner
}

// memoryKey names everything that the description depends on but for the
// existence of Folders.
func (d *driver) memoryKey(layout []string) digest.Digest {
	b := digest.NewBuilder(descriptionFormat)
	b.String(d.program)
	b.String(d.real)
	b.Digest(d.content)
	d.around.addTo(b)
	b.Strings(layout)
	return b.Sum()
}

// recall decodes a remembered description; anything odd is forgotten.
func recall(value []byte) (*description, bool) {
	desc := new(description)
	if err := json.Unmarshal(value, desc); err != nil || desc.Family == "" {
		return nil, false
	}
	for dir, existed := range desc.Folders {
		if isFolder(dir) != existed {
			return nil, false
		}
	}
	return desc, true
}

func (desc *description) encode() []byte {
	value, err := json.Marshal(desc)
	if err != nil {
		return nil // strings, a map of them: cannot fail
	}
	return value
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// describe asks the driver. The first question is the same for every family: -###
// prints what would be run for an empty C file and runs nothing.
func (d *driver) describe(ctx context.Context) (*description, error) {
	answer, err := d.ask(ctx, "-v", "-###", "-x", "c", "-c", os.DevNull)
	if err != nil {
		return nil, err
	}
	desc := &description{}
	lines := strings.Split(string(answer.Stderr), "\n")
	for _, line := range lines {
		desc.readLine(line)
	}
	switch desc.Family {
	case "gcc":
		err = d.describeGCC(ctx, desc, lines)
	case "clang":
		err = d.describeClang(ctx, desc, lines)
	default:
		err = errNotDriver
	}
	if err != nil {
		return nil, err
	}
	desc.noteFolders(d.around)
	return desc, nil
}

func (d *driver) ask(ctx context.Context, args ...string) (*CommandResult, error) {
	argv := slices.Concat([]string{d.program}, d.around.args, args)
	result, err := d.run(ctx, Command{Argv: argv, Dir: d.around.dir, Env: d.around.environ()})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProbe, err)
	}
	return result, nil
}

// readLine takes what one line of `-v` says, in either family's words.
func (desc *description) readLine(line string) {
	if target, ok := strings.CutPrefix(line, "Target: "); ok {
		desc.Target = strings.TrimSpace(target)
	}
	for _, family := range []string{"gcc", "clang"} {
		before, after, ok := strings.Cut(line, family+" version ")
		if !ok || desc.Family != "" || before != "" && !strings.HasSuffix(before, " ") || strings.HasPrefix(line, " ") {
			continue
		}
		desc.Family = family
		desc.Version, _, _ = strings.Cut(after, " ")
	}
	if dir, ok := strings.CutPrefix(line, "System configuration file directory: "); ok {
		desc.ConfigDirs = append(desc.ConfigDirs, dir)
	}
	if dir, ok := strings.CutPrefix(line, "User configuration file directory: "); ok {
		desc.ConfigDirs = append(desc.ConfigDirs, dir)
	}
}

func (d *driver) describeGCC(ctx context.Context, desc *description, lines []string) error {
	if !slices.Contains(lines, "COLLECT_GCC="+d.program) {
		return errOtherWrapper
	}
	dirs, err := d.ask(ctx, "-print-search-dirs")
	if err != nil {
		return err
	}
	desc.Prefixes = searchList(dirs.Stdout, "programs: ")
	desc.SpecPrefixes = searchList(dirs.Stdout, "libraries: ")
	if len(desc.Prefixes) == 0 {
		return errNotDriver
	}
	as, err := d.ask(ctx, "-print-prog-name=as")
	if err != nil {
		return err
	}
	path := strings.TrimSpace(string(as.Stdout))
	fromPrefix := slices.ContainsFunc(desc.Prefixes, func(prefix string) bool { return path == prefix+"as" })
	if filepath.IsAbs(path) && !fromPrefix {
		desc.Assembler = path
	}
	return nil
}

func (d *driver) describeClang(ctx context.Context, desc *description, lines []string) error {
	cc1 := slices.IndexFunc(lines, func(line string) bool { return strings.Contains(line, `"-cc1"`) })
	if cc1 < 0 {
		return errNotDriver
	}
	words := commandWords(lines[cc1])
	if len(words) == 0 || !sameFile(words[0], d.real) {
		return errOtherWrapper
	}
	if i := slices.Index(words, "-resource-dir"); i >= 0 && i+1 < len(words) {
		desc.ResourceDir = words[i+1]
	}
	dirs, err := d.ask(ctx, "-print-search-dirs")
	if err != nil {
		return err
	}
	for _, dir := range searchList(dirs.Stdout, "programs: ") {
		desc.Prefixes = append(desc.Prefixes, strings.TrimSuffix(dir, "/")+"/")
	}
	return nil
}

// searchList takes one line of -print-search-dirs: "programs: =DIR:DIR".
func searchList(text []byte, title string) []string {
	for line := range bytes.Lines(text) {
		if list, ok := strings.CutPrefix(strings.TrimRight(string(line), "\r\n"), title+"="); ok {
			return slices.DeleteFunc(strings.Split(list, string(filepath.ListSeparator)),
				func(dir string) bool { return dir == "" })
		}
	}
	return nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// noteFolders remembers which folders of the answer exist.
func (desc *description) noteFolders(around *surroundings) {
	desc.Folders = map[string]bool{}
	for _, dir := range slices.Concat(desc.Prefixes, desc.SpecPrefixes, around.folders()) {
		dir = around.abs(dir)
		desc.Folders[dir] = isFolder(dir)
	}
}
