package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// An item is one output on its way to its place.
type item struct {
	role   toolchains.Role
	target string // absolute
	temp   string
	mode   fs.FileMode
	digest digest.Digest
	data   []byte // where it is not the blob of digest
	// through is set where the wrapper writes data into the file itself.
	through bool
}

// mostThrough is the largest side output that the wrapper writes by itself. A
// temp file and its rename cost more than that is worth, most of all over a file
// that is there: ext4 writes one that replaces another out at once.
const mostThrough = 64 << 10

// answer puts res before the wrapper as the result of this call. It reports
// false where the stored result cannot serve: a blob is gone, or the dep-file
// cannot be rewritten; the compile then is a miss. What stands where an output
// goes can make the call step aside.
func (r *request) answer(res *Result) (bool, error) {
	r.declareSplit(res)
	items, err := r.items(res)
	if err != nil || items == nil {
		return false, err
	}
	done := &wire.Done{Chunks: r.printed(res), Remove: r.stale(res), ChunksLast: r.compile.Crate != nil, Touch: touched(r)}
	var temps []string
	done.Files, temps = filesOf(items)
	if len(temps) > 0 {
		if err := r.conv.Prepare(temps); err != nil {
			return false, err
		}
	}
	if ok, err := r.write(items); !ok {
		materialize.Remove(temps)
		return false, err
	}
	if r.part > 0 {
		r.held = &held{done, items}
		return true, nil
	}
	if err := r.conv.Done(done); err != nil {
		materialize.Remove(temps)
		return false, err
	}
	r.recordItems(items)
	return true, nil
}

// temp returns the name of the nth temp file, in the folder of target.
func (r *request) temp(target string, n int) string {
	return wire.TempName(target, r.in.Token, r.part*maxTemps+n)
}

// maxTemps bounds the outputs of one compile.
const maxTemps = 100

// filesOf returns items as the wrapper is told of them, and the temp files that it is to
// rename.
func filesOf(items []item) (files []wire.File, temps []string) {
	temps = make([]string, 0, len(items))
	for _, it := range items {
		if it.through {
			files = append(files, wire.File{Target: it.target, Data: it.data, Keep: true})
			continue
		}
		temps = append(temps, it.temp)
		files = append(files, wire.File{Target: it.target, Temp: it.temp})
	}
	return files, temps
}

// recordItems notes the digests of files that are in their places.
func (r *request) recordItems(items []item) {
	for _, it := range items {
		r.p.files.Record(it.target, it.digest)
	}
}

// items lists the outputs of res with the primary one last, nil where res
// lacks one.
func (r *request) items(res *Result) ([]item, error) {
	items := make([]item, 0, len(r.compile.Outputs))
	for i, o := range slices.Backward(r.compile.Outputs) {
		stored := res.output(o.Role)
		if stored == nil {
			if o.Optional {
				continue
			}
			return nil, nil
		}
		if o.Role == toolchains.RoleObject && r.database != nil {
			if items = r.mergedItems(items, res); items == nil {
				return nil, nil
			}
			continue
		}
		it := item{role: o.Role, target: r.call.Abs(o.Path), digest: stored.Digest, data: res.held[stored.Digest]}
		keeps := materialize.KeepsInode(r.compile.Toolchain.Family, o.Role)
		target, old, err := materialize.Look(it.target)
		switch {
		case err == nil && r.replaces(it.target, keeps):
		case err != nil || target == materialize.Special:
			return nil, toolchains.Unsupported("special-output", o.Path)
		case target == materialize.Sink:
			continue
		case target == materialize.Plain && keeps && !materialize.Writable(it.target):
			return nil, toolchains.Unsupported("output-unwritable", o.Path)
		}
		it.mode = materialize.Mode(keeps, target, old, r.in.Umask, stored.Executable)
		if o.Role == toolchains.RoleDepInfo && !r.fillDepInfo(&it, res) {
			return nil, nil
		}
		if o.Role == toolchains.RoleDep {
			ok, err := r.fillDep(&it, res)
			if err != nil || !ok {
				return nil, err
			}
		}
		if i > 0 && keeps {
			if ok, err := r.readThrough(&it, target == materialize.Plain); err != nil || !ok {
				return nil, err
			}
		}
		it.temp = r.temp(it.target, len(items))
		items = append(items, it)
	}
	return items, nil
}

// readThrough reads a small output that the compiler writes into the file that
// is there, or into a new one, so that the wrapper does the same. It reports
// false where the blob is gone.
func (r *request) readThrough(it *item, there bool) (bool, error) {
	if it.digest.Size > mostThrough {
		return true, nil
	}
	if !there && !materialize.Creatable(it.target) {
		return false, toolchains.Unsupported("output-unwritable", it.target)
	}
	if it.data == nil {
		var err error
		if it.data, err = r.p.store.Blob(it.digest); err != nil {
			return false, nil
		}
	}
	it.through = true
	return true, nil
}

// fillDep makes the dep-file that this call would have: the stored one under
// this call's targets and paths.
func (r *request) fillDep(it *item, res *Result) (bool, error) {
	want := DepOrigin{Root: r.at.root, Targets: r.compile.Dep.Targets}
	if res.Spelling == SpelledHere && want.Root == res.Dep.Root && slices.Equal(want.Targets, res.Dep.Targets) {
		return true, nil
	}
	text := it.data
	if text == nil {
		var err error
		if text, err = r.p.store.Blob(it.digest); err != nil {
			return false, nil
		}
	}
	moved, ok := depfile.Rewrite(r.compile.Toolchain.Family, text, res.Dep.Targets, want.Targets, r.respell(res))
	if !ok {
		return false, nil
	}
	it.data, it.digest = moved, digest.Of(moved)
	return true, nil
}

// respell returns how paths in the texts of res are spelled by this call.
func (r *request) respell(res *Result) func(path string) string {
	if res.Spelling == SpelledRemotely {
		return res.Names.at(r.at).ClientPath
	}
	from := place{root: res.Dep.Root}
	return func(path string) string { return r.at.spell(from.encode(path)) }
}

// printed is what the compiler printed, as it would have here.
func (r *request) printed(res *Result) []wire.Chunk {
	if r.compile.Crate != nil {
		return r.crateTexts(res)
	}
	switch res.Spelling {
	case SpelledHere:
		return res.Chunks
	case SpelledPlaced:
		return r.placedHere(res.Chunks)
	}
	here, out := res.Names.at(r.at), slices.Clone(res.Chunks)
	for i := range out {
		out[i].Data = here.ToClient(out[i].Data)
	}
	return out
}

// stale lists the outputs that the compiler would have removed or left out.
func (r *request) stale(res *Result) []string {
	var out []string
	for _, o := range r.compile.Outputs {
		if !o.Stale || res.output(o.Role) != nil {
			continue
		}
		path := r.call.Abs(o.Path)
		if t, _, err := materialize.Look(path); err == nil && t == materialize.Plain {
			out = append(out, path)
		}
	}
	return out
}

// write writes the temp files. It reports false without an error where a blob
// is gone; an error says that the directory does not take the file.
func (r *request) write(items []item) (bool, error) {
	for i := range items {
		it := &items[i]
		if it.through {
			r.record.Bytes += it.digest.Size
			continue
		}
		lost := false
		err := materialize.Temp(it.temp, it.mode, func(f *os.File) error {
			if it.data != nil {
				_, err := f.Write(it.data)
				return err
			}
			err := r.p.store.CopyTo(it.digest, f)
			lost = errors.Is(err, diskstore.ErrNotFound)
			return err
		})
		switch {
		case err == nil:
			r.record.Bytes += it.digest.Size
		case lost:
			return false, nil
		default:
			return false, toolchains.Unsupported("output-unwritable", fmt.Sprint(it.target))
		}
	}
	return true, nil
}
