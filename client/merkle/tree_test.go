package merkle

import (
	"errors"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

func encode(t *testing.T, m proto.Message) []byte {
	t.Helper()
	blob, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func TestReadTree(t *testing.T) {
	file := digest.OfString("x")
	leaf := &repb.Directory{
		Files:    []*repb.FileNode{{Name: "f", Digest: Proto(file), IsExecutable: true, NodeProperties: &repb.NodeProperties{Properties: []*repb.NodeProperty{{Name: "mettle.pack", Value: "1"}}}}},
		Symlinks: []*repb.SymlinkNode{{Name: "l", Target: "../dangling"}},
	}
	name := Proto(digest.Of(encode(t, leaf)))
	tree := encode(t, &repb.Tree{
		Root:     &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "a", Digest: name}, {Name: "b", Digest: name}}},
		Children: []*repb.Directory{leaf},
	})
	got, err := ReadTree(tree, digest.SHA256)
	want := []Entry{
		{Path: "a", Dir: true},
		{Path: "a/f", Digest: file, Executable: true},
		{Path: "a/l", Target: "../dangling"},
		{Path: "b", Dir: true},
		{Path: "b/f", Digest: file, Executable: true},
		{Path: "b/l", Target: "../dangling"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

func TestReadTreeRejects(t *testing.T) {
	d := Proto(digest.OfString("x"))
	for name, root := range map[string]*repb.Directory{
		"up":        {Files: []*repb.FileNode{{Name: "..", Digest: d}}},
		"escape":    {Files: []*repb.FileNode{{Name: "../x", Digest: d}}},
		"backslash": {Files: []*repb.FileNode{{Name: `..\x`, Digest: d}}},
		"absolute":  {Symlinks: []*repb.SymlinkNode{{Name: "/x", Target: "y"}}},
		"empty":     {Files: []*repb.FileNode{{Name: "", Digest: d}}},
		"link up":   {Symlinks: []*repb.SymlinkNode{{Name: "x", Target: "a/../../y"}}},
		"link out":  {Symlinks: []*repb.SymlinkNode{{Name: "x", Target: "/etc/passwd"}}},
		"link NUL":  {Symlinks: []*repb.SymlinkNode{{Name: "x", Target: "y\x00z"}}},
		"no target": {Symlinks: []*repb.SymlinkNode{{Name: "x"}}},
		"no digest": {Files: []*repb.FileNode{{Name: "x"}}},
		"twice":     {Files: []*repb.FileNode{{Name: "x", Digest: d}}, Symlinks: []*repb.SymlinkNode{{Name: "x", Target: "y"}}},
		"absent":    {Directories: []*repb.DirectoryNode{{Name: "x", Digest: d}}},
	} {
		if got, err := ReadTree(encode(t, &repb.Tree{Root: root}), digest.SHA256); !errors.Is(err, ErrTree) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := ReadTree([]byte("\xff"), digest.SHA256); !errors.Is(err, ErrTree) {
		t.Errorf("garbage: %v, %v", got, err)
	}
}

// A child is named by the bytes that the server made, whatever we would have
// made of it.
func TestReadTreeOfNoCanonicalEncoding(t *testing.T) {
	leaf := append(encode(t, &repb.Directory{Files: []*repb.FileNode{{Name: "f", Digest: Proto(digest.OfString("x"))}}}), "\xfa\x01\x01x"...)
	root := encode(t, &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "d", Digest: Proto(digest.Of(leaf))}}})
	blob := append(field(2, leaf), field(1, root)...) // children first, and a field that nobody knows
	got, err := ReadTree(append(blob, "\x98\x06\x01"...), digest.SHA256)
	want := []Entry{{Path: "d", Dir: true}, {Path: "d/f", Digest: digest.OfString("x")}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

func field(n protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), value)
}

func TestReadDirectories(t *testing.T) {
	tree, err := Build([]Entry{file("a/b/f", "x"), file("a/c/f", "x"), {Path: "l", Target: "a/b"}, {Path: "e", Dir: true}})
	if err != nil {
		t.Fatal(err)
	}
	rounds := 0
	got, err := ReadDirectories(tree.Root, func(digests []digest.Digest) ([][]byte, error) {
		rounds++
		var out [][]byte
		for _, d := range digests {
			out = append(out, tree.Directories[d])
		}
		return out, nil
	})
	want := []Entry{
		{Path: "l", Target: "a/b"},
		{Path: "a", Dir: true},
		{Path: "a/b", Dir: true},
		{Path: "a/b/f", Digest: digest.OfString("x")},
		{Path: "a/c", Dir: true},
		{Path: "a/c/f", Digest: digest.OfString("x")},
		{Path: "e", Dir: true},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || rounds != 3 {
		t.Errorf("%d rounds, %v, %s", rounds, err, diff)
	}
	broken := errors.New("broken")
	if _, err := ReadDirectories(tree.Root, func([]digest.Digest) ([][]byte, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("fetch fails: %v", err)
	}
	if got, err := ReadDirectories(tree.Root, func(d []digest.Digest) ([][]byte, error) { return make([][]byte, len(d)), nil }); err != nil || len(got) > 0 {
		t.Errorf("an empty directory: %v, %v", got, err)
	}
}

// A few hundred bytes can stand for more files than any disk holds.
func TestReadTreeIsBounded(t *testing.T) {
	tree := &repb.Tree{Root: &repb.Directory{}}
	for range 40 {
		name := Proto(digest.Of(encode(t, tree.Root)))
		tree.Children = append(tree.Children, tree.Root)
		tree.Root = &repb.Directory{Directories: []*repb.DirectoryNode{{Name: "a", Digest: name}, {Name: "b", Digest: name}}}
	}
	if got, err := ReadTree(encode(t, tree), digest.SHA256); !errors.Is(err, ErrTree) {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

func FuzzReadTree(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("\x0a\x03\x0a\x01x"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		entries, err := ReadTree(blob, digest.SHA256)
		if err != nil {
			return
		}
		if _, err := Build(entries); err != nil {
			t.Error(err)
		}
	})
}
