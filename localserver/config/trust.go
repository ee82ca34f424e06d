package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// ProjectFile is the name of project files.
const ProjectFile = ".rexwrap.toml"

// trusted are the project files that the user has trusted, with the content
// they had then.
//
//	trusted = { digest " " path "\n" } ; (* digest of the content, HASH/SIZE *)
//
// A path stands there once. Lines that do not parse are dropped when the file
// is written the next time.
type trusted map[string]digest.Digest

func parseTrusted(text []byte) trusted {
	t := trusted{}
	for line := range bytes.Lines(text) {
		d, path, ok := strings.Cut(strings.TrimSuffix(string(line), "\n"), " ")
		if parsed, err := digest.Parse(d); ok && err == nil {
			t[path] = parsed
		}
	}
	return t
}

func (t trusted) covers(path string, content digest.Digest) bool {
	d, ok := t[path]
	return ok && d == content
}

// Trust records that the user trusts the project file of dir, or dir itself if
// that is a project file, with the content it has now. It returns the file's
// path. A file that does not parse or that others can write is refused.
func Trust(env toolchains.Environ, dir string) (string, error) {
	path, err := projectFileAt(dir)
	if err != nil {
		return "", err
	}
	key, err := statFile(path)
	if err != nil {
		return "", err
	}
	if !key.exists {
		return "", fmt.Errorf("trust %s: %w", path, fs.ErrNotExist)
	}
	if why := key.unsafeReason(); why != "" {
		return "", fmt.Errorf("trust %s: the file %s", path, why)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if p := newTable().parse(path, FromProject, text); len(p.problems) > 0 {
		return "", p.problems
	}
	if strings.Contains(path, "\n") {
		return "", fmt.Errorf("trust %q: a name with a newline cannot be recorded", path)
	}
	return path, record(folders{env}.trustFile(), path, digest.Of(text))
}

// projectFileAt returns the real path of dir's project file, so that a trusted
// file stays trusted by whichever links the working directory is reached.
func projectFileAt(dir string) (string, error) {
	if filepath.Base(dir) != ProjectFile {
		dir = filepath.Join(dir, ProjectFile)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, ProjectFile), nil
}

func record(file, path string, content digest.Digest) error {
	if file == "" {
		return errors.New("no folder to remember trust in, as HOME is not set")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var out bytes.Buffer
	for line := range bytes.Lines(old) {
		line = append(bytes.TrimSuffix(line, []byte("\n")), '\n')
		if t := parseTrusted(line); len(t) == 1 && t[path].IsZero() {
			out.Write(line)
		}
	}
	fmt.Fprintf(&out, "%s %s\n", content, path)
	return replace(file, out.Bytes())
}

// replace writes data under a temporary name beside file and renames it.
func replace(file string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(data)
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
	}
	return err
}
