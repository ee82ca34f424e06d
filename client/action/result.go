package action

import (
	"errors"
	"fmt"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

// ErrResult is wrapped by the errors of ReadResult: the message is not an
// answer to the Command.
var ErrResult = errors.New("malformed action result")

// A Result is an ActionResult that names nothing but declared outputs.
type Result struct {
	ExitCode       int
	Files          map[string]File // by path, as declared
	Directories    map[string]Directory
	Symlinks       map[string]string // targets, which the action chose: follow none
	Stdout, Stderr Stream
	Missing        []string // declared outputs that are not there

	// Metadata says who executed it and when. It may be nil, and is the
	// server's word.
	Metadata *repb.ExecutedActionMetadata
}

// A File is an output file. Contents is nil unless they came with the result;
// they fit Digest.
type File struct {
	Digest     digest.Digest
	Executable bool
	Contents   []byte
}

// A Directory is an output directory: its Tree, its root Directory, or both.
// One of the digests may be zero.
type Directory struct{ Tree, Root digest.Digest }

// Entries returns what is in the directory, by merkle.ReadTree or
// ReadDirectories. fetch returns verified blobs in the order of their digests.
func (d Directory) Entries(f digest.Function, fetch func([]digest.Digest) ([][]byte, error)) ([]merkle.Entry, error) {
	if d.Tree.IsZero() {
		return merkle.ReadDirectories(d.Root, fetch)
	}
	blobs, err := fetch([]digest.Digest{d.Tree})
	if err != nil {
		return nil, err
	}
	return merkle.ReadTree(blobs[0], f)
}

// A Stream is what was written to stdout or stderr: in Raw if it came with the
// result or is empty, else the blob Digest.
type Stream struct {
	Raw    []byte
	Digest digest.Digest // zero if Raw is all there is
}

// Inline reports whether s.Raw is the whole stream.
func (s Stream) Inline() bool { return s.Digest.IsZero() }

// ReadResult reads the result of a Command whose output_paths are outputs.
// Servers leave out what a Command did not write, whatever its exit code: such
// outputs are in Missing. They also differ in whether an empty stream has a
// digest, and in whether a stream that is in the message has one besides. An
// output that was not declared is an error, so that no result can write
// anywhere else.
func ReadResult(msg *repb.ActionResult, outputs []string, f digest.Function) (*Result, error) {
	r := &Result{
		ExitCode: int(msg.GetExitCode()), Metadata: msg.GetExecutionMetadata(),
		Files: make(map[string]File), Directories: make(map[string]Directory), Symlinks: make(map[string]string),
	}
	open := make(map[string]bool, len(outputs))
	for _, p := range outputs {
		open[p] = true
	}
	if err := r.readOutputs(msg, open, f); err != nil {
		return nil, err
	}
	for _, p := range outputs {
		if open[p] {
			r.Missing = append(r.Missing, p)
		}
	}
	var err error
	if r.Stdout, err = readStream(msg.GetStdoutRaw(), msg.GetStdoutDigest(), f); err != nil {
		return nil, err
	}
	r.Stderr, err = readStream(msg.GetStderrRaw(), msg.GetStderrDigest(), f)
	return r, err
}

// readOutputs takes from open what it finds.
func (r *Result) readOutputs(msg *repb.ActionResult, open map[string]bool, f digest.Function) error {
	take := func(path string) error {
		if !open[path] {
			return fmt.Errorf("%w: output %q was not declared, or is there twice", ErrResult, path)
		}
		delete(open, path)
		return nil
	}
	for _, o := range msg.GetOutputFiles() {
		d, err := merkle.FromProto(o.Digest)
		if err := errors.Join(take(o.Path), err); err != nil {
			return fmt.Errorf("%w: %w", ErrResult, err)
		}
		file := File{Digest: d, Executable: o.IsExecutable}
		if len(o.Contents) > 0 && f.Of(o.Contents) == d {
			file.Contents = o.Contents
		}
		r.Files[o.Path] = file
	}
	for _, o := range msg.GetOutputDirectories() {
		d, err := readDirectory(o)
		if err := errors.Join(take(o.Path), err); err != nil {
			return fmt.Errorf("%w: %w", ErrResult, err)
		}
		r.Directories[o.Path] = d
	}
	return r.readSymlinks(msg, take)
}

func readDirectory(o *repb.OutputDirectory) (d Directory, err error) {
	if o.RootDirectoryDigest != nil {
		if d.Root, err = merkle.FromProto(o.RootDirectoryDigest); err != nil || o.TreeDigest == nil {
			return d, err
		}
	}
	d.Tree, err = merkle.FromProto(o.TreeDigest)
	return d, err
}

// readSymlinks reads the field of REv2.1 and those of 2.0. Servers of between
// fill both.
func (r *Result) readSymlinks(msg *repb.ActionResult, take func(string) error) error {
	//lint:ignore SA1019 servers of REv2.0 fill the two deprecated fields only
	for i, list := range [][]*repb.OutputSymlink{msg.GetOutputSymlinks(), msg.GetOutputFileSymlinks(), msg.GetOutputDirectorySymlinks()} {
		for _, o := range list {
			if target, ok := r.Symlinks[o.Path]; ok && i > 0 && target == o.Target {
				continue
			}
			if err := take(o.Path); err != nil {
				return err
			}
			r.Symlinks[o.Path] = o.Target
		}
	}
	return nil
}

func readStream(raw []byte, d *repb.Digest, f digest.Function) (Stream, error) {
	if d == nil {
		return Stream{Raw: raw}, nil
	}
	named, err := merkle.FromProto(d)
	if err != nil {
		return Stream{}, fmt.Errorf("%w: stream: %w", ErrResult, err)
	}
	if named.Size == 0 || f.Of(raw) == named {
		return Stream{Raw: raw}, nil
	}
	return Stream{Digest: named}, nil
}
