package ask

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
)

// MarkingFiles is Files with a clock.
type MarkingFiles interface {
	Files
	Mark() filestate.Mark
}

// ScannerOptions are what a Scanner is made of. All are needed.
type ScannerOptions struct {
	Asker *Asker
	Files MarkingFiles
	Run   toolchains.Runner
	// Facts gives what the compiler says of itself for a compile's flags.
	Facts func(ctx context.Context, c *toolchains.Compile) (*toolchains.Facts, error)
	// Scratch is an existing directory for the preprocessor's dep-files, of
	// this Scanner alone.
	Scratch string
}

// A Scanner is a depscan.Scanner that runs the preprocessor (-E -MD) for each
// compile. It is exact as far as an Asker is, and takes as long as preprocessing
// does.
type Scanner struct {
	o    ScannerOptions
	runs atomic.Uint64
}

var _ depscan.Scanner = (*Scanner)(nil)

// NewScanner returns a Scanner.
func NewScanner(o ScannerOptions) *Scanner { return &Scanner{o: o} }

// Scan implements depscan.Scanner. Its errors wrap depscan.ErrFallback, unless ctx
// ended.
func (s *Scanner) Scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	in, err := s.scan(ctx, c)
	if err == nil {
		in.Fallbacks = []string{"asked-compiler"}
		return in, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return nil, fmt.Errorf("%w: %w", depscan.ErrFallback, err)
}

func (s *Scanner) scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	facts, err := s.o.Facts(ctx, c)
	if err != nil {
		return nil, err
	}
	mark := s.o.Files.Mark()
	listed := []string{c.Source}
	p := &Plan{asker: s.o.Asker, c: c}
	if c.Microsoft != nil {
		p.c = gnuView(c)
	}
	if preprocesses(c) {
		own := filepath.Join(s.o.Scratch, "scan-"+strconv.FormatUint(s.runs.Add(1), 10)+".d")
		if listed, err = s.preprocess(ctx, c, own); err != nil {
			return nil, err
		}
	}
	g, err := p.gather(listed, RunInfo{Mark: mark}, s.o.Files, facts)
	if err != nil {
		return nil, err
	}
	in := g.inputs()
	addSurroundings(in, c.Call.Dir)
	return in, nil
}

func (s *Scanner) preprocess(ctx context.Context, c *toolchains.Compile, own string) ([]string, error) {
	switch c.Toolchain.Family {
	case toolchains.FamilyClangCL:
		return preprocessMicrosoft(ctx, c, s.o.Run, own)
	case toolchains.FamilyMSVC:
		return preprocessCL(ctx, c, s.o.Run)
	}
	return preprocess(ctx, c, s.o.Run, "-MD", own)
}
