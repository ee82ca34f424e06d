package merkle

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/protobuf/proto"

	"github.com/rexwrap/rexwrap/client/digest"
)

func file(path, content string) Entry {
	return Entry{Path: path, Digest: digest.OfString(content)}
}

func TestBuildIgnoresOrder(t *testing.T) {
	entries := []Entry{
		file("a/b/c.h", "1"), file("a/b.h", "2"), file("z.c", "3"),
		{Path: "empty/dir", Dir: true},
		{Path: "a", Dir: true},
		{Path: "link", Target: "a/b"},
		{Path: "tool", Digest: digest.OfString("x"), Executable: true},
	}
	want, err := Build(entries)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		rand.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
		got, err := Build(entries)
		if err != nil || got.Root != want.Root {
			t.Fatalf("Build of %v = %v, %v, want root %v", entries, got, err, want.Root)
		}
	}
}

func TestBuildEncodesTheTree(t *testing.T) {
	tree, err := Build([]Entry{file("d/f", "1"), {Path: "l", Target: "d"}})
	if err != nil {
		t.Fatal(err)
	}
	var root repb.Directory
	if err := proto.Unmarshal(tree.Directories[tree.Root], &root); err != nil {
		t.Fatal(err)
	}
	if len(root.Directories) != 1 || root.Directories[0].Name != "d" || len(root.Symlinks) != 1 || root.Symlinks[0].Target != "d" {
		t.Errorf("root is %v", &root)
	}
	if len(tree.Directories) != 2 {
		t.Errorf("%d directories, want 2", len(tree.Directories))
	}
}

// TestCanonicalEncoding holds each Directory against what the protocol's own
// messages are encoded to.
func TestCanonicalEncoding(t *testing.T) {
	long := strings.Repeat("n", 200)
	mount, err := Build([]Entry{file("m", "m")})
	if err != nil {
		t.Fatal(err)
	}
	tree, err := Build([]Entry{
		file("b", "1"), file("a", ""), file(long, "3"),
		{Path: "x", Digest: digest.OfString(long), Executable: true},
		{Path: "l", Target: long},
		{Path: "k", Target: "a"},
		{Path: "c/mount", Mount: mount},
		file("c/z/f", "4"),
		{Path: "c/a", Dir: true},
		file("c/\u00e9", "5"), file("b", "1"),
		{Path: "e", Digest: digest.Digest{Size: 1 << 40}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for d, blob := range tree.Directories {
		dir := new(repb.Directory)
		if err := proto.Unmarshal(blob, dir); err != nil {
			t.Fatal(err)
		}
		if again := encode(t, dir); !bytes.Equal(again, blob) || len(dir.ProtoReflect().GetUnknown()) > 0 || digest.Of(blob) != d {
			t.Errorf("%v is encoded as\n%x, not\n%x", dir, blob, again)
		}
	}
	if len(tree.Directories) != 4 {
		t.Errorf("%d directories, want 4", len(tree.Directories))
	}
}

func TestWhatServersWantToKnow(t *testing.T) {
	tool := Entry{Path: "tool", Digest: digest.OfString("x"), Executable: true}
	for _, test := range []struct {
		entries []Entry
		mixed   bool
		targets int
	}{
		{[]Entry{tool, file("a", "y")}, false, 0},
		{[]Entry{tool, file("a", "x")}, true, 0},
		{[]Entry{tool, {Path: "l", Target: "tool"}, {Path: "d/l", Target: "tool"}}, false, 1},
	} {
		tree, err := Build(test.entries)
		if err != nil || tree.MixedModes != test.mixed || len(tree.Targets) != test.targets {
			t.Errorf("%v: mixed %t, %d targets, %v", test.entries, tree.MixedModes, len(tree.Targets), err)
		}
		for d, text := range tree.Targets {
			if d != digest.Of(text) || string(text) != "tool" {
				t.Errorf("target %q has digest %s", text, d)
			}
		}
	}
}

func TestBuildByBLAKE3(t *testing.T) {
	tree, err := BuildBy(digest.BLAKE3, []Entry{{Path: "d/f", Digest: digest.BLAKE3.Of([]byte("x"))}})
	if err != nil {
		t.Fatal(err)
	}
	for d, blob := range tree.Directories {
		if d != digest.BLAKE3.Of(blob) {
			t.Errorf("directory %s has another digest", d)
		}
	}
	if tree.Directories[tree.Root] == nil {
		t.Error("the root is not among the directories")
	}
}

func TestEveryChangeChangesTheRoot(t *testing.T) {
	seen := map[digest.Digest]int{}
	for i, entries := range [][]Entry{
		{},
		{file("a", "1")},
		{file("a", "2")},
		{file("b", "1")},
		{file("d/a", "1")},
		{{Path: "a", Dir: true}},
		{{Path: "a", Target: "1"}},
		{{Path: "a", Digest: digest.OfString("1"), Executable: true}},
	} {
		tree, err := Build(entries)
		if err != nil {
			t.Fatal(err)
		}
		if j, ok := seen[tree.Root]; ok {
			t.Errorf("lists %d and %d have one root", i, j)
		}
		seen[tree.Root] = i
	}
}

func TestBuildRejects(t *testing.T) {
	for _, entries := range [][]Entry{
		{file("", "")},
		{file("/a", "")},
		{file("a/", "")},
		{file("a//b", "")},
		{file("../a", "")},
		{file("a/../b", "")},
		{file("./a", "")},
		{file("a\x00b", "")},
		{file("a\xff", "")},
		{file("a\xff/b", "")},
		{{Path: "a", Target: "\xff"}},
		{file("a", "1"), file("a", "2")},
		{file("a", "1"), file("a/b", "")},
		{file("a/b", ""), file("a", "")},
		{file("a", "1"), {Path: "a", Dir: true}},
	} {
		if _, err := Build(entries); !errors.Is(err, ErrPath) {
			t.Errorf("Build(%v): %v, want ErrPath", entries, err)
		}
	}
}

func FuzzInputRoot(f *testing.F) {
	f.Add("a/b\nc\na/d")
	f.Add("../x\n/")
	f.Fuzz(func(t *testing.T, list string) {
		var entries, reversed []Entry
		for p := range strings.SplitSeq(list, "\n") {
			e := file(p, p)
			entries, reversed = append(entries, e), append([]Entry{e}, reversed...)
		}
		a, errA := Build(entries)
		b, errB := Build(reversed)
		if (errA == nil) != (errB == nil) || errA == nil && a.Root != b.Root {
			t.Errorf("order matters: %v %v, %v %v", a, errA, b, errB)
		}
	})
}

func BenchmarkInputRoot(b *testing.B) {
	var entries []Entry
	for i := range 300 {
		entries = append(entries, file("usr/include/"+string(rune('a'+i%26))+"/"+digest.OfString(string(rune(i))).Hex(), "x"))
	}
	for b.Loop() {
		if _, err := Build(entries); err != nil {
			b.Fatal(err)
		}
	}
}

func TestFromProto(t *testing.T) {
	want := digest.OfString("x")
	if got, err := FromProto(Proto(want)); err != nil || got != want {
		t.Errorf("FromProto = %v, %v, want %v", got, err, want)
	}
	for _, d := range []*repb.Digest{nil, {}, {Hash: "00", SizeBytes: 1}, {Hash: want.Hex(), SizeBytes: -1}} {
		if got, err := FromProto(d); !errors.Is(err, digest.ErrMalformed) {
			t.Errorf("FromProto(%v) = %v, %v", d, got, err)
		}
	}
}

func TestMount(t *testing.T) {
	tool := Entry{Path: "bin/cc", Digest: digest.OfString("cc"), Executable: true}
	pack, err := Build([]Entry{tool, {Path: "lib", Dir: true}})
	if err != nil {
		t.Fatal(err)
	}
	flat, err := Build([]Entry{file("x.c", "x"), {Path: "t/bin/cc", Digest: tool.Digest, Executable: true}, {Path: "t/lib", Dir: true}})
	if err != nil {
		t.Fatal(err)
	}
	mounted, err := Build([]Entry{file("x.c", "x"), {Path: "t", Mount: pack}})
	if err != nil || mounted.Root != flat.Root {
		t.Errorf("mounted %v, %v, want %v", mounted.Root, err, flat.Root)
	}
	if len(mounted.Directories) != 1 {
		t.Errorf("%d directories are encoded again", len(mounted.Directories)-1)
	}
	if mixed, err := Build([]Entry{file("x.c", "cc"), {Path: "t", Mount: pack}}); err != nil || !mixed.MixedModes {
		t.Errorf("mixed modes are not noticed: %v", err)
	}
	if _, err := Build([]Entry{{Path: "t", Mount: pack}, file("t/x", "x")}); !errors.Is(err, ErrPath) {
		t.Errorf("below a mount: %v", err)
	}
}
