package pipeline

import (
	"io"
	"time"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
)

// sharedCandidates is how many candidates of a manifest are shared: those of the
// branches that are worked on at a time.
const sharedCandidates = 4

// share has a result of this machine uploaded for others, in the background. x
// is the run, c the candidate under which it was stored.
func (r *request) share(x *run, c *Candidate, laid *laidOut, res *Result) {
	if !r.shares(res) || laid.layout.Quiet && !res.quiet() {
		return
	}
	s := &remote.Share{Action: laid.Encoded, Cost: r.sharedCost(res), Caller: r.callerOf(laid.Action)}
	if !r.shareOutputs(s, x, laid, res) {
		return
	}
	chunks, ok := r.workersTexts(res, laid)
	if !ok {
		return
	}
	for _, chunk := range chunks {
		if r.compile.Crate != nil {
			chunk.Data = r.sharedText(chunk.Data)
		}
		if chunk.Fd == 1 {
			s.Stdout = append(s.Stdout, chunk.Data...)
		} else {
			s.Stderr = append(s.Stderr, chunk.Data...)
		}
	}
	r.shareManifest(s, c, laid)
	r.send(s)
}

// shareCandidate has the candidate of a worker's result shared: the result
// itself is where the worker put it.
func (r *request) shareCandidate(c *contest) {
	if r.settings.RemoteUpload && !r.settings.ReadOnly && r.far.remote.Shares() {
		candidate := *c.x.candidate
		candidate.Results = c.variant.serving(c.brought)
		s := &remote.Share{Caller: r.callerOf(c.variant.Action)}
		r.shareManifest(s, &candidate, c.x.laid)
		r.send(s)
	}
}

func (r *request) send(s *remote.Share) {
	if !r.far.remote.Share(s) {
		r.p.log.Debug().Str("source", r.compile.Source).Msg("result is not shared")
	}
}

// shareManifest adds the candidate to s, where it holds on other machines.
func (r *request) shareManifest(s *remote.Share, c *Candidate, laid *laidOut) {
	if r.compile.Crate == nil && !laid.names.portable() || len(c.Times) > 0 {
		return
	}
	own := *c
	own.List = digest.Digest{} // a blob of this machine
	s.Manifest, s.Version = r.sharedManifest(), manifestVersion
	s.Merge = func(shared []byte) []byte { return mergeCandidates(shared, &own) }
}

// shares reports whether res is one for others. What came after a worker had
// failed at it is not: its Action may lack something. Nor is what was printed
// to one file by two streams: a result has no place for their order.
func (r *request) shares(res *Result) bool {
	if r.far.remote == nil || !r.settings.RemoteUpload || r.far.suspect.Load() || !r.far.remote.Shares() {
		return false
	}
	return !r.in.SameFile || res.onOneStream()
}

// shareOutputs fills in the outputs as a worker would have made them. It reports
// false where it cannot tell.
func (r *request) shareOutputs(s *remote.Share, x *run, laid *laidOut, res *Result) bool {
	for _, o := range laid.layout.Outputs {
		stored := res.output(o.Role)
		if stored == nil {
			continue
		}
		d := stored.Digest
		blob := cas.Blob{Digest: d, Open: func() (io.ReadCloser, error) { return r.p.store.OpenBlob(d) }}
		if o.Role == toolchains.RoleDep {
			text, ok := laid.layout.WorkerDep(r.compile.Toolchain.Family, x.text(o.Role), r.compile.Dep.Targets)
			if !ok {
				return false
			}
			d = digest.Of(text)
			blob = cas.Bytes(d, text)
		}
		if o.Role == toolchains.RoleDepInfo {
			text := x.text(o.Role)
			if text == nil {
				return false
			}
			text = rustdeps.Respell(text, r.roots.Names().WorkerPath, r.call.Env.Lookup)
			d = digest.Of(text)
			blob = cas.Bytes(d, text)
		}
		s.Outputs = append(s.Outputs, remote.Output{Path: o.Path, Digest: d, Executable: stored.Executable})
		s.Blobs = append(s.Blobs, blob)
	}
	if laid.host != nil {
		d, text := localReport(), []byte(parity.Local)
		s.Outputs = append(s.Outputs, remote.Output{Path: parity.Output, Digest: d})
		s.Blobs = append(s.Blobs, cas.Bytes(d, text))
	}
	return true
}

// text is the content of a captured output, nil where it was large.
func (x *run) text(role toolchains.Role) []byte {
	for i := range x.files {
		if x.files[i].role == role {
			return x.files[i].data
		}
	}
	return nil
}

func (r *request) sharedCost(res *Result) remote.Cost {
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	return remote.Cost{
		Started: r.record.Time, Wall: us(res.Cost.Wall), User: us(res.Cost.User), Sys: us(res.Cost.Sys), MaxRSS: res.Cost.MaxRSS,
	}
}

// mergeCandidates adds own to what others share.
func mergeCandidates(shared []byte, own *Candidate) []byte {
	m, err := decodeManifest(shared)
	if err != nil {
		m = &Manifest{}
	}
	m.add(own)
	m.Candidates = m.Candidates[:min(len(m.Candidates), sharedCandidates)]
	return m.encode()
}
