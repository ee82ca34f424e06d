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
			r.at, r.roots = cratePlace(r.compile, &roots), roots
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
	if c.Needs |= needsPlace; r.read.Package != "" {
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
	for _, v := range r.read.Variables {
		if r.at.encodeList(v.Value) != v.Value && !r.onlyIncludes(r.read.Sources, v.Name) {
			return false, nil
		}
	}
	return code || r.read.Package == "", nil
}

// namesRoots reports whether an output holds the path of a root.
func (r *request) namesRoots(f *captured) (bool, error) {
	data, err := r.captured(f)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(r.roots.Names(), func(n layout.Name) bool { return bytes.Contains(data, []byte(n.Client)) }), nil
}

// captured returns the content of an output.
func (r *request) captured(f *captured) ([]byte, error) {
	if f.data != nil {
		return f.data, nil
	}
	blob, err := r.p.store.OpenBlob(f.digest)
	if err != nil {
		return nil, storeTrouble(err)
	}
	defer blob.Close()
	data, err := io.ReadAll(blob)
	if err != nil {
		return nil, storeTrouble(err)
	}
	return data, nil
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

// origin is the origin of what this call makes, as DepOrigin.Targets: the folder
// of the outputs, and the mounts where they have other names elsewhere.
func (r *request) origin() []string {
	out := []string{r.compile.Crate.OutDir}
	if r.at.shared {
		out = append(out, strings.Split(r.at.mounts, "\n")...)
	}
	return out
}

// A crateOrigin says how the texts of a result of rustc become those of a call.
type crateOrigin struct {
	// same is set where they are, but for the folder of the outputs.
	same bool
	path func(path string) string
	text func(text []byte) []byte
	// outDir is the folder of the outputs that they then name.
	outDir string
}

func (r *request) crateOrigin(res *Result) *crateOrigin {
	outDir, mounts := res.Dep.Targets[0], strings.Join(res.Dep.Targets[1:], "\n")
	o := &crateOrigin{outDir: outDir}
	switch from := (place{mounts: mounts}); {
	case res.Spelling == SpelledRemotely:
		names := res.Names.at(r.at)
		o.path, o.text = names.ClientPath, names.ToClient
	case r.at.shared && mounts != r.at.mounts:
		o.path = func(path string) string { return r.at.spell(from.encode(path)) }
		o.text = rootsReplacer(mounts, r.at.mounts)
	default:
		o.same = true
		return o
	}
	o.outDir = o.path(outDir)
	return o
}

// rootsReplacer replaces the roots of one place in texts by those of another.
func rootsReplacer(from, to string) func(text []byte) []byte {
	old, now := strings.Split(from, "\n"), strings.Split(to, "\n")
	var names layout.Names
	for i := range min(crateRoots, len(old), len(now)) {
		if old[i] != "" {
			names = append(names, layout.Name{Worker: old[i], Client: now[i]})
		}
	}
	slices.SortStableFunc(names, func(a, b layout.Name) int { return len(b.Worker) - len(a.Worker) })
	return names.ToClient
}

// crateTexts are what rustc printed, with the paths of this call.
func (r *request) crateTexts(res *Result) []wire.Chunk {
	from, chunks := r.crateOrigin(res), res.Chunks
	if !from.same {
		chunks = slices.Clone(chunks)
		for i := range chunks {
			chunks[i].Data = from.text(chunks[i].Data)
		}
	}
	return renotice(chunks, from.outDir, r.compile.Crate.OutDir)
}

// sharedText is what rustc printed here as it stands in a result for others.
func (r *request) sharedText(text []byte) []byte {
	return r.inverse().ToClient(text)
}

// inverse leads from the folders of this call to their names in results.
func (r *request) inverse() layout.Names {
	names := r.roots.Names()
	for i, n := range names {
		names[i] = layout.Name{Worker: n.Client, Client: n.Worker}
	}
	slices.SortStableFunc(names, func(a, b layout.Name) int { return len(b.Worker) - len(a.Worker) })
	return names
}
