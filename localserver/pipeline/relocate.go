package pipeline

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// Results of rustc that hold at other places than the one they were made at.

// locateCrate says where a call of rustc stands, and what its runs need so that
// others make the same.
func (r *request) locateCrate() {
	r.at = cratePlace(r.compile, nil)
	if r.settings.Paths == config.PathsRelocatable {
		roots := r.p.roots.rootsOf(r.compile, r.settings.ExecRoot)
		if r.relocation = roots.Canonical(r.compile); r.relocation != nil {
			r.at, r.canonical = cratePlace(r.compile, &roots), roots.Names()
			return
		}
	}
	if r.p.remote(r.settings) != nil {
		r.relocation = layout.Identity(r.compile)
	}
}

// relocationKey is relocation as it stands in the key: which folders have other
// names, wherever they are.
func (r *request) relocationKey() []string {
	out := make([]string, len(r.relocation))
	for i, word := range r.relocation {
		option, rest, _ := strings.Cut(word, "=")
		from, to, _ := strings.Cut(rest, "=")
		out[i] = option + "=" + r.at.encode(from) + "=" + to
	}
	return out
}

// guardPlace makes c one of this place alone where the result names it, or may
// depend on it: where an output holds one of the roots; where it was asked for
// other purposes than to include a file; where macros have run and no code shows
// what they have made of the environment.
func (r *request) guardPlace(c *Candidate, x *run) error {
	if !r.at.shared {
		return nil
	}
	free, err := r.holdsElsewhere(x)
	if err != nil {
		return err
	}
	if free {
		return nil
	}
	if c.Needs |= needsPlace; x.read.Package != "" {
		c.Needs |= needsEnvironment
	}
	c.Guard, err = guard(c.Needs, r.compile, r.at, r.record.Time)
	return err
}

func (r *request) holdsElsewhere(x *run) (bool, error) {
	code := false
	for i := range x.files {
		switch f := &x.files[i]; f.role {
		case toolchains.RoleDepInfo:
			continue
		case toolchains.RoleMetadata:
		default:
			code = true
		}
		if named, err := r.namesRoots(&x.files[i]); named || err != nil {
			return false, err
		}
	}
	for _, v := range x.read.Variables {
		if r.at.encodeList(v.Value) != v.Value && !r.onlyIncludes(x.read.Sources, v.Name) {
			return false, nil
		}
	}
	return code || x.read.Package == "", nil
}

// namesRoots reports whether an output holds the path of a root.
func (r *request) namesRoots(f *captured) (bool, error) {
	data := f.data
	if data == nil {
		blob, err := r.p.store.OpenBlob(f.digest)
		if err != nil {
			return false, storeTrouble(err)
		}
		defer blob.Close()
		if data, err = io.ReadAll(blob); err != nil {
			return false, storeTrouble(err)
		}
	}
	return slices.ContainsFunc(r.canonical, func(n layout.Name) bool { return bytes.Contains(data, []byte(n.Client)) }), nil
}

// onlyIncludes reports whether sources ask for a variable only to include files.
// Macros of other crates may ask for it too.
func (r *request) onlyIncludes(sources []string, name string) bool {
	for _, path := range sources {
		text, err := os.ReadFile(r.call.Abs(path))
		if err != nil || !rustdeps.OnlyIncludes(text, name) {
			return false
		}
	}
	return true
}

// A crateOrigin is the place whose paths are in the texts of a result of rustc.
type crateOrigin struct {
	place
	outDir string
}

// origin is the origin of what this call makes, as DepOrigin.Targets: the folder
// of the outputs, and the mounts where they have other names elsewhere.
func (r *request) origin() []string {
	out := []string{r.compile.Crate.OutDir}
	if r.at.shared {
		out = append(out, strings.Split(r.at.mounts, "\n")...)
	}
	return out
}

func (r *request) crateOrigin(res *Result) *crateOrigin {
	return &crateOrigin{place{mounts: strings.Join(res.Dep.Targets[1:], "\n")}, res.Dep.Targets[0]}
}

// same reports whether texts spell the paths of a call at a place as the call does,
// but for its outputs.
func (o *crateOrigin) same(at place) bool { return !at.shared || o.mounts == at.mounts }

// respell returns how paths of o are spelled at a place.
func (o *crateOrigin) respell(at place) func(path string) string {
	if o.same(at) {
		return func(path string) string { return path }
	}
	return func(path string) string { return at.spell(o.encode(path)) }
}

// replacer replaces the roots of o in texts by those of a place.
func (o *crateOrigin) replacer(at place) *strings.Replacer {
	from, to := strings.Split(o.mounts, "\n"), strings.Split(at.mounts, "\n")
	var names layout.Names
	for i := range min(crateRoots, len(from), len(to)) {
		if from[i] != "" {
			names = append(names, layout.Name{Worker: from[i], Client: to[i]})
		}
	}
	slices.SortStableFunc(names, func(a, b layout.Name) int { return len(b.Worker) - len(a.Worker) })
	var pairs []string
	for _, n := range names {
		pairs = append(pairs, n.Worker+separator, n.Client+separator)
	}
	return strings.NewReplacer(pairs...)
}

// crateTexts are what rustc printed, with the paths of this call.
func (r *request) crateTexts(res *Result) []wire.Chunk {
	from := r.crateOrigin(res)
	chunks := res.Chunks
	if !from.same(r.at) {
		replace := from.replacer(r.at)
		chunks = slices.Clone(chunks)
		for i := range chunks {
			chunks[i].Data = []byte(replace.Replace(string(chunks[i].Data)))
		}
	}
	return renotice(chunks, from.respell(r.at)(from.outDir), r.compile.Crate.OutDir)
}
