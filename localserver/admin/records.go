package admin

import (
	"context"
	"path/filepath"
	"time"

	"github.com/rexwrap/rexwrap/localserver/journal"
)

// RecordsOf returns a Recorder of j. complete, where not nil, adds to the
// totals what the journal does not know: sizes and warnings.
func RecordsOf(j *journal.Journal, complete func(*journal.Stats)) Recorder {
	return &records{j, complete}
}

type records struct {
	j        *journal.Journal
	complete func(*journal.Stats)
}

func (r *records) Stats(context.Context) (*journal.Stats, error) {
	s := r.j.Stats()
	s.Crates = r.j.Crates(time.Unix(s.Since, 0))
	if r.complete != nil {
		r.complete(s)
	}
	return s, nil
}

func (r *records) Zero(context.Context) error {
	r.j.Zero()
	return nil
}

func (r *records) Explain(_ context.Context, req *ExplainRequest) (*journal.Explanation, error) {
	rec, err := r.find(req)
	if err != nil {
		return nil, err
	}
	return r.j.Explain(rec), nil
}

// find returns the record that a request means. A target that names a file by
// an existing record's output comes before one that looks like an id.
func (r *records) find(req *ExplainRequest) (*journal.Record, error) {
	if req.Target == "" {
		if rec := r.j.Record(r.j.Last()); rec != nil {
			return rec, nil
		}
		return nil, Errorf(ErrNotFound, "no compile has been recorded yet")
	}
	path := req.Target
	if !filepath.IsAbs(path) {
		path = filepath.Join(req.Dir, path)
	}
	if rec := r.j.Find(filepath.Clean(path)); rec != nil {
		return rec, nil
	}
	if id, err := journal.ParseID(req.Target); err == nil {
		if rec := r.j.Record(id); rec != nil {
			return rec, nil
		}
		return nil, Errorf(ErrNotFound, "no record %s; the oldest ones are dropped", id)
	}
	if rec := r.j.FindCrate(req.Target); rec != nil {
		return rec, nil
	}
	return nil, Errorf(ErrNotFound, "no compile of %s is recorded", req.Target)
}

func (r *records) ExplainBuild(_ context.Context, req *ExplainBuildRequest) (*journal.BuildReport, error) {
	if b := r.j.Build(req.Build); b != nil {
		return b, nil
	}
	if req.Build != "" {
		return nil, Errorf(ErrNotFound, "no compile of the build %s is recorded", req.Build)
	}
	return nil, Errorf(ErrNotFound, "no compile has been recorded yet")
}

func (r *records) Headers(_ context.Context, req *HeadersRequest) (*journal.HeaderReport, error) {
	h := r.j.Headers(req.Dir)
	if h.Compiles == 0 {
		return nil, Errorf(ErrNotFound, "no compile whose inputs are known has been recorded yet")
	}
	return h, nil
}

func (r *records) Log(ctx context.Context, req *LogRequest, emit func(*journal.Entry) error) error {
	return r.j.Tail(ctx, max(0, req.Count), req.Follow, func(rec *journal.Record) error { return emit(rec.Entry()) })
}
