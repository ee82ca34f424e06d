package merkle

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrTree is wrapped by the errors of ReadTree.
var ErrTree = errors.New("malformed tree")

// maxTree bounds what a Tree of few bytes can stand for: a directory that is in
// it once may be named often.
const maxTree = 1 << 16

// ReadTree returns the entries of a Tree message, by which servers describe an
// output directory: directories before what is in them. No name and no target
// of a symbolic link leads out of the directory, and there is nothing but files,
// directories and such links. The order of the Tree's directories and unknown
// properties of nodes have no meaning.
func ReadTree(blob []byte, f digest.Function) ([]Entry, error) {
	r := &treeReader{directories: make(map[digest.Digest]*repb.Directory)}
	root := new(repb.Directory)
	err := treeFields(blob, func(field protowire.Number, encoded []byte) error {
		dir := new(repb.Directory)
		if err := proto.Unmarshal(encoded, dir); err != nil {
			return err
		}
		switch field {
		case treeRoot:
			root = dir
		case treeChild:
			r.directories[f.Of(encoded)] = dir
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTree, err)
	}
	if err := r.read("", root); err != nil {
		return nil, err
	}
	return r.entries, nil
}

// The fields of Tree. It is taken apart by hand, since a child is named by the
// digest of its encoding, of which the server has the say.
const (
	treeRoot  = 1
	treeChild = 2
)

func treeFields(blob []byte, each func(field protowire.Number, encoded []byte) error) error {
	for len(blob) > 0 {
		field, kind, n := protowire.ConsumeTag(blob)
		if n < 0 {
			return protowire.ParseError(n)
		}
		blob = blob[n:]
		var encoded []byte
		if kind == protowire.BytesType && (field == treeRoot || field == treeChild) {
			if encoded, n = protowire.ConsumeBytes(blob); n >= 0 {
				if err := each(field, encoded); err != nil {
					return err
				}
			}
		} else {
			n = protowire.ConsumeFieldValue(field, kind, blob)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		blob = blob[n:]
	}
	return nil
}

// ReadDirectories is ReadTree for servers that describe an output directory by
// its root Directory (output_directory_format). fetch returns blobs in the order
// of their digests; it is called once for each level of the directory.
func ReadDirectories(root digest.Digest, fetch func([]digest.Digest) ([][]byte, error)) ([]Entry, error) {
	r := &treeReader{directories: make(map[digest.Digest]*repb.Directory)}
	for open := []digest.Digest{root}; len(open) > 0; {
		blobs, err := fetch(open)
		if err != nil {
			return nil, err
		}
		level := open
		open = nil
		for i, d := range level {
			dir := new(repb.Directory)
			if err := proto.Unmarshal(blobs[i], dir); err != nil {
				return nil, fmt.Errorf("%w: %w", ErrTree, err)
			}
			r.directories[d] = dir
		}
		for _, d := range level {
			for _, n := range r.directories[d].Directories {
				sub, err := FromProto(n.Digest)
				if err != nil {
					return nil, fmt.Errorf("%w: %w", ErrTree, err)
				}
				if _, known := r.directories[sub]; !known && !slices.Contains(open, sub) {
					open = append(open, sub)
				}
			}
		}
		if len(r.directories)+len(open) > maxTree {
			return nil, fmt.Errorf("%w: more than %d directories", ErrTree, maxTree)
		}
	}
	if err := r.read("", r.directories[root]); err != nil {
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
		if !inside(path.Join(at, n.Name), n.Target) {
			return fmt.Errorf("%w: symbolic link %q to %q", ErrTree, n.Name, n.Target)
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

// inside reports whether a symbolic link stays in the directory that link is
// relative to. A target that goes through another link is taken by its words:
// each link by itself stays inside.
func inside(link, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsAny(target, "\\\x00") {
		return false
	}
	depth := strings.Count(link, "/")
	for seg := range strings.SplitSeq(target, "/") {
		switch seg {
		case "", ".":
		case "..":
			depth--
		default:
			depth++
		}
		if depth < 0 {
			return false
		}
	}
	return true
}
