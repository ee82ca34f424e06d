package archive_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/toolchains/pack/archive"
)

func somePack(t *testing.T) *pack.Pack {
	t.Helper()
	source := filepath.Join(t.TempDir(), "cc1")
	if err := os.WriteFile(source, []byte("the compiler"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &pack.Pack{
		Family: "gcc", Version: "12.2.0", Target: "x86_64-linux-gnu", Toolchain: digest.OfString("tc"),
		Driver: "usr/bin/gcc", Arguments: []string{"-x"}, Linker: "usr/bin/cc", LinkedBy: digest.OfString("linker"),
		Root: true, LibraryDirs: []string{"/lib"},
		Entries: []pack.Entry{
			{Path: ".rexpack", Data: []byte("mark"), Digest: digest.OfString("mark"), For: "rexlaunch"},
			{Path: "lib/cc1", Source: source, Executable: true, Digest: digest.OfString("the compiler"), For: "gcc"},
		},
	}
}

func written(t *testing.T, p *pack.Pack) []byte {
	t.Helper()
	var b bytes.Buffer
	var done int64
	if err := archive.Write(&b, p, func(n int64) { done = n }); err != nil {
		t.Fatal(err)
	}
	if done != p.Size() {
		t.Errorf("%d of %d bytes were reported", done, p.Size())
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	p := somePack(t)
	text := written(t, p)
	if !bytes.Equal(text, written(t, p)) {
		t.Error("two archives of one pack differ")
	}
	dir := t.TempDir()
	got, err := archive.Read(bytes.NewReader(text), dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got.Entries {
		e := &got.Entries[i]
		content, err := os.ReadFile(e.Source)
		if err != nil || digest.Of(content) != e.Digest || e.Source != filepath.Join(dir, e.Path) {
			t.Errorf("%s: %q, %v", e.Path, content, err)
		}
		if info, err := os.Stat(e.Source); err != nil || (info.Mode()&0o100 != 0) != e.Executable {
			t.Errorf("%s has mode %v, %v", e.Path, info.Mode(), err)
		}
		e.Source, e.Data = p.Entries[i].Source, p.Entries[i].Data
	}
	if diff := cmp.Diff(p, got); diff != "" {
		t.Error(diff)
	}
}

// rewritten changes each file of an archive by change, which returns false to
// leave it out.
func rewritten(t *testing.T, text []byte, change func(h *tar.Header, content []byte) ([]byte, bool)) []byte {
	t.Helper()
	in, err := zstd.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	from, to := tar.NewReader(in), tar.NewWriter(z)
	for {
		h, err := from.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		content, ok := change(h, content)
		if !ok {
			continue
		}
		h.Size = int64(len(content))
		if err := to.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(to.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestMalformed(t *testing.T) {
	text := written(t, somePack(t))
	replace := func(name, from, to string) func(*tar.Header, []byte) ([]byte, bool) {
		return func(h *tar.Header, content []byte) ([]byte, bool) {
			if h.Name == name {
				content = []byte(strings.ReplaceAll(string(content), from, to))
			}
			return content, true
		}
	}
	for name, change := range map[string]func(*tar.Header, []byte) ([]byte, bool){
		"another content": replace("lib/cc1", "compiler", "COMPILER"),
		"leads out":       replace(".rexpack.json", "lib/cc1", "../cc1"),
		"absolute":        replace(".rexpack.json", "lib/cc1", "/b/cc1"),
		"another format":  replace(".rexpack.json", `"format": 1`, `"format": 2`),
		"no digest":       replace(".rexpack.json", `"toolchain": "`, `"toolchain": "x`),
		"another name": func(h *tar.Header, content []byte) ([]byte, bool) {
			h.Name = strings.Replace(h.Name, "cc1", "cc2", 1)
			return content, true
		},
		"a link": func(h *tar.Header, content []byte) ([]byte, bool) {
			if h.Name == "lib/cc1" {
				h.Typeflag, h.Linkname, content = tar.TypeSymlink, "/etc/passwd", nil
			}
			return content, true
		},
		"a file less":    func(h *tar.Header, content []byte) ([]byte, bool) { return content, h.Name != "lib/cc1" },
		"no manifest":    func(h *tar.Header, content []byte) ([]byte, bool) { return content, h.Name != ".rexpack.json" },
		"twice one name": replace(".rexpack.json", `"lib/cc1"`, `".rexpack"`),
	} {
		if _, err := archive.Read(bytes.NewReader(rewritten(t, text, change)), t.TempDir()); !errors.Is(err, archive.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := archive.Read(strings.NewReader("no archive"), t.TempDir()); !errors.Is(err, archive.ErrMalformed) {
		t.Errorf("no archive: %v", err)
	}
}
