package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/materialize"
	"github.com/rexwrap/rexwrap/toolchains"
)

// captureInMemory is the size in bytes up to which an output is read while the
// wrapper waits and stored after it has gone. A larger one is digested and stored in
// pieces that the processor's caches hold: to keep it in memory costs a fifth more.
// Texts that are looked at again stay in memory up to textInMemory.
const (
	captureInMemory = 1 << 20
	textInMemory    = 32 << 20
)

// A captured output is one that a run left behind.
type captured struct {
	role   toolchains.Role
	path   string
	mode   fs.FileMode
	data   []byte        // nil where it is stored already
	digest digest.Digest // set where it is stored already
}

// capture reads what the compiler made. The wrapper waits meanwhile, so nobody
// of the build has seen the files yet. An error is an *UnsupportedError and says
// why the result cannot be stored. userDep is the text of the dep-file where
// the run itself did not write it.
func (r *request) capture(userDep []byte) ([]captured, error) {
	var out []captured
	for _, o := range r.compile.Outputs {
		path := r.call.Abs(o.Path)
		if o.Role == toolchains.RoleObject && r.database != nil {
			continue // see placePrivate
		}
		if o.Role == toolchains.RoleDep && userDep != nil {
			out = append(out, captured{role: o.Role, path: path, mode: 0o666, data: userDep})
			continue
		}
		target, mode, err := materialize.Look(path)
		switch {
		case err != nil:
			return nil, toolchains.Unsupported("output-unreadable", o.Path)
		case target == materialize.Special && r.replaces(path, false):
			mode = permissions(path)
		case target == materialize.Absent && o.Optional:
			continue
		case target == materialize.Absent:
			return nil, toolchains.Unsupported("output-missing", o.Path)
		case target == materialize.Special:
			return nil, toolchains.Unsupported("special-output", o.Path)
		case target == materialize.Sink:
			return nil, toolchains.Unsupported("output-discarded", o.Path)
		}
		c, made, err := r.captureFile(o, path, mode)
		if err != nil {
			return nil, err
		}
		if made {
			out = append(out, c)
		}
	}
	return out, nil
}

// captureFile reads one output. It reports false for an optional file that is
// older than the call: an earlier compile left it, this one made none.
func (r *request) captureFile(o toolchains.Output, path string, mode fs.FileMode) (captured, bool, error) {
	c := captured{role: o.Role, path: path, mode: mode}
	unreadable := toolchains.Unsupported("output-unreadable", o.Path)
	f, err := os.Open(path)
	if err != nil {
		return c, false, unreadable
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return c, false, unreadable
	}
	if before, ok := r.before[path]; ok && os.SameFile(before, info) && before.ModTime().Equal(info.ModTime()) && before.Size() == info.Size() {
		if o.Optional {
			return c, false, nil
		}
		return c, false, toolchains.Unsupported("output-missing", o.Path)
	}
	limit := int64(captureInMemory)
	if o.Role == toolchains.RoleDep || o.Role == toolchains.RoleDepInfo {
		limit = textInMemory
	}
	if info.Size() > limit {
		if c.digest, err = r.p.store.PutBlobFile(f); err != nil {
			return c, false, storeTrouble(err)
		}
		return c, true, nil
	}
	c.data = make([]byte, info.Size())
	if n, err := readFull(f, c.data); err != nil || n != len(c.data) {
		return c, false, unreadable
	}
	return c, true, nil
}

func readFull(f *os.File, buf []byte) (int, error) {
	n := 0
	for n < len(buf) {
		m, err := f.Read(buf[n:])
		n += m
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// noteBefore remembers the optional outputs that exist before the run, to tell
// afterwards what the run itself made.
func (r *request) noteBefore() {
	for _, o := range append(r.splitFiles(), r.compile.Outputs...) {
		path := r.call.Abs(o.Path)
		info, err := os.Lstat(path)
		if err != nil {
			continue
		}
		if r.before == nil {
			r.before = make(map[string]fs.FileInfo)
		}
		r.before[path] = info
	}
}

// keep stores captured outputs as blobs.
func (r *request) keep(files []captured) ([]ResultOutput, error) {
	out := make([]ResultOutput, len(files))
	for i := range files {
		c := &files[i]
		if c.data != nil || c.digest.IsZero() {
			d, err := r.p.store.PutBlob(c.data)
			if err != nil {
				return nil, storeTrouble(err)
			}
			c.digest = d
		}
		out[i] = ResultOutput{Role: c.role, Digest: c.digest, Executable: c.mode&0o111 != 0}
		r.record.Bytes += c.digest.Size
	}
	return out, nil
}

// storeTrouble turns an error of the store into the reason for not storing.
func storeTrouble(err error) error {
	for kind, reason := range map[error]string{diskstore.ErrFull: "cache-full", diskstore.ErrReadOnly: "cache-read-only"} {
		if errors.Is(err, kind) {
			return toolchains.Unsupported(reason, "")
		}
	}
	return toolchains.Unsupported("cache-error", fmt.Sprint(err))
}
