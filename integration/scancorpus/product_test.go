package scancorpus

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/cpp"
	"github.com/rexwrap/rexwrap/depscan/cpp/cpptest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
	"github.com/rexwrap/rexwrap/toolchains/msvc"
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

// counter runs commands and counts them.
type counter struct {
	mu     sync.Mutex
	starts int
}

func (k *counter) run(ctx context.Context, c toolchains.Command) (*toolchains.CommandResult, error) {
	k.mu.Lock()
	k.starts++
	k.mu.Unlock()
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

// maxStarts bounds the processes for compilers and flag sets that are not known yet.
const maxStarts = 40

// TestWithFamilies scans with the parsers and the prober of the product, and
// checks that a scan starts no process once its flag set is known.
func TestWithFamilies(t *testing.T) {
	var k counter
	resolver := toolchains.NewResolver(readFiles{}, k.run, &memory{})
	s := cpp.New(cpp.Options{Compiler: probe.New(readFiles{}, k.run, &memory{})})
	defer s.Close()
	dir := t.TempDir()
	flags := []string{"-O2", "-g", "-Wall", "-pthread", "-fPIC", "-Wp,-D_FORTIFY_SOURCE=2", "-MD", "-MF", "x.d"}
	var units []unit
	for _, cc := range []string{"gcc", "clang"} {
		units = append(units, headers(t, dir, "c", false, cHeaders[:20], slices.Concat(flags, []string{"-std=gnu11"}), cc)...)
		units = append(units, headers(t, dir, "cxx", true, cxxHeaders[:20], slices.Concat(flags, []string{"-std=c++17"}), cc)...)
	}
	for i, u := range microsoft(t, units, 2) {
		u.argv = slices.Insert(u.argv, 1, "/O1", "/W4", "/Z7", "/I"+strconv.Itoa(i)) // another search for each
		units = append(units, u)
	}
	families := map[string]toolchains.Family{"gcc": gcc.New(), "clang": clang.New(), toolchains.FamilyClangCL: msvc.NewClang()}
	for round := range 2 {
		before := k.starts
		for _, u := range units {
			call := &toolchains.Call{Program: u.argv[0], Argv: u.argv, Dir: u.dir, Env: toolchains.Environ{"PATH=" + os.Getenv("PATH")}}
			tc, err := resolver.Resolve(context.Background(), call)
			if err != nil {
				t.Fatal(err)
			}
			c, err := families[tc.Family].Parse(call, tc)
			if err != nil {
				t.Fatalf("%v: %v", u.argv, err)
			}
			in, err := s.Scan(context.Background(), c)
			if err != nil {
				t.Fatalf("%v: %v", u.argv, err)
			}
			if round > 0 {
				continue
			}
			want, err := cpptest.ReadBy(context.Background(), cpptest.Compile(u.dir, nil, u.argv...), true)
			if err != nil {
				t.Fatal(err)
			}
			if d := difference(in.Files, want); d != "" {
				t.Errorf("%s %s:%s", filepath.Base(u.argv[0]), strings.Join(u.argv[1:], " "), d)
			}
		}
		t.Logf("round %d: %d processes for %d units", round, k.starts-before, len(units))
		if k.starts-before > maxStarts {
			t.Errorf("%d processes", k.starts-before)
		}
		if round > 0 && k.starts != before {
			t.Errorf("%d processes for compiles that are known", k.starts-before)
		}
	}
}
