package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/pack"
	"github.com/rexwrap/rexwrap/toolchains/pack/archive"
)

// TestPackedAgain checks that a toolchain is made once, and that a failure is not for
// ever.
func TestPackedAgain(t *testing.T) {
	now, made, failure := time.Unix(1, 0), 0, errors.New("disk full")
	k, want := &packed{}, &shipment{}
	get := func() error {
		s, err := k.get(func() time.Time { return now }, func() (*shipment, error) {
			made++
			if failure != nil {
				return nil, failure
			}
			return want, nil
		})
		if err == nil && s != want {
			t.Errorf("got %v", s)
		}
		return err
	}
	for range 2 {
		if err := get(); !errors.Is(err, failure) || made != 1 {
			t.Errorf("%v, tried %d times", err, made)
		}
	}
	now, failure = now.Add(packRetry), nil
	for range 2 {
		if err := get(); err != nil || made != 2 {
			t.Errorf("later: %v, tried %d times", err, made)
		}
	}
}

// writeArchive writes the pack of a clang and returns its file.
func writeArchive(t *testing.T, dir string) string {
	t.Helper()
	data := []byte("clang")
	p := &pack.Pack{
		Family: "clang", Version: "14.0.6", Target: "x86_64-pc-linux-gnu", Toolchain: digest.OfString("of Linux"), Driver: "usr/bin/clang",
		Entries: []pack.Entry{{Path: "usr/bin/clang", Executable: true, Data: data, Digest: digest.Of(data), For: "driver"}},
	}
	file := filepath.Join(dir, "clang.tar.zst")
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(archive.Write(out, p, func(int64) {}), out.Close()); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestArchiveAgain unpacks where there is no room at first.
func TestArchiveAgain(t *testing.T) {
	dir, now := t.TempDir(), time.Unix(1, 0)
	file, scratch := writeArchive(t, dir), filepath.Join(dir, "scratch")
	if err := os.WriteFile(scratch, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	p := newPacker(pack.Launcher{}, filestate.New(filestate.Options{}), func() time.Time { return now })
	try := func() string {
		_, err := p.archived(file, scratch)
		reason, _, _ := toolchains.ReasonOf(err)
		return reason
	}
	if got := try(); got != reasonPackFile {
		t.Errorf("into a file: %q", got)
	}
	if err := os.Remove(scratch); err != nil {
		t.Fatal(err)
	}
	if got := try(); got != reasonPackFile {
		t.Errorf("at once: %q", got)
	}
	if now = now.Add(packRetry); try() != "" {
		t.Errorf("later: %q", try())
	}
}

// TestForeignClient asks for which compiles of other systems a clang of Linux stands
// in: their compilers are no programs of this one.
func TestForeignClient(t *testing.T) {
	file := writeArchive(t, t.TempDir())
	p := New(Options{Files: filestate.New(filestate.Options{}), Now: time.Now, Scratch: t.TempDir()})
	target := []string{"--target=x86_64-linux-gnu"}
	for _, c := range []struct {
		name, program, of, version string
		cPlusPlus                  bool
		args                       []string
		want                       string
	}{
		{name: "Mac", program: "/opt/llvm/bin/clang", of: "arm64-apple-darwin21", version: "14.0.6", args: target},
		{name: "two words", program: "/opt/llvm/bin/clang", of: "arm64-apple-darwin21", version: "14.0.6", args: []string{"-target", "x86_64-linux-gnu"}},
		{name: "Windows", program: "C:/LLVM/bin/clang.exe", of: "x86_64-pc-windows-msvc", version: "14.0.6", args: target},
		{name: "no target", program: "/opt/llvm/bin/clang", of: "arm64-apple-darwin21", version: "14.0.6", want: reasonOtherMaking},
		{name: "another version", program: "/opt/llvm/bin/clang", of: "arm64-apple-darwin21", version: "15.0.0", args: target, want: reasonOtherMaking},
		{name: "C++", program: "/opt/llvm/bin/clang++", of: "arm64-apple-darwin21", version: "14.0.6", cPlusPlus: true, args: target, want: reasonOtherMaking},
	} {
		t.Run(c.name, func(t *testing.T) {
			tc := &toolchains.Toolchain{
				Family: "clang", Version: c.version, Target: c.of, Program: c.program, Real: c.program, CPlusPlus: c.cPlusPlus,
				Digest: digest.OfString(c.program + c.version),
			}
			call := &toolchains.Call{Program: c.program, Argv: append([]string{"clang", "-c", "x.c"}, c.args...), Dir: "/w"}
			compile, err := clang.New().Parse(call, tc)
			if err != nil {
				t.Fatal(err)
			}
			r := &request{p: p, compile: compile, settings: &config.Settings{Toolchain: toolchainFile + file}}
			s, err := r.fromFile()
			if reason, _, _ := toolchains.ReasonOf(err); reason != c.want {
				t.Fatalf("%v, want %q", err, c.want)
			}
			if foreign := r.foreign(); foreign != s {
				t.Errorf("what this machine makes would pass for that compiler's: %v", foreign)
			}
			if s != nil && r.madeBy(s) != digest.OfString("of Linux") {
				t.Error("made by the client's own")
			}
		})
	}
}
