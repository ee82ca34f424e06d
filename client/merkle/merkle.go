// Package merkle builds REv2 InputRoots: a tree of Directory messages from a
// flat list of entries. The result depends on the entries alone, never on their
// order. Uploading the blobs is the business of client/cas; client/action puts
// the root's digest into an Action.
package merkle

import (
	"errors"
	"slices"
	"strconv"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"

	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrPath is wrapped by the errors of Build for paths that cannot stand in an
// InputRoot: absolute, empty, with "." or ".." or empty segments, not in UTF-8.
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
	modes    map[digest.Digest]bool // of the files, but for those of mounts
	mounts   []*Tree
}

// Build returns the InputRoot of entries. Two entries may share a path only if
// they are equal or both directories. A file that stands where another entry
// needs a directory is an error.
func Build(entries []Entry) (*Tree, error) { return BuildBy(digest.SHA256, entries) }

// BuildBy is Build with Directories named by f, as the entries must be.
func BuildBy(f digest.Function, entries []Entry) (*Tree, error) {
	root := &directory{}
	in := &inserter{root: root, last: root}
	for i := range entries {
		if err := in.insert(&entries[i]); err != nil {
			return nil, err
		}
	}
	t := &Tree{
		Directories: make(map[digest.Digest][]byte), Targets: make(map[digest.Digest][]byte),
		function: f, modes: make(map[digest.Digest]bool, len(entries)),
	}
	var err error
	if t.Root, err = t.encode(root); err != nil {
		return nil, err
	}
	t.noteMounts()
	return t, nil
}

// encode puts d and what is below it into Directories.
func (t *Tree) encode(d *directory) (digest.Digest, error) {
	if err := d.settle(); err != nil {
		return digest.Digest{}, err
	}
	c := newEncoder(d.nodes)
	for i := range d.nodes {
		n := &d.nodes[i]
		if n.isFile() {
			t.noteMode(n.leaf.Digest, n.leaf.Executable)
			c.file(n.name, n.leaf.Digest, n.leaf.Executable)
		}
	}
	for _, n := range d.nodes {
		switch {
		case n.leaf == nil:
			below, err := t.encode(n.below)
			if err != nil {
				return digest.Digest{}, err
			}
			c.directory(n.name, below)
		case n.leaf.Mount != nil:
			t.mounts = append(t.mounts, n.leaf.Mount)
			c.directory(n.name, n.leaf.Mount.Root)
		}
	}
	for _, n := range d.nodes {
		if n.leaf != nil && n.leaf.Target != "" {
			target := []byte(n.leaf.Target)
			t.Targets[t.function.Of(target)] = target
			c.symlink(n.name, n.leaf.Target)
		}
	}
	name := t.function.Of(c.blob)
	t.Directories[name] = c.blob
	return name, nil
}

func (t *Tree) noteMode(d digest.Digest, executable bool) {
	other, seen := t.modes[d]
	t.MixedModes = t.MixedModes || (seen && executable != other)
	t.modes[d] = executable
}

// noteMounts notes what of the mounted trees concerns the whole.
func (t *Tree) noteMounts() {
	for i, m := range t.mounts {
		t.MixedModes = t.MixedModes || m.MixedModes || t.mixes(m) || slices.ContainsFunc(t.mounts[:i], m.mixes)
	}
}

// mixes reports whether a digest has one mode in t and another one in m.
func (t *Tree) mixes(m *Tree) bool {
	few, many := t.modes, m.modes
	if len(few) > len(many) {
		few, many = many, few
	}
	for d, executable := range few {
		if other, both := many[d]; both && other != executable {
			return true
		}
	}
	return slices.ContainsFunc(m.mounts, t.mixes)
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
