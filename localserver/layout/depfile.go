package layout

import (
	"slices"

	"github.com/rexwrap/rexwrap/depscan/depfile"
)

// ToClient returns what the worker's compiler wrote to stdout or stderr with the
// client's names of files.
func (l *Layout) ToClient(text []byte) []byte { return l.names.ToClient(text) }

// ClientDep returns the worker's dep-file as the client's compiler would have
// written it for targets. It reports false where text is not the dep-file of
// this compile: it does not name the inputs that were laid out, and so the
// result is not one of them.
func (l *Layout) ClientDep(family string, text []byte, targets []string) ([]byte, bool) {
	f, style, ok := depfile.Match(family, text, l.DepTargets)
	if !ok {
		return nil, false
	}
	f = f.Retarget(targets, l.names.ClientPath)
	if !slices.Equal(withoutRepeats(f.Prereqs), l.prerequisites()) {
		return nil, false
	}
	return style.Append(nil, f), true
}

// WorkerDep returns the dep-file that the client's compiler wrote for targets as
// the worker's would have written it.
func (l *Layout) WorkerDep(family string, text []byte, targets []string) ([]byte, bool) {
	host := make(map[string]bool, len(l.Host))
	for i := range l.Host {
		host[l.Host[i].Path] = true
	}
	return depfile.Rewrite(family, text, targets, l.DepTargets, func(path string) string {
		if host[path] {
			return path
		}
		return l.names.WorkerPath(path)
	})
}

// withoutRepeats returns names without those that were there before: gcc names a
// header twice that it found by two spellings of its folder.
func withoutRepeats(names []string) []string {
	seen := make(map[string]bool, len(names))
	out := make([]string, 0, len(names))
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

// prerequisites are the names of the dep-file.
func (l *Layout) prerequisites() []string {
	var names []string
	for i := range l.files {
		if f := &l.files[i]; l.dep == nil || l.dep.System || !f.System {
			names = append(names, f.Path)
		}
	}
	return names
}
