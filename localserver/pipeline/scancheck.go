package pipeline

import (
	"iter"
	"slices"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
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

// checkScan compares what the scanner found with what the compile itself told: by
// its dep-file, or by the notes of /showIncludes. A difference puts the compile in
// quarantine and is the reason why its result is not stored.
func (r *request) checkScan(x *run) error {
	scanned, written, told := r.told(x)
	if !told || slices.Equal(scanned, written) {
		return nil
	}
	name := firstDifference(scanned, written)
	r.p.quarantine.add(r.manifest)
	r.p.log.Error().Strs("argv", r.call.Argv).Str("dir", r.call.Dir).Str("file", name).
		Int("scanned", len(scanned)).Int("listed", len(written)).Msg("scanner and compiler differ")
	return toolchains.Unsupported("scan-difference", name)
}

// told returns the files of a scan as the compile tells of them, and those that it
// told of. It reports false where it told nothing.
func (r *request) told(x *run) (scanned, written []string, ok bool) {
	switch {
	case x.plan != nil || x.inputs == nil:
		return nil, nil, false
	case r.compile.Microsoft != nil:
		return r.noted(x)
	case r.compile.Dep == nil:
		return nil, nil, false
	}
	i := slices.IndexFunc(x.files, func(c captured) bool { return c.role == toolchains.RoleDep })
	if i < 0 || x.files[i].data == nil {
		return nil, nil, false
	}
	f, _, ok := depfile.Match(r.compile.Toolchain.Family, x.files[i].data, r.compile.Dep.Targets)
	if !ok {
		return nil, nil, false
	}
	return listed(x.inputs, r.compile.Dep.System), once(f.Prereqs), true
}

// includedNote is how clang-cl begins each note of /showIncludes. It notes a file each
// time that it reads it, with :user where that is not for the system.
const includedNote = "Note: including file:"

// noted is told for clang-cl. Both lists are sorted and without the source.
func (r *request) noted(x *run) (scanned, written []string, ok bool) {
	if !r.compile.Microsoft.Includes || x.ran.Truncated {
		return nil, nil, false
	}
	source := x.inputs.Files[0].Path
	for name := range notes(stdoutOf(x.ran)) {
		if name != source {
			written = append(written, name)
		}
	}
	slices.Sort(written)
	written = slices.Compact(written)
	for _, f := range x.inputs.Files[1:] {
		_, named := slices.BinarySearch(written, f.Path)
		if named || !f.Unread && !r.compile.Microsoft.UserIncludes {
			scanned = append(scanned, f.Path)
		}
	}
	slices.Sort(scanned)
	return scanned, written, true
}

// stdoutOf is what a compiler wrote there.
func stdoutOf(ran *wire.Ran) []byte {
	var text []byte
	for _, c := range ran.Chunks {
		if c.Fd == 1 {
			text = append(text, c.Data...)
		}
	}
	return text
}

// notes yields the names of /showIncludes, as dep-files spell them.
func notes(text []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(string(text)) {
			name, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), includedNote)
			name = strings.TrimLeft(name, " ")
			for strings.HasPrefix(name, "./") {
				name = strings.TrimLeft(name[2:], "/")
			}
			if ok && !yield(name) {
				return
			}
		}
	}
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
