//go:build linux

package relocation

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/ask"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
	"github.com/rexwrap/rexwrap/toolchains/probe"
)

// memory is a toolchains.Memory that forgets at the end of the test.
type memory struct{ m sync.Map }

func (m *memory) Load(key digest.Digest) ([]byte, bool) {
	v, ok := m.m.Load(key)
	if !ok {
		return nil, false
	}
	return v.([]byte), true
}

func (m *memory) Store(key digest.Digest, value []byte) { m.m.Store(key, value) }

type readFiles struct{}

func (readFiles) Digest(path string) (digest.Digest, error) {
	data, err := os.ReadFile(path)
	return digest.Of(data), err
}

// run is a toolchains.Runner.
func run(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.Dir, c.Env, bytes.NewReader(c.Stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	return &toolchains.CommandResult{Status: cmd.ProcessState.ExitCode(), Stdout: out.Bytes(), Stderr: errs.Bytes()}, nil
}

// A rig has what the local server has to understand a compile.
type rig struct {
	resolver *toolchains.Resolver
	prober   *probe.Prober
	scanner  *cpp.Scanner
	families map[string]toolchains.Family
}

func newRig(t *testing.T) *rig {
	r := &rig{
		resolver: toolchains.NewResolver(readFiles{}, run, &memory{}),
		prober:   probe.New(readFiles{}, run, &memory{}),
		families: map[string]toolchains.Family{"gcc": gcc.New(), "clang": clang.New()},
	}
	r.scanner = cpp.New(cpp.Options{Compiler: r.prober})
	t.Cleanup(r.scanner.Close)
	return r
}

// request understands call as far as a Layout needs.
func (r *rig) request(t *testing.T, call *toolchains.Call, root string) *layout.Request {
	t.Helper()
	ctx := context.Background()
	tc, err := r.resolver.Resolve(ctx, call)
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.families[tc.Family].Parse(call, tc)
	if err != nil {
		t.Fatal(err)
	}
	in, err := r.scanner.Scan(ctx, c)
	if errors.Is(err, depscan.ErrFallback) {
		in, err = r.fallback(t).Scan(ctx, c)
	}
	if err != nil {
		t.Fatal(err)
	}
	req := &layout.Request{Compile: c, Inputs: in, Root: root}
	if strings.HasSuffix(c.Language, "assembler") || strings.HasSuffix(c.Language, "cpp-output") {
		req.HostFile = layout.HostFiles(c, nil)
		return req
	}
	facts, err := r.prober.Facts(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	req.HostFile = layout.HostFiles(c, facts)
	return req
}

// fallback asks the compiler itself.
func (r *rig) fallback(t *testing.T) depscan.Scanner {
	return ask.NewScanner(ask.ScannerOptions{
		Asker: ask.New(ask.Options{Run: run, ModTimes: true}), Run: run,
		Files: filestate.New(filestate.Options{}), Facts: r.prober.Facts, Scratch: t.TempDir(),
	})
}

// An outcome is what one run of a compiler left.
type outcome struct {
	status         int
	stdout, stderr []byte
	files          map[toolchains.Role][]byte
}

// compile runs argv in dir and collects outputs.
func compile(t *testing.T, argv []string, dir string, env []string, outputs map[toolchains.Role]string) *outcome {
	t.Helper()
	result, err := run(context.Background(), toolchains.Command{Argv: argv, Dir: dir, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	o := &outcome{status: result.Status, stdout: result.Stdout, stderr: result.Stderr, files: map[toolchains.Role][]byte{}}
	for role, name := range outputs {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		if data, err := os.ReadFile(name); err == nil {
			o.files[role] = data
			_ = os.Remove(name)
		}
	}
	return o
}

// unpack writes the InputRoot of l to root. The contents are read from where the
// Layout says.
func unpack(t *testing.T, l *layout.Layout, contents map[digest.Digest][]byte, root string) {
	t.Helper()
	make1 := func(dir string) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	make1(root)
	for _, e := range l.Entries {
		name := filepath.Join(root, filepath.FromSlash(e.Path))
		make1(filepath.Dir(name))
		var err error
		switch {
		case e.Dir:
			make1(name)
		case e.Target != "":
			err = os.Symlink(e.Target, name)
		default:
			err = os.WriteFile(name, contents[e.Digest], 0o444)
		}
		if err != nil && !errors.Is(err, os.ErrExist) && !errors.Is(err, os.ErrPermission) {
			t.Fatal(err)
		}
	}
	for _, o := range l.Outputs {
		make1(filepath.Dir(filepath.Join(root, l.WorkingDir, o.Path)))
	}
}

// contents reads what the InputRoot of l needs.
func contents(t *testing.T, l *layout.Layout) map[digest.Digest][]byte {
	t.Helper()
	all := make(map[digest.Digest][]byte, len(l.Sources))
	for d, name := range l.Sources {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if digest.Of(data) != d {
			t.Fatalf("%s does not have the content that the Layout says", name)
		}
		all[d] = data
	}
	return all
}

// onWorker runs the Command of l at root, whose content is the InputRoot alone.
func onWorker(t *testing.T, l *layout.Layout, contents map[digest.Digest][]byte, root string) *outcome {
	t.Helper()
	unpack(t, l, contents, root)
	outputs := map[toolchains.Role]string{}
	for _, o := range l.Outputs {
		outputs[o.Role] = o.Path
	}
	return compile(t, l.Arguments, filepath.Join(root, l.WorkingDir), l.Env, outputs)
}
