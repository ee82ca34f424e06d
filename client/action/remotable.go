package action

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
)

// ErrNotRemotable is wrapped by the errors of Spec.Remotable.
var ErrNotRemotable = errors.New("servers do not agree about the action")

// Remotable returns why s must not be sent to workers, or nil: where servers do
// different things with the same Command.
func (s *Spec) Remotable() error {
	if s.Timeout <= 0 {
		return fmt.Errorf("%w: without a timeout it has 0 s (mettle), 1800 s (Buildbarn) or forever", ErrNotRemotable)
	}
	if s.WorkingDir != "" && !inRoot(s.WorkingDir) {
		return fmt.Errorf("%w: working directory %q", ErrNotRemotable, s.WorkingDir)
	}
	for _, p := range s.OutputPaths() {
		if path.IsAbs(p) || path.Clean(p) != p || !inRoot(path.Join(s.WorkingDir, p)) {
			return fmt.Errorf("%w: output %q; just then returns nothing", ErrNotRemotable, p)
		}
	}
	for _, kv := range s.Env {
		if name, value, _ := strings.Cut(kv, "="); rewritten(name, value) {
			return fmt.Errorf("%w: variable %s, which mettle rewrites", ErrNotRemotable, name)
		}
	}
	return nil
}

// inRoot reports whether a relative path names something below the input root.
func inRoot(p string) bool {
	p = path.Clean(p)
	return p != "." && p != ".." && !path.IsAbs(p) && !strings.HasPrefix(p, "../")
}

func rewritten(name, value string) bool {
	return strings.HasPrefix(name, "TOOL") || name == "TEST" || (name == "PATH" && strings.Contains(value, "~"))
}

// Folders are the directories that the InputRoot must have beside those of its
// files: casd makes no working directory, and no parents of outputs elsewhere.
func (s *Spec) Folders() []merkle.Entry {
	var out []merkle.Entry
	add := func(dir string) {
		if inRoot(dir) {
			out = append(out, merkle.Entry{Path: path.Clean(dir), Dir: true})
		}
	}
	add(s.WorkingDir)
	for _, p := range s.OutputPaths() {
		add(path.Dir(path.Join(s.WorkingDir, p)))
	}
	return out
}
