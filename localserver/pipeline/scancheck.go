package pipeline

import (
	"slices"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/toolchains"
)

// maxQuarantined bounds the compiles whose scans are not trusted. A scanner
// that is wrong more often than this has other troubles.
const maxQuarantined = 4096

// quarantine holds the compiles, by manifest key, for which the scanner and the
// compiler disagreed. As the key covers flags and source, a compile leaves it
// when either changes. The zero quarantine is empty. It is safe for concurrent
// use.
type quarantine struct {
	mu   sync.Mutex
	keys map[digest.Digest]struct{}
}

func (q *quarantine) add(key digest.Digest) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.keys == nil {
		q.keys = make(map[digest.Digest]struct{})
	}
	if len(q.keys) < maxQuarantined {
		q.keys[key] = struct{}{}
	}
}

func (q *quarantine) holds(key digest.Digest) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, ok := q.keys[key]
	return ok
}

// checkScan compares what the scanner found with the dep-file that the compile
// itself wrote, where it wrote one. A difference puts the compile in quarantine
// and is the reason why its result is not stored.
func (r *request) checkScan(x *run) error {
	if x.plan != nil || r.compile.Dep == nil {
		return nil
	}
	i := slices.IndexFunc(x.files, func(c captured) bool { return c.role == toolchains.RoleDep })
	if i < 0 || x.files[i].data == nil {
		return nil
	}
	f, _, ok := depfile.Match(r.compile.Toolchain.Family, x.files[i].data, r.compile.Dep.Targets)
	if !ok {
		return nil
	}
	scanned, written := listed(x.inputs, r.compile.Dep.System), once(f.Prereqs)
	if slices.Equal(scanned, written) {
		return nil
	}
	name := firstDifference(scanned, written)
	r.p.quarantine.add(r.manifest)
	r.p.log.Error().Strs("argv", r.call.Argv).Str("dir", r.call.Dir).Str("file", name).
		Int("scanned", len(scanned)).Int("listed", len(written)).Msg("scanner and compiler differ")
	return toolchains.Unsupported("scan-difference", name)
}

// listed returns the files that a dep-file of the compile lists.
func listed(in *depscan.Inputs, system bool) []string {
	var out []string
	for _, f := range in.Files {
		if system || !f.System {
			out = append(out, f.Path)
		}
	}
	return out
}

// once drops repeated names: gcc lists a file again that it reached by another
// directory of the same spelling.
func once(names []string) []string {
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

// firstDifference returns the first name in which two unequal lists differ.
func firstDifference(a, b []string) string {
	if len(a) < len(b) {
		a, b = b, a
	}
	for i := range b {
		if a[i] != b[i] {
			return a[i]
		}
	}
	return a[len(b)]
}
