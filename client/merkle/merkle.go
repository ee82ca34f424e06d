// Package merkle builds REv2 InputRoots: a tree of Directory messages from a
// flat list of entries. The result depends on the entries alone, never on their
// order. Uploading the blobs is the business of client/cas; client/action puts
// the root's digest into an Action.
package merkle

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrPath is wrapped by the errors of Build for paths that cannot stand in an
// InputRoot: absolute, empty, with "." or ".." or empty segments.
var ErrPath = errors.New("path is not inside the input root")

// An Entry is one node of an InputRoot. Path is relative and separated by
// slashes. Exactly one of the kinds holds: a symbolic link if Target is set, a
// directory if Dir or Mount is set, else a file.
type Entry struct {
	Path       string
	Digest     digest.Digest // of a file
	Executable bool
	Target     string // of a symbolic link
	Dir        bool   // an otherwise empty directory
	// Mount is a directory that was built before. Nothing else stands below
	// it, and its Directories are not among those of the tree that it is
	// mounted into.
	Mount *Tree
}

// A Tree is an InputRoot: the digest of its root Directory and the encoding of
// every Directory in it by digest.
type Tree struct {
	Root        digest.Digest
	Directories map[digest.Digest][]byte

	// Targets are the texts of symbolic links, by digest. One server wants
	// them in the CAS (just).
	Targets map[digest.Digest][]byte

	// MixedModes says that one digest stands for an executable file and for
	// another that is not: one server makes both executable (mettle).
	MixedModes bool

	function digest.Function
	modes    map[digest.Digest]bool
}

// Build returns the InputRoot of entries. Two entries may share a path only if
// they are equal or both directories. A file that stands where another entry
// needs a directory is an error.
func Build(entries []Entry) (*Tree, error) { return BuildBy(digest.SHA256, entries) }

// BuildBy is Build with Directories named by f, as the entries must be.
func BuildBy(f digest.Function, entries []Entry) (*Tree, error) {
	root := &node{}
	for i := range entries {
		if err := root.insert(&entries[i]); err != nil {
			return nil, err
		}
	}
	t := &Tree{
		Directories: make(map[digest.Digest][]byte), Targets: make(map[digest.Digest][]byte),
		function: f, modes: make(map[digest.Digest]bool),
	}
	d, err := t.encode(root)
	if err != nil {
		return nil, err
	}
	t.Root = d
	return t, nil
}

type node struct {
	leaf     *Entry // nil for directories
	children map[string]*node
}

func (n *node) insert(e *Entry) error {
	rest := e.Path
	for more := true; more; {
		var name string
		name, rest, more = strings.Cut(rest, "/")
		if name == "" || name == "." || name == ".." || strings.ContainsRune(name, 0) {
			return fmt.Errorf("%w: %q", ErrPath, e.Path)
		}
		if n.leaf != nil {
			return fmt.Errorf("%w: %q is below the file %q", ErrPath, e.Path, n.leaf.Path)
		}
		child := n.children[name]
		if child == nil {
			child = &node{}
			if n.children == nil {
				n.children = make(map[string]*node)
			}
			n.children[name] = child
			if !more && !e.Dir {
				child.leaf = e
			}
		} else if !more && !child.holds(e) {
			return fmt.Errorf("%w: %q is there twice", ErrPath, e.Path)
		}
		n = child
	}
	return nil
}

// holds reports whether inserting e at n again changes nothing.
func (n *node) holds(e *Entry) bool {
	if e.Dir {
		return n.leaf == nil
	}
	return n.leaf != nil && *n.leaf == *e
}

func (t *Tree) encode(n *node) (digest.Digest, error) {
	dir := &repb.Directory{}
	for _, name := range sortedNames(n.children) {
		child := n.children[name]
		switch {
		case child.leaf == nil:
			d, err := t.encode(child)
			if err != nil {
				return digest.Digest{}, err
			}
			dir.Directories = append(dir.Directories, &repb.DirectoryNode{Name: name, Digest: Proto(d)})
		case child.leaf.Mount != nil:
			t.mount(child.leaf.Mount)
			dir.Directories = append(dir.Directories, &repb.DirectoryNode{Name: name, Digest: Proto(child.leaf.Mount.Root)})
		case child.leaf.Target != "":
			target := []byte(child.leaf.Target)
			t.Targets[t.function.Of(target)] = target
			dir.Symlinks = append(dir.Symlinks, &repb.SymlinkNode{Name: name, Target: child.leaf.Target})
		default:
			t.noteMode(child.leaf.Digest, child.leaf.Executable)
			dir.Files = append(dir.Files, &repb.FileNode{Name: name, Digest: Proto(child.leaf.Digest), IsExecutable: child.leaf.Executable})
		}
	}
	blob, err := proto.MarshalOptions{Deterministic: true}.Marshal(dir)
	if err != nil {
		return digest.Digest{}, fmt.Errorf("encode directory: %w", err)
	}
	d := t.function.Of(blob)
	t.Directories[d] = blob
	return d, nil
}

func (t *Tree) noteMode(d digest.Digest, executable bool) {
	other, seen := t.modes[d]
	t.MixedModes = t.MixedModes || (seen && executable != other)
	t.modes[d] = executable
}

// mount notes what of a mounted tree concerns the whole.
func (t *Tree) mount(m *Tree) {
	t.MixedModes = t.MixedModes || m.MixedModes
	for d, executable := range m.modes {
		t.noteMode(d, executable)
	}
}

func sortedNames(children map[string]*node) []string {
	names := make([]string, 0, len(children))
	for name := range children {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Proto returns d as REv2's message.
func Proto(d digest.Digest) *repb.Digest {
	return &repb.Digest{Hash: d.Hex(), SizeBytes: d.Size}
}

// FromProto is the inverse of Proto. Hashes of other lengths than rexwrap's
// functions have are malformed, and so is a missing message.
func FromProto(d *repb.Digest) (digest.Digest, error) {
	return digest.Parse(d.GetHash() + "/" + strconv.FormatInt(d.GetSizeBytes(), 10))
}
