package merkle

import (
	"errors"
	"fmt"
	"path"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrTree is wrapped by the errors of ReadTree.
var ErrTree = errors.New("malformed tree")

// maxTree bounds what a Tree of few bytes can stand for: a directory that is in
// it once may be named often.
const maxTree = 1 << 16

// ReadTree returns the entries of a Tree message, by which servers describe an
// output directory: directories before what is in them. No name can lead out of
// the directory; targets of symbolic links are what the action wrote. The order
// of the Tree's directories and unknown properties of nodes have no meaning.
func ReadTree(blob []byte, f digest.Function) ([]Entry, error) {
	msg := new(repb.Tree)
	if err := proto.Unmarshal(blob, msg); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTree, err)
	}
	r := &treeReader{directories: make(map[digest.Digest]*repb.Directory, len(msg.Children))}
	for _, child := range msg.Children {
		// A child is named by the digest of its encoding, which all servers
		// make in the canonical way.
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(child)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrTree, err)
		}
		r.directories[f.Of(encoded)] = child
	}
	if err := r.read("", msg.GetRoot()); err != nil {
		return nil, err
	}
	return r.entries, nil
}

type treeReader struct {
	directories map[digest.Digest]*repb.Directory
	entries     []Entry
}

func (r *treeReader) read(at string, dir *repb.Directory) error {
	seen := make(map[string]bool)
	add := func(name string, e Entry) error {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") || seen[name] {
			return fmt.Errorf("%w: name %q", ErrTree, name)
		}
		if len(r.entries) >= maxTree {
			return fmt.Errorf("%w: more than %d entries", ErrTree, maxTree)
		}
		seen[name] = true
		e.Path = path.Join(at, name)
		r.entries = append(r.entries, e)
		return nil
	}
	for _, n := range dir.GetFiles() {
		d, err := FromProto(n.Digest)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrTree, err)
		}
		if err := add(n.Name, Entry{Digest: d, Executable: n.IsExecutable}); err != nil {
			return err
		}
	}
	for _, n := range dir.GetSymlinks() {
		if n.Target == "" {
			return fmt.Errorf("%w: symbolic link %q to nothing", ErrTree, n.Name)
		}
		if err := add(n.Name, Entry{Target: n.Target}); err != nil {
			return err
		}
	}
	for _, n := range dir.GetDirectories() {
		if err := add(n.Name, Entry{Dir: true}); err != nil {
			return err
		}
		d, err := FromProto(n.Digest)
		child := r.directories[d]
		if err != nil || child == nil {
			return fmt.Errorf("%w: directory %q is not in it", ErrTree, n.Name)
		}
		if err := r.read(path.Join(at, n.Name), child); err != nil {
			return err
		}
	}
	return nil
}
