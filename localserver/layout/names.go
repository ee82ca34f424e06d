package layout

import (
	"bytes"
	"slices"
	"strings"
)

// A Name is a folder as the worker calls it and as the client does.
type Name struct{ Worker, Client string }

// Names translate between what a worker's compiler writes and what the client's
// would have written. They can be kept with a result: whoever has it later, and
// puts the own folders in place of Client, need not lay the compile out. The
// longest worker's name comes first.
type Names []Name

// Names are those of l.
func (l *Layout) Names() Names { return slices.Clone(l.names) }

// names returns the names of all mounts.
func (m *mirror) names() Names {
	var n Names
	for i := range m.mounts {
		n = append(n, Name{m.mounts[i].worker, m.mounts[i].spelled})
	}
	slices.SortStableFunc(n, func(a, b Name) int { return len(b.Worker) - len(a.Worker) })
	return n
}

// ToClient returns what the worker's compiler wrote to stdout or stderr with the
// client's names of files.
func (n Names) ToClient(text []byte) []byte {
	known := func(n Name) bool { return bytes.Contains(text, []byte(n.Worker+"/")) }
	if !slices.ContainsFunc(n, known) {
		return text
	}
	pairs := make([]string, 0, 2*len(n))
	for i := range n {
		pairs = append(pairs, n[i].Worker+"/", n[i].Client+"/")
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(text)))
}

// ClientPath returns the client's name for a file as the worker's compiler spells
// it.
func (n Names) ClientPath(path string) string {
	for i := range n {
		if within(path, n[i].Worker) {
			return n[i].Client + path[len(n[i].Worker):]
		}
	}
	return path
}

// WorkerPath returns the worker's name for an input as the client's compiler
// spells it. It is not for files that the worker has by itself.
func (n Names) WorkerPath(path string) string {
	best := -1
	for i := range n {
		if strings.HasPrefix(path, "/") && within(path, n[i].Client) && (best < 0 || len(n[i].Client) > len(n[best].Client)) {
			best = i
		}
	}
	if best < 0 {
		return path
	}
	return n[best].Worker + path[len(n[best].Client):]
}

// ClientFile returns which file of the client stands at a path of the InputRoot,
// empty where none can. The toolchain is not the client's file system.
func (l *Layout) ClientFile(path string) string {
	if l.mirror == nil {
		return ""
	}
	return l.mirror.client(path)
}
