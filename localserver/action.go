package localserver

import (
	"context"
	"errors"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/diskstore"
	"github.com/rexwrap/rexwrap/localserver/pipeline"
	"github.com/rexwrap/rexwrap/localserver/remote"
)

// action returns what the cache holds for an Action, and what remotes know of
// it.
func (s *Service) action(ctx context.Context, d digest.Digest) (*admin.ActionReply, error) {
	reply := &admin.ActionReply{Digest: d.String()}
	here, err := s.result(d)
	if err != nil {
		return nil, err
	}
	far, err := s.Remotes.Describe(ctx, d)
	if err != nil && here == nil {
		return nil, admin.Errorf(admin.ErrNotFound, "no result for action %s", d)
	}
	if err == nil {
		describe(reply, far)
	}
	if here != nil {
		reply.Result = actionResult(here)
	}
	return reply, nil
}

// result returns what the cache holds, nil for nothing.
func (s *Service) result(d digest.Digest) (*pipeline.Result, error) {
	data, err := s.Store.Result(d)
	if errors.Is(err, diskstore.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	res, err := pipeline.DecodeResult(data)
	if err != nil {
		return nil, nil // of another version or damaged: a miss
	}
	return res, nil
}

// describe fills in what a remote knows.
func describe(reply *admin.ActionReply, x *remote.Description) {
	reply.Arguments, reply.WorkingDir = x.Command.Arguments, x.Command.WorkingDirectory
	reply.OutputPaths, reply.InputRoot = x.Command.OutputPaths, x.InputRoot.String()
	reply.Environment = make(map[string]string, len(x.Command.EnvironmentVariables))
	for _, v := range x.Command.EnvironmentVariables {
		reply.Environment[v.Name] = v.Value
	}
	for _, e := range x.Inputs {
		if !e.Dir {
			reply.Inputs = append(reply.Inputs, admin.InputFile{Path: e.Path, Digest: e.Digest.String(), Target: e.Target})
		}
	}
	if x.Result == nil {
		return
	}
	cost := remote.CostOf(x.Result.Metadata)
	reply.Result = &admin.ActionResult{
		ExitCode: int32(x.Result.ExitCode), Stdout: string(x.Result.Stdout.Raw), Stderr: string(x.Result.Stderr.Raw),
		Seconds: (cost.User + cost.Sys).Seconds(), Worker: cost.Worker,
	}
	for _, path := range x.Command.OutputPaths {
		if f, ok := x.Result.Files[path]; ok {
			reply.Result.Outputs = append(reply.Result.Outputs, admin.OutputFile{Path: path, Digest: f.Digest.String()})
		}
	}
}

func actionResult(res *pipeline.Result) *admin.ActionResult {
	out := &admin.ActionResult{Seconds: res.Cost.CPUSeconds(), Worker: res.Worker}
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
