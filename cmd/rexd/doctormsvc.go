package main

import (
	"context"
	"os"
	"path/filepath"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/clcheck"
	"github.com/rexwrap/rexwrap/localserver/localexec"
)

// examineMSVC tries cl.exe and the linker of PATH.
func (a *app) examineMSVC(ctx context.Context) *diagnosis {
	d := &diagnosis{SchemaVersion: 1}
	s := a.search()
	compiler, linker := s.first("cl.exe", "cl"), s.first("link.exe", "lld-link.exe", "lld-link", "lld-link-14")
	if compiler == "" {
		d.add("cl.exe", bad, "not on PATH", "run this where the build runs, after vcvars64.bat")
		return d
	}
	d.add("cl.exe", fine, compiler, "")
	dir, err := os.MkdirTemp("", "rexwrap-doctor")
	if err != nil {
		d.add("folder", bad, err.Error(), "")
		return d
	}
	defer os.RemoveAll(dir)
	bar, steps := a.progress("trying cl.exe"), int64(0)
	err = clcheck.Run(ctx, clcheck.Options{
		Compiler: compiler, Linker: linker, Env: a.env, Dir: dir, Run: localexec.Runner(localexec.Limits{}),
	}, func(f clcheck.Finding) {
		status, hint := fine, ""
		if !f.OK {
			status, hint = bad, "please report this; until then: rexwrap with msvc_pdb = \"embed\" or \"local\""
		}
		d.add(f.Name, status, f.Text, hint)
		steps++
		_ = bar.report(&admin.Progress{Done: steps, Total: clcheck.Steps})
	})
	bar.end()
	if err != nil {
		d.add("folder", bad, err.Error(), "")
	}
	return d
}

// first returns the first of the programs that is found.
func (s *search) first(names ...string) string {
	for _, name := range names {
		if path := s.find(name); path != "" {
			return filepath.Clean(path)
		}
	}
	return ""
}
