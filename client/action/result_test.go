package action

import (
	"errors"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
)

func TestReadResult(t *testing.T) {
	object, text, tree := digest.OfString("object"), digest.OfString("text"), digest.OfString("tree")
	got, err := ReadResult(&repb.ActionResult{
		OutputFiles: []*repb.OutputFile{
			{Path: "../a.o", Digest: merkle.Proto(object), Contents: []byte("object")},
			{Path: "b.o", Digest: merkle.Proto(object), Contents: []byte("lie"), IsExecutable: true},
		},
		OutputDirectories: []*repb.OutputDirectory{
			{Path: "d", TreeDigest: merkle.Proto(tree)},
			{Path: "e", RootDirectoryDigest: merkle.Proto(object)},
			{Path: "f", RootDirectoryDigest: merkle.Proto(object), TreeDigest: merkle.Proto(tree)},
		},
		OutputSymlinks:     []*repb.OutputSymlink{{Path: "l", Target: "b.o"}},
		OutputFileSymlinks: []*repb.OutputSymlink{{Path: "l", Target: "b.o"}},
		StdoutRaw:          []byte("text"), StdoutDigest: merkle.Proto(text),
		StderrDigest: merkle.Proto(text),
	}, []string{"../a.o", "b.o", "c.d", "d", "e", "f", "l"}, digest.SHA256)
	want := &Result{
		Files:       map[string]File{"../a.o": {Digest: object, Contents: []byte("object")}, "b.o": {Digest: object, Executable: true}},
		Directories: map[string]Directory{"d": {Tree: tree}, "e": {Root: object}, "f": {Tree: tree, Root: object}},
		Symlinks:    map[string]string{"l": "b.o"},
		Stdout:      Stream{Raw: []byte("text")}, Stderr: Stream{Digest: text},
		Missing: []string{"c.d"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

func TestEmptyStreams(t *testing.T) {
	for _, d := range []*repb.Digest{nil, merkle.Proto(digest.Empty())} {
		r, err := ReadResult(&repb.ActionResult{StderrDigest: d}, nil, digest.SHA256)
		if err != nil || !r.Stderr.Inline() || len(r.Stderr.Raw) > 0 {
			t.Errorf("digest %v: %+v, %v", d, r, err)
		}
	}
}

func TestReadResultRejects(t *testing.T) {
	d := merkle.Proto(digest.OfString("x"))
	for name, msg := range map[string]*repb.ActionResult{
		"escape":      {OutputFiles: []*repb.OutputFile{{Path: "../../x", Digest: d}}},
		"absolute":    {OutputFiles: []*repb.OutputFile{{Path: "/etc/x", Digest: d}}},
		"undeclared":  {OutputSymlinks: []*repb.OutputSymlink{{Path: "y", Target: "a.o"}}},
		"tree":        {OutputDirectories: []*repb.OutputDirectory{{Path: "y", TreeDigest: d}}},
		"twice":       {OutputFiles: []*repb.OutputFile{{Path: "a.o", Digest: d}, {Path: "a.o", Digest: d}}},
		"two kinds":   {OutputFiles: []*repb.OutputFile{{Path: "a.o", Digest: d}}, OutputSymlinks: []*repb.OutputSymlink{{Path: "a.o"}}},
		"no digest":   {OutputFiles: []*repb.OutputFile{{Path: "a.o"}}},
		"bad digest":  {OutputFiles: []*repb.OutputFile{{Path: "a.o", Digest: &repb.Digest{Hash: "zz"}}}},
		"no tree":     {OutputDirectories: []*repb.OutputDirectory{{Path: "a.o"}}},
		"bad root":    {OutputDirectories: []*repb.OutputDirectory{{Path: "a.o", RootDirectoryDigest: &repb.Digest{Hash: "zz"}, TreeDigest: d}}},
		"bad stream":  {StdoutDigest: &repb.Digest{Hash: "zz", SizeBytes: 1}},
		"bad stream2": {StderrDigest: &repb.Digest{Hash: "zz", SizeBytes: 1}},
	} {
		if r, err := ReadResult(msg, []string{"a.o"}, digest.SHA256); !errors.Is(err, ErrResult) {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestDirectoryEntries(t *testing.T) {
	tree, err := merkle.Build([]merkle.Entry{{Path: "f", Digest: digest.OfString("x")}})
	if err != nil {
		t.Fatal(err)
	}
	root := new(repb.Directory)
	if err := proto.Unmarshal(tree.Directories[tree.Root], root); err != nil {
		t.Fatal(err)
	}
	blob, err := proto.Marshal(&repb.Tree{Root: root})
	if err != nil {
		t.Fatal(err)
	}
	blobs := map[digest.Digest][]byte{digest.Of(blob): blob, tree.Root: tree.Directories[tree.Root]}
	fetch := func(digests []digest.Digest) (out [][]byte, err error) {
		for _, d := range digests {
			out = append(out, blobs[d])
		}
		return out, nil
	}
	for _, d := range []Directory{{Tree: digest.Of(blob)}, {Root: tree.Root}, {Tree: digest.Of(blob), Root: digest.OfString("lost")}} {
		got, err := d.Entries(digest.SHA256, fetch)
		if err != nil || len(got) != 1 || got[0].Path != "f" {
			t.Errorf("%v: %v, %v", d, got, err)
		}
	}
}
