package clienttest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// An Action describes a Command with its inputs, for tests.
type Action struct {
	action.Spec
	Files   map[string]string // inputs by path
	Scripts map[string]string // executable inputs by path
	Links   map[string]string // targets of symbolic links by path
}

// Shell returns an Action that runs a script of the shell's, of which outputs
// are collected.
func Shell(script string, outputs ...string) *Action {
	return &Action{Spec: action.Spec{
		Arguments: []string{"/bin/sh", "-c", script}, OutputFiles: outputs, Timeout: time.Minute,
		Env: []string{"PATH=/usr/bin:/bin"},
	}}
}

// Request returns the Request of a, and the blobs it needs.
func (a *Action) Request(t testing.TB) (*execute.Request, []cas.Blob) {
	t.Helper()
	var entries []merkle.Entry
	var blobs []cas.Blob
	add := func(path, content string, executable bool) {
		d := digest.OfString(content)
		entries = append(entries, merkle.Entry{Path: path, Digest: d, Executable: executable})
		blobs = append(blobs, cas.Bytes(d, []byte(content)))
	}
	for path, content := range a.Files {
		add(path, content, false)
	}
	for path, content := range a.Scripts {
		add(path, content, true)
	}
	for path, target := range a.Links {
		entries = append(entries, merkle.Entry{Path: path, Target: target})
	}
	tree, err := merkle.Build(append(entries, a.Folders()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []map[digest.Digest][]byte{tree.Directories, tree.Targets} {
		for d, blob := range more {
			blobs = append(blobs, cas.Bytes(d, blob))
		}
	}
	a.InputRoot = tree.Root
	e, err := action.Encode(&a.Spec)
	if err != nil {
		t.Fatal(err)
	}
	blobs = append(blobs, cas.Bytes(e.Action, e.ActionBlob), cas.Bytes(e.Command, e.CommandBlob))
	return &execute.Request{Action: e.Action, Outputs: a.OutputPaths(), Timeout: a.Timeout}, blobs
}

// Uploaded returns the Request of a after uploading what it needs to s.
func (a *Action) Uploaded(t testing.TB, s cas.Store) *execute.Request {
	t.Helper()
	req, blobs := a.Request(t)
	if err := s.Upload(t.Context(), blobs...); err != nil {
		t.Fatal(err)
	}
	return req
}

// TestExecutor checks that an Executor keeps its interface's promises.
// newExecutor returns one with the Store that its workers use. It needs a
// POSIX shell.
func TestExecutor(t *testing.T, newExecutor func(t *testing.T) (execute.Executor, cas.Store)) {
	for name, check := range map[string]func(*testing.T, execute.Executor, cas.Store){
		"Output": executeOutput, "Environment": executeEnvironment, "OnlyInputs": executeOnlyInputs, "Streams": executeStreams,
		"WorkingDir": executeWorkingDir, "InputLink": executeInputLink, "Directory": executeDirectory, "ExitCode": executeExitCode, "Incomplete": executeIncomplete,
		"Killed": executeKilled, "NoProgram": executeNoProgram, "TimedOut": executeTimedOut, "Cancelled": executeCancelled,
		"Concurrent": executeConcurrent,
	} {
		t.Run(name, func(t *testing.T) {
			e, s := newExecutor(t)
			check(t, e, s)
		})
	}
}

func mustExecute(t *testing.T, e execute.Executor, req *execute.Request) *execute.Response {
	t.Helper()
	response, err := e.Execute(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

func checkFile(t *testing.T, s cas.Store, r *execute.Response, path, want string) {
	t.Helper()
	got, err := cas.Read(t.Context(), s, r.Files[path].Digest)
	if err != nil || string(got) != want {
		t.Errorf("%s is %q, %v, want %q", path, got, err, want)
	}
}

func text(t *testing.T, s cas.Store, stream action.Stream) string {
	t.Helper()
	if stream.Inline() {
		return string(stream.Raw)
	}
	var b bytes.Buffer
	if err := s.Fetch(t.Context(), cas.Wanted{Digest: stream.Digest, Into: &b}); err != nil {
		t.Error(err)
	}
	return b.String()
}

func executeOutput(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("./tool <in >out/x.o; chmod +x out/x.o; cat in >y", "out/x.o", "y")
	a.Files, a.Scripts = map[string]string{"in": "input"}, map[string]string{"tool": "#!/bin/sh\ntr a-z A-Z\n"}
	r := mustExecute(t, e, a.Uploaded(t, s))
	checkFile(t, s, r, "out/x.o", "INPUT")
	checkFile(t, s, r, "y", "input")
	if !r.Files["out/x.o"].Executable || r.Files["y"].Executable {
		t.Errorf("permissions are lost: %+v", r.Files)
	}
}

func executeEnvironment(t *testing.T, e execute.Executor, s cas.Store) {
	t.Setenv("REXWRAP_TEST_LEAK", "leak")
	a := Shell("echo $A $REXWRAP_TEST_LEAK $HOME >out", "out")
	a.Env = []string{"A=a"}
	checkFile(t, s, mustExecute(t, e, a.Uploaded(t, s)), "out", "a\n")
}

func executeOnlyInputs(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("list=$(find . -type f | sort); echo $list >out", "out")
	a.Files = map[string]string{"a/b.h": "1", "c.c": "2"}
	checkFile(t, s, mustExecute(t, e, a.Uploaded(t, s)), "out", "./a/b.h ./c.c\n")
}

func executeStreams(t *testing.T, e execute.Executor, s cas.Store) {
	r := mustExecute(t, e, Shell("echo to stdout; echo to stderr >&2").Uploaded(t, s))
	if out, err := text(t, s, r.Stdout), text(t, s, r.Stderr); out != "to stdout\n" || err != "to stderr\n" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
	r = mustExecute(t, e, Shell("exit 0").Uploaded(t, s))
	if out, err := text(t, s, r.Stdout), text(t, s, r.Stderr); out != "" || err != "" {
		t.Errorf("stdout %q, stderr %q", out, err)
	}
}

func executeWorkingDir(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("cat ../src/a >../obj/a.o", "../obj/a.o")
	a.Files, a.WorkingDir = map[string]string{"src/a": "source"}, "build"
	checkFile(t, s, mustExecute(t, e, a.Uploaded(t, s)), "../obj/a.o", "source")
}

func executeInputLink(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("cat d/link/in >out", "out")
	a.Files, a.Links = map[string]string{"a/b/in": "input"}, map[string]string{"d/link": "../a/b"}
	checkFile(t, s, mustExecute(t, e, a.Uploaded(t, s)), "out", "input")
}

// executeDirectory asks for each format. Servers may make another one.
func executeDirectory(t *testing.T, e execute.Executor, s cas.Store) {
	for _, format := range []action.DirectoryFormat{action.TreeOnly, action.DirectoryOnly, action.TreeAndDirectory} {
		a := Shell("mkdir -p d/e; echo x >d/e/f; ln -s nowhere d/l")
		a.OutputDirs, a.Format = []string{"d"}, format
		r := mustExecute(t, e, a.Uploaded(t, s))
		got, err := r.Directories["d"].Entries(digest.SHA256, func(digests []digest.Digest) ([][]byte, error) {
			return cas.ReadAll(t.Context(), s, digests)
		})
		want := []merkle.Entry{{Path: "l", Target: "nowhere"}, {Path: "e", Dir: true}, {Path: "e/f", Digest: digest.OfString("x\n")}}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("format %d: %+v, %v, want %+v", format, got, err, want)
		}
	}
}

func executeExitCode(t *testing.T, e execute.Executor, s cas.Store) {
	r := mustExecute(t, e, Shell("echo broken >&2; exit 3", "out").Uploaded(t, s))
	if r.ExitCode != 3 || text(t, s, r.Stderr) != "broken\n" {
		t.Errorf("exit code %d", r.ExitCode)
	}
}

func executeIncomplete(t *testing.T, e execute.Executor, s cas.Store) {
	req := Shell("echo x >a", "a", "b").Uploaded(t, s)
	for range 2 { // servers cache it
		if r, err := e.Execute(t.Context(), req); !errors.Is(err, execute.ErrIncomplete) || !strings.Contains(err.Error(), "b") {
			t.Errorf("%+v, %v", r, err)
		}
	}
}

func executeKilled(t *testing.T, e execute.Executor, s cas.Store) {
	if r, err := e.Execute(t.Context(), Shell("kill -SEGV $$").Uploaded(t, s)); !errors.Is(err, execute.ErrSuspect) {
		t.Errorf("%+v, %v", r, err)
	}
}

func executeNoProgram(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("")
	a.Arguments = []string{"/nonexistent/cc", "-c", "x.c"}
	if r, err := e.Execute(t.Context(), a.Uploaded(t, s)); !errors.Is(err, execute.ErrRejected) && !errors.Is(err, execute.ErrSuspect) {
		t.Errorf("%+v, %v", r, err)
	}
}

func executeTimedOut(t *testing.T, e execute.Executor, s cas.Store) {
	a := Shell("exec sleep 60", "out")
	a.Timeout = 50 * time.Millisecond
	if r, err := e.Execute(t.Context(), a.Uploaded(t, s)); !errors.Is(err, execute.ErrTimedOut) {
		t.Errorf("%+v, %v", r, err)
	}
}

func executeCancelled(t *testing.T, e execute.Executor, s cas.Store) {
	req := Shell("exec sleep 60").Uploaded(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if r, err := e.Execute(ctx, req); err == nil {
		t.Errorf("%+v", r)
	}
}

func executeConcurrent(t *testing.T, e execute.Executor, s cas.Store) {
	var all sync.WaitGroup
	for i := range 8 {
		a := Shell("cat in >out", "out")
		content := strings.Repeat("x", i%4+1) // each twice
		a.Files = map[string]string{"in": content}
		req := a.Uploaded(t, s)
		all.Go(func() {
			r, err := e.Execute(t.Context(), req)
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := cas.Read(t.Context(), s, r.Files["out"].Digest); err != nil || string(got) != content {
				t.Errorf("out is %q, %v, want %q", got, err, content)
			}
		})
	}
	all.Wait()
}
