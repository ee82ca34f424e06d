package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// printedLimit is the size in bytes of what a compile may print to be replayed.
const printedLimit = 64 << 20

// declared returns the paths of v's outputs, and those among them that a
// successful compile may leave out.
func (r *request) declared(v *Variant) (outputs, optional []string) {
	for _, o := range v.Outputs {
		outputs = append(outputs, o.Path)
		if mine := r.compile.Output(o.Role); mine == nil || mine.Optional {
			optional = append(optional, o.Path)
		}
	}
	return outputs, optional
}

// fetch brings the result of v here, all blobs verified by digest.
func (r *request) fetch(ctx context.Context, c *Candidate, v *Variant) (*Result, error) {
	outputs, optional := r.declared(v)
	got, err := r.far.remote.Result(ctx, v.Action, outputs, optional)
	r.step(journal.StepLookup)
	if err != nil {
		return nil, err
	}
	res, err := r.bring(ctx, v, got)
	r.step(journal.StepDownload)
	if err == nil {
		err = r.accept(ctx, c, v, res)
	}
	return res, err
}

// bring makes a Result of what the remote says about v.
func (r *request) bring(ctx context.Context, v *Variant, got *action.Result) (*Result, error) {
	cost := remote.CostOf(got.Metadata)
	res := &Result{
		Spelling: SpelledRemotely, Names: v.Names, Dep: DepOrigin{Targets: v.Targets}, Created: r.p.o.Now().Unix(), Worker: cost.Worker,
		Cost: Cost{
			User: cost.User.Microseconds(), Sys: cost.Sys.Microseconds(), Wall: cost.Wall.Microseconds(), MaxRSS: cost.MaxRSS,
		},
		held: make(map[digest.Digest][]byte),
	}
	d := &downloads{held: res.held, scratch: r.p.o.Scratch, store: r.p.store}
	defer d.remove()
	d.held[localReport()] = []byte(parity.Local)
	notes := make(map[toolchains.Role]digest.Digest)
	for _, o := range v.Outputs {
		file, ok := got.Files[o.Path]
		if !ok {
			if _, link := got.Symlinks[o.Path]; link {
				return nil, fmt.Errorf("%w: output %s is a symbolic link", remote.ErrMiss, o.Role)
			}
			continue // optional, or remote.Result would have said so
		}
		switch o.Role {
		case roleParity, layout.RoleLinkList, layout.RoleWorkerDir:
			notes[o.Role] = file.Digest
		default:
			res.Outputs = append(res.Outputs, ResultOutput{Role: o.Role, Digest: file.Digest, Executable: file.Executable})
		}
		if err := d.want(file.Digest, file.Contents); err != nil {
			return nil, err
		}
	}
	for _, s := range []action.Stream{got.Stdout, got.Stderr} {
		if s.Digest.Size > printedLimit {
			return nil, fmt.Errorf("%w: it printed too much", remote.ErrMiss)
		}
		if err := d.want(s.Digest, nil); err != nil {
			return nil, err
		}
	}
	if err := d.fetch(ctx, r.far.remote); err != nil {
		return nil, err
	}
	res.notes = make(map[toolchains.Role][]byte)
	for role, d := range notes {
		res.notes[role] = res.held[d]
	}
	for i, s := range []action.Stream{got.Stdout, got.Stderr} {
		text := s.Raw
		if !s.Inline() {
			text = res.held[s.Digest]
		}
		if len(text) > 0 {
			res.Chunks = append(res.Chunks, wire.Chunk{Fd: uint8(i + 1), Data: text})
		}
	}
	return res, nil
}

// localReport is the digest of parity.Local.
func localReport() digest.Digest { return digest.OfString(parity.Local) }

// downloads are the blobs of one result on their way here: into memory, or by
// a file into the store where they are large.
type downloads struct {
	held    map[digest.Digest][]byte
	scratch string
	store   Store
	wanted  []cas.Wanted
	buffers map[digest.Digest]*bytes.Buffer
	files   map[digest.Digest]*os.File
}

// downloadInMemory is the size in bytes up to which a download stays in memory.
const downloadInMemory = 32 << 20

// want adds a blob, unless it is here. contents are its bytes where they came
// along.
func (d *downloads) want(blob digest.Digest, contents []byte) error {
	switch {
	case blob.IsZero() || d.held[blob] != nil || d.buffers[blob] != nil || d.files[blob] != nil:
	case blob.Size == 0:
		d.held[blob] = []byte{}
	case contents != nil:
		d.held[blob] = contents
	case d.store.HasBlob(blob):
	case blob.Size > downloadInMemory:
		f, err := os.CreateTemp(d.scratch, "download")
		if err != nil {
			return err
		}
		put(&d.files, blob, f)
		d.wanted = append(d.wanted, cas.Wanted{Digest: blob, Into: f})
	default:
		b := bytes.NewBuffer(make([]byte, 0, blob.Size))
		put(&d.buffers, blob, b)
		d.wanted = append(d.wanted, cas.Wanted{Digest: blob, Into: b})
	}
	return nil
}

func put[V any](m *map[digest.Digest]V, d digest.Digest, v V) {
	if *m == nil {
		*m = make(map[digest.Digest]V)
	}
	(*m)[d] = v
}

// fetch brings what is wanted.
func (d *downloads) fetch(ctx context.Context, from Remote) error {
	if len(d.wanted) == 0 {
		return nil
	}
	if err := from.Fetch(ctx, d.wanted...); err != nil {
		return err
	}
	for blob, b := range d.buffers {
		d.held[blob] = b.Bytes()
	}
	for blob, f := range d.files {
		got, err := d.store.PutBlobFile(f)
		if err != nil {
			return err
		}
		if got != blob {
			return fmt.Errorf("%w: %s has other bytes", remote.ErrMiss, blob)
		}
	}
	return nil
}

func (d *downloads) remove() {
	var errs []error
	for _, f := range d.files {
		errs = append(errs, f.Close(), os.Remove(f.Name()))
	}
	_ = errors.Join(errs...) // the scratch folder is emptied at the next start
}
