package clienttest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// inputTime is the modification time of inputs, Buildbarn's.
const inputTime = 946684800 // 2000-01-01

// searchPath is where programs are looked for where the Command sets no PATH.
const searchPath = "/usr/local/bin:/usr/bin:/bin"

// An execution is one run of a Command in a directory of its own.
type execution struct {
	worker  *worker
	root    string
	command *repb.Command
	timeout time.Duration
}

func (x *execution) materialise(root *repb.Digest) error {
	if err := x.directory(x.root, root); err != nil {
		return err
	}
	if _, err := os.Stat(x.workdir()); err != nil && x.worker.quirks.NeedsFolders {
		return status.Errorf(codes.Internal, "change directory: %v", err)
	}
	if err := os.MkdirAll(x.workdir(), 0o777); err != nil {
		return err
	}
	for _, p := range x.outputs() {
		if filepath.IsAbs(p) || !filepath.IsLocal(filepath.Join(x.base(), filepath.FromSlash(p))) {
			return status.Errorf(codes.InvalidArgument, "output path %q", p)
		}
		if err := os.MkdirAll(filepath.Dir(x.output(p)), 0o777); err != nil {
			return err
		}
	}
	return nil
}

func (x *execution) workdir() string {
	return filepath.Join(x.root, filepath.FromSlash(x.command.WorkingDirectory))
}

// base is what outputs are relative to, relative to the root.
func (x *execution) base() string {
	if x.worker.quirks.RootOutputs {
		return ""
	}
	return filepath.FromSlash(x.command.WorkingDirectory)
}

func (x *execution) output(p string) string {
	return filepath.Join(x.root, x.base(), filepath.FromSlash(p))
}

func (x *execution) outputs() []string {
	out := x.command.OutputPaths
	if len(out) == 0 && x.worker.quirks.OldOutputs {
		//lint:ignore SA1019 this quirk is a server that knows the deprecated fields only
		out = slices.Concat(x.command.OutputFiles, x.command.OutputDirectories)
	}
	return out
}

func (x *execution) directory(path string, d *repb.Digest) error {
	dir := new(repb.Directory)
	if err := x.worker.load(keyOf(d), dir); err != nil {
		return err
	}
	for _, f := range dir.Files {
		data, ok := x.worker.blobs.get(keyOf(f.Digest))
		if !ok {
			return x.worker.missing(keyOf(f.Digest))
		}
		mode := fs.FileMode(0o444)
		if f.IsExecutable {
			mode = 0o555
		}
		if err := x.worker.input(filepath.Join(path, f.Name), f.Digest.Hash, data, mode); err != nil {
			return err
		}
	}
	for _, l := range dir.Symlinks {
		target := digest.OfString(l.Target).String()
		if _, ok := x.worker.blobs.get(target); !ok && x.worker.quirks.NeedsTargets {
			return x.worker.missing(target)
		}
		if err := os.Symlink(l.Target, filepath.Join(path, l.Name)); err != nil {
			return err
		}
	}
	for _, sub := range dir.Directories {
		name := filepath.Join(path, sub.Name)
		if err := os.Mkdir(name, 0o777); err != nil && (x.worker.quirks.RootProperty == "" || !errors.Is(err, fs.ErrExist)) {
			return err
		}
		if err := x.directory(name, sub.Digest); err != nil {
			return err
		}
	}
	return nil
}

// largeInput is the size in bytes from which inputs are links to one copy, as
// Buildbarn's are: shipped compilers are written once.
const largeInput = 256 << 10

// input writes a file of an InputRoot.
func (w *worker) input(name, hash string, data []byte, mode fs.FileMode) error {
	if len(data) < largeInput {
		return writeInput(name, data, mode)
	}
	kept := filepath.Join(w.dir, "kept-"+hash+mode.String())
	if os.Link(kept, name) == nil {
		return nil
	}
	if err := writeInput(name, data, mode); err != nil {
		return err
	}
	if err := os.Link(name, kept); err != nil && !errors.Is(err, fs.ErrExist) { // by another execution
		return err
	}
	return nil
}

func writeInput(name string, data []byte, mode fs.FileMode) error {
	if err := os.WriteFile(name, data, mode); err != nil {
		return err
	}
	return os.Chtimes(name, time.Unix(inputTime, 0), time.Unix(inputTime, 0))
}

func (x *execution) run(ctx context.Context) (*repb.ActionResult, error) {
	ctx, cancel := context.WithTimeout(ctx, x.timeout)
	defer cancel()
	cmd, err := x.cmd(ctx)
	if err != nil {
		return nil, err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	runErr := cmd.Run()
	if cmd.ProcessState == nil {
		return nil, status.Error(codes.InvalidArgument, "the program cannot be started")
	}
	result := &repb.ActionResult{
		ExitCode:     x.exitCode(cmd.ProcessState),
		StdoutDigest: x.text(stdout.Bytes()), StderrDigest: x.text(stderr.Bytes()),
	}
	if !x.worker.quirks.NoWorkerMetadata {
		result.ExecutionMetadata = &repb.ExecutedActionMetadata{
			Worker:                  "clienttest",
			ExecutionStartTimestamp: timestamppb.New(started), ExecutionCompletedTimestamp: timestamppb.Now(),
		}
	}
	if runErr != nil && ctx.Err() != nil {
		result.ExitCode = 0 // as Buildbarn does
		return result, status.FromContextError(ctx.Err()).Err()
	}
	return result, x.collect(result)
}

func (x *execution) cmd(ctx context.Context) (*exec.Cmd, error) {
	if len(x.command.Arguments) == 0 {
		return nil, status.Error(codes.InvalidArgument, "no arguments")
	}
	env := []string{}
	path := searchPath
	for _, v := range x.command.EnvironmentVariables {
		env = append(env, v.Name+"="+v.Value)
		if v.Name == "PATH" {
			path = v.Value
		}
	}
	program := x.command.Arguments[0]
	switch {
	case !strings.Contains(program, "/"):
		for _, dir := range filepath.SplitList(path) {
			if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode().IsRegular() {
				program = filepath.Join(dir, program)
				break
			}
		}
	case !filepath.IsAbs(program):
		program = filepath.Join(x.workdir(), program)
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Args, cmd.Dir, cmd.Env = x.command.Arguments, x.workdir(), env
	switch q := &x.worker.quirks; {
	case q.Chroot, q.RootProperty != "":
		cmd.Path, cmd.Dir = "/usr/bin/unshare", "/"
		cmd.Args = append(x.chroot(), x.command.Arguments...)
	case q.Confined:
		cmd.Path = "/usr/bin/unshare"
		cmd.Args = append(x.confinement(), x.command.Arguments...)
	}
	cmd.WaitDelay = time.Second
	return cmd, nil
}

// confinement are the words that put a command into a mount namespace which
// holds nothing but the InputRoot, /proc and /dev/null.
func (x *execution) confinement() []string {
	const script = `set -e
path=$PATH PATH=/usr/bin:/bin
root=$1 dir=$2
shift 2
base=$(mktemp -d "$root/.confined-XXXXXX")
at=/srv/$(basename "$root")
mount -t tmpfs none "$base"
mkdir -p "$base/proc" "$base/dev" "$base/tmp" "$base$at"
touch "$base/dev/null"
mount --bind /dev/null "$base/dev/null"
mount --rbind /proc "$base/proc"
mount --bind "$root" "$base$at"
PATH=$path
exec /usr/bin/unshare --root="$base" --wd="$at/$dir" "$@"
`
	return []string{
		"unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh", x.root, filepath.FromSlash(x.command.WorkingDirectory),
	}
}

// chroot are the words that make the InputRoot the root of a command's file system.
func (x *execution) chroot() []string {
	const script = `set -e
path=$PATH libraries=$LD_LIBRARY_PATH PATH=/usr/bin:/bin
unset LD_LIBRARY_PATH
root=$1 dir=$2
shift 2
mkdir -p "$root/proc" "$root/dev"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount --rbind /proc "$root/proc"
exec /usr/bin/env PATH="$path" ${libraries:+LD_LIBRARY_PATH="$libraries"} /usr/bin/unshare --root="$root" --wd="/$dir" "$@"
`
	return []string{
		"unshare", "--map-root-user", "--mount", "/bin/sh", "-c", script, "sh", x.root, filepath.FromSlash(x.command.WorkingDirectory),
	}
}

func (x *execution) exitCode(s *os.ProcessState) int32 {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() && x.worker.quirks.ShellSignals {
		return 128 + int32(w.Signal())
	}
	return int32(s.ExitCode())
}

func (x *execution) text(data []byte) *repb.Digest {
	if len(data) == 0 && !x.worker.quirks.EmptyStreamDigests {
		return nil
	}
	return merkle.Proto(x.worker.blobs.put(data))
}

// collect adds the declared outputs that are there. One that is not is no
// error: that is how servers are.
func (x *execution) collect(result *repb.ActionResult) error {
	for _, p := range x.outputs() {
		info, err := os.Lstat(x.output(p))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.IsDir():
			err = x.collectTree(result, p)
		case info.Mode()&fs.ModeSymlink != 0:
			err = x.collectSymlink(result, p)
		default:
			err = x.collectFile(result, p, info)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (x *execution) collectFile(result *repb.ActionResult, p string, info fs.FileInfo) error {
	d, err := x.file(x.output(p))
	result.OutputFiles = append(result.OutputFiles, &repb.OutputFile{Path: p, Digest: merkle.Proto(d), IsExecutable: info.Mode()&0o111 != 0})
	return err
}

func (x *execution) file(path string) (digest.Digest, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return digest.Digest{}, err
	}
	return x.worker.blobs.put(data), nil
}

func (x *execution) collectSymlink(result *repb.ActionResult, p string) error {
	target, err := os.Readlink(x.output(p))
	result.OutputSymlinks = append(result.OutputSymlinks, &repb.OutputSymlink{Path: p, Target: target})
	return err
}

func (x *execution) collectTree(result *repb.ActionResult, p string) error {
	tree := new(repb.Tree)
	root, err := x.tree(tree, x.output(p))
	if err != nil {
		return err
	}
	tree.Root = root
	out := &repb.OutputDirectory{Path: p}
	format := x.command.OutputDirectoryFormat
	if x.worker.quirks.TreesOnly {
		format = repb.Command_TREE_ONLY
	}
	if format != repb.Command_DIRECTORY_ONLY {
		if out.TreeDigest, err = x.message(tree); err != nil {
			return err
		}
	}
	if format != repb.Command_TREE_ONLY {
		for _, dir := range append(tree.Children, root) {
			if out.RootDirectoryDigest, err = x.message(dir); err != nil {
				return err
			}
		}
	}
	result.OutputDirectories = append(result.OutputDirectories, out)
	return nil
}

// message puts m into the CAS.
func (x *execution) message(m proto.Message) (*repb.Digest, error) {
	blob, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, err
	}
	return merkle.Proto(x.worker.blobs.put(blob)), nil
}

// tree returns the Directory of path and adds those below it to t.
func (x *execution) tree(t *repb.Tree, path string) (*repb.Directory, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	out := new(repb.Directory)
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		switch {
		case e.IsDir():
			err = x.subtree(t, out, name)
		case e.Type()&fs.ModeSymlink != 0:
			var target string
			target, err = os.Readlink(name)
			out.Symlinks = append(out.Symlinks, &repb.SymlinkNode{Name: e.Name(), Target: target})
		default:
			var d digest.Digest
			d, err = x.file(name)
			out.Files = append(out.Files, &repb.FileNode{Name: e.Name(), Digest: merkle.Proto(d), IsExecutable: info.Mode()&0o111 != 0})
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (x *execution) subtree(t *repb.Tree, parent *repb.Directory, path string) error {
	sub, err := x.tree(t, path)
	if err != nil {
		return err
	}
	blob, err := proto.MarshalOptions{Deterministic: true}.Marshal(sub)
	if err != nil {
		return err
	}
	t.Children = append(t.Children, sub)
	parent.Directories = append(parent.Directories, &repb.DirectoryNode{Name: filepath.Base(path), Digest: merkle.Proto(digest.Of(blob))})
	return nil
}

// removeAll removes dir even where an action took permissions away.
func removeAll(dir string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, _ error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(path, 0o700) // what stays is removed with the test's folder
		}
		return nil
	})
	_ = os.RemoveAll(dir)
}
