package layout

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan/depfile"
)

// A spelling translates between the worker's names and the client's.
type spelling struct {
	workers []rule // the worker's name → the client's, the longest first
	clients []rule // the inverse
}

func (m *mirror) spelling() spelling {
	var s spelling
	for i := range m.mounts {
		s.workers = append(s.workers, rule{m.workerPrefix(i), m.mounts[i].spelled})
		s.clients = append(s.clients, rule{m.mounts[i].spelled, m.workerPrefix(i)})
	}
	longest := func(a, b rule) int { return len(b.old) - len(a.old) }
	slices.SortStableFunc(s.workers, longest)
	slices.SortStableFunc(s.clients, longest)
	return s
}

// ToClient returns what the worker's compiler wrote to stdout or stderr with the
// client's names of files.
func (l *Layout) ToClient(text []byte) []byte {
	if !strings.Contains(string(text), here) {
		return text
	}
	var pairs []string
	for _, r := range l.names.workers {
		pairs = append(pairs, r.old+"/", r.new+"/")
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}

// ClientPath returns the client's name for a file as the worker's compiler spells
// it; WorkerPath is the inverse, for inputs that the worker does not have by
// itself.
func (l *Layout) ClientPath(path string) string { return translate(l.names.workers, path) }

// WorkerPath returns the worker's name for a file as the client's compiler
// spells it.
func (l *Layout) WorkerPath(path string) string {
	if !strings.HasPrefix(path, "/") || l.isHost(path) {
		return path
	}
	return translate(l.names.clients, path)
}

func (l *Layout) isHost(path string) bool {
	for i := range l.Host {
		if l.Host[i].Path == path {
			return true
		}
	}
	return false
}

func translate(rules []rule, path string) string {
	for _, r := range rules {
		if within(path, r.old) {
			return r.new + path[len(r.old):]
		}
	}
	return path
}

// ClientDep returns the worker's dep-file as the client's compiler would have
// written it for targets. It reports false where text is not the dep-file of
// this compile.
func (l *Layout) ClientDep(family string, text []byte, targets []string) ([]byte, bool) {
	return depfile.Rewrite(family, text, l.DepTargets, targets, l.ClientPath)
}

// WorkerDep is the inverse of ClientDep.
func (l *Layout) WorkerDep(family string, text []byte, targets []string) ([]byte, bool) {
	return depfile.Rewrite(family, text, targets, l.DepTargets, l.WorkerPath)
}
