package localserver

import (
	"errors"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
)

// action returns what the cache holds for an Action.
func (s *Service) action(d digest.Digest) (*admin.ActionReply, error) {
	data, err := s.Store.Result(d)
	if errors.Is(err, diskstore.ErrNotFound) {
		return nil, admin.Errorf(admin.ErrNotFound, "no result for action %s", d)
	}
	if err != nil {
		return nil, err
	}
	res, err := pipeline.DecodeResult(data)
	if err != nil {
		return nil, admin.Errorf(admin.ErrNotFound, "the result for action %s is of another version or damaged", d)
	}
	return &admin.ActionReply{Digest: d.String(), Result: actionResult(res)}, nil
}

func actionResult(res *pipeline.Result) *admin.ActionResult {
	out := &admin.ActionResult{Seconds: res.Cost.CPUSeconds()}
	for _, o := range res.Outputs {
		out.Outputs = append(out.Outputs, admin.OutputFile{Path: string(o.Role), Digest: o.Digest.String()})
	}
	for _, c := range res.Chunks {
		if c.Fd == 1 {
			out.Stdout += string(c.Data)
		} else {
			out.Stderr += string(c.Data)
		}
	}
	return out
}
