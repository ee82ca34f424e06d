package layout

import (
	"path"
	"strings"

	"github.com/rexwrap/rexwrap/client/merkle"
)

// maxLinks is how many links Linux follows in one path.
const maxLinks = 40

// A walk follows a path on the client component by component, as a worker would
// follow its own name for it in the InputRoot, and notes the symbolic links that
// the worker needs on the way.
type walk struct {
	m     *mirror
	mount int    // in which the walk is
	at    string // on the client, without symbolic links
	rest  []string
	links int
	found []merkle.Entry
}

// walk returns where path, as spelled by the call, leads on the client, with the
// symbolic links of the InputRoot on the way there. It fails where the worker's
// way leads elsewhere.
func (m *mirror) walk(p string) (real string, links []merkle.Entry, err error) {
	w := &walk{m: m, at: m.dir, rest: strings.Split(p, "/")}
	w.mount = m.mountOf(m.dir, realName)
	if path.IsAbs(p) {
		w.mount = m.mountOf(p, spelledName)
		w.at = m.mounts[w.mount].real
		w.rest = strings.Split(p[len(m.mounts[w.mount].spelled):], "/")
	}
	for len(w.rest) > 0 {
		part := w.rest[0]
		w.rest = w.rest[1:]
		if !w.step(part) {
			return "", nil, unprovenBy(p)
		}
	}
	return cmpOr(w.at, "/"), w.found, nil
}

// step goes to part of the directory where the walk is.
func (w *walk) step(part string) bool {
	switch part {
	case "", ".":
		return true
	case "..":
		if w.at == w.m.mounts[w.mount].real {
			return false // out of the mount
		}
		w.at = strings.TrimSuffix(path.Dir(w.at), "/")
		return true
	}
	next := strings.TrimSuffix(w.at, "/") + "/" + part
	target, isLink := w.m.links[next]
	if isLink {
		w.links++
		return w.links <= maxLinks && w.follow(next, target)
	}
	w.at = next
	w.enter()
	return true
}

// enter goes over into the mount that begins where the walk is: the worker has a
// link there.
func (w *walk) enter() {
	for i := range w.m.mounts {
		if i != w.mount && w.m.mounts[i].real == w.at && w.at != "" {
			w.link(w.m.at(w.mount, w.at), w.m.at(i, w.at))
			w.mount = i
		}
	}
}

// follow goes on at the target of the link at next. Targets in the same mount
// that the worker's link reaches as they stand are kept.
func (w *walk) follow(next, target string) bool {
	full := target
	if !path.IsAbs(target) {
		full = path.Join(w.at, target)
	}
	to := w.m.mountOf(path.Clean(full), realName)
	if !path.IsAbs(target) && to == w.mount {
		w.found = append(w.found, merkle.Entry{Path: w.m.at(w.mount, next), Target: target})
		w.rest = append(strings.Split(target, "/"), w.rest...)
		return true
	}
	full = path.Clean(full)
	w.link(w.m.at(w.mount, next), w.m.at(to, full))
	w.mount, w.at = to, w.m.mounts[to].real
	w.rest = append(strings.Split(full[len(w.at):], "/"), w.rest...)
	return true
}

// link notes a symbolic link between two places of the InputRoot.
func (w *walk) link(from, to string) {
	target := strings.TrimSuffix(strings.Repeat("../", depth(from)-1)+to, "/")
	w.found = append(w.found, merkle.Entry{Path: from, Target: cmpOr(target, ".")})
}
