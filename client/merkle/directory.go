package merkle

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A directory is one that is being built.
type directory struct {
	nodes []node
	below map[string]*directory
}

// A node is a leaf, or a directory where leaf is nil.
type node struct {
	name  string
	leaf  *Entry
	below *directory
}

func (n *node) isFile() bool {
	return n.leaf != nil && n.leaf.Mount == nil && n.leaf.Target == ""
}

// An inserter puts entries below root. It remembers where the last one went: most
// of a list stand beside another.
type inserter struct {
	root *directory
	at   string // of last: empty, or with a slash at its end
	last *directory
}

func (in *inserter) insert(e *Entry) error {
	cut := strings.LastIndexByte(e.Path, '/') + 1
	if at := e.Path[:cut]; at != in.at {
		d, err := in.root.descend(at)
		if err != nil {
			return err
		}
		in.at, in.last = at, d
	}
	name := e.Path[cut:]
	switch {
	case !isName(name):
		return fmt.Errorf("%w: %q", ErrPath, e.Path)
	case !utf8.ValidString(e.Target):
		return fmt.Errorf("%w: symbolic link %q to %q", ErrPath, e.Path, e.Target)
	case e.Dir:
		in.last.directory(name)
	default:
		in.last.nodes = append(in.last.nodes, node{name: name, leaf: e})
	}
	return nil
}

// descend returns the directory at a path that is empty or has a slash at its end.
func (d *directory) descend(at string) (*directory, error) {
	for rest := at; rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if !isName(name) {
			return nil, fmt.Errorf("%w: %q", ErrPath, at)
		}
		d = d.directory(name)
	}
	return d, nil
}

func (d *directory) directory(name string) *directory {
	if below := d.below[name]; below != nil {
		return below
	}
	if d.below == nil {
		d.below = make(map[string]*directory)
	}
	below := &directory{}
	d.below[name] = below
	d.nodes = append(d.nodes, node{name: name, below: below})
	return below
}

// isName reports whether a segment of a path can name a node. Strings of a
// message are UTF-8.
func isName(s string) bool {
	return s != "" && s != "." && s != ".." && strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}

// settle brings the nodes into the order of their names, each there once.
func (d *directory) settle() error {
	slices.SortFunc(d.nodes, func(a, b node) int { return strings.Compare(a.name, b.name) })
	kept := d.nodes[:0]
	for _, n := range d.nodes {
		if len(kept) == 0 || kept[len(kept)-1].name != n.name {
			kept = append(kept, n)
			continue
		}
		last := &kept[len(kept)-1]
		switch {
		case last.leaf == nil || n.leaf == nil:
			return fmt.Errorf("%w: %q is a file and a directory", ErrPath, cmp.Or(last.leaf, n.leaf).Path)
		case *last.leaf != *n.leaf:
			return fmt.Errorf("%w: %q is there twice", ErrPath, n.leaf.Path)
		}
	}
	d.nodes = kept
	return nil
}

// An encoder makes the canonical encoding of one Directory
// (remote_execution.proto, Directory): a list for each kind of node, sorted by
// name, and no unknown field.
//
//	Directory     = *(1 FileNode) *(2 DirectoryNode) *(3 SymlinkNode)
//	FileNode      = 1 name  2 Digest  [4 is_executable]
//	DirectoryNode = 1 name  2 Digest
//	SymlinkNode   = 1 name  2 target
//	Digest        = 1 hash in lower-case hexadecimal  [2 size_bytes]
//
// What is false or zero is left out. InputRoots are encoded for every compile;
// messages would be made only to be encoded.
type encoder struct{ blob []byte }

const (
	filesField       = 1
	directoriesField = 2
	symlinksField    = 3

	nameField       = 1
	digestField     = 2
	targetField     = 2
	executableField = 4

	hashField = 1
	sizeField = 2
)

// newEncoder has room for a directory of nodes.
func newEncoder(nodes []node) *encoder {
	const most = 96 // bytes of a node beside its name and target
	size := 0
	for i := range nodes {
		size += most + len(nodes[i].name)
		if e := nodes[i].leaf; e != nil {
			size += len(e.Target)
		}
	}
	return &encoder{make([]byte, 0, size)}
}

func (c *encoder) file(name string, d digest.Digest, executable bool) {
	size := sizeText(len(name)) + sizeDigest(d)
	if executable {
		size += 2
	}
	c.header(filesField, size)
	c.text(nameField, name)
	c.digest(d)
	if executable {
		c.blob = protowire.AppendTag(c.blob, executableField, protowire.VarintType)
		c.blob = protowire.AppendVarint(c.blob, 1)
	}
}

func (c *encoder) directory(name string, d digest.Digest) {
	c.header(directoriesField, sizeText(len(name))+sizeDigest(d))
	c.text(nameField, name)
	c.digest(d)
}

func (c *encoder) symlink(name, target string) {
	c.header(symlinksField, sizeText(len(name))+sizeText(len(target)))
	c.text(nameField, name)
	c.text(targetField, target)
}

func (c *encoder) digest(d digest.Digest) {
	c.header(digestField, sizeDigestFields(d))
	c.header(hashField, hex.EncodedLen(len(d.Hash)))
	c.blob = hex.AppendEncode(c.blob, d.Hash[:])
	if d.Size != 0 {
		c.blob = protowire.AppendTag(c.blob, sizeField, protowire.VarintType)
		c.blob = protowire.AppendVarint(c.blob, uint64(d.Size))
	}
}

func (c *encoder) text(field protowire.Number, s string) {
	c.header(field, len(s))
	c.blob = append(c.blob, s...)
}

// header begins a field of size bytes.
func (c *encoder) header(field protowire.Number, size int) {
	c.blob = protowire.AppendTag(c.blob, field, protowire.BytesType)
	c.blob = protowire.AppendVarint(c.blob, uint64(size))
}

// The numbers of all fields here are less than 16: a tag takes one byte.

func sizeText(n int) int { return 1 + protowire.SizeBytes(n) }

func sizeDigest(d digest.Digest) int { return sizeText(sizeDigestFields(d)) }

func sizeDigestFields(d digest.Digest) int {
	size := sizeText(hex.EncodedLen(len(d.Hash)))
	if d.Size != 0 {
		size += 1 + protowire.SizeVarint(uint64(d.Size))
	}
	return size
}
