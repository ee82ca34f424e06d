//go:build unix

package wrapper

import (
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// TestTargets puts outputs where something is already.
func TestTargets(t *testing.T) {
	const old = "old content, longer than the new"
	for _, tt := range []struct {
		name    string
		prepare func(f *fixture) error
		file    wire.File // Temp "temp" stands for a temp file
		want    string    // of target
		other   string    // of the file that target was linked to
		alone   bool      // the compiler runs instead
	}{
		{name: "renamed over nothing", file: wire.File{Temp: "temp"}, want: "new"},
		{
			name:    "renamed over a file",
			prepare: func(f *fixture) error { return os.WriteFile(f.dir+"/target", []byte(old), 0o600) },
			file:    wire.File{Temp: "temp"}, want: "new",
		},
		{
			name:    "renamed over a hard link",
			prepare: func(f *fixture) error { return linkTo(f, os.Link, old) },
			file:    wire.File{Temp: "temp"}, want: "new", other: old,
		},
		{
			name:    "renamed over a symbolic link",
			prepare: func(f *fixture) error { return linkTo(f, os.Symlink, old) },
			file:    wire.File{Temp: "temp"}, want: "new", other: old,
		},
		{name: "written to nothing", file: wire.File{Data: []byte("new")}, want: "new"},
		{
			name:    "written through a hard link",
			prepare: func(f *fixture) error { return linkTo(f, os.Link, old) },
			file:    wire.File{Data: []byte("new"), Keep: true}, want: "new", other: "new",
		},
		{
			name:    "written through a symbolic link",
			prepare: func(f *fixture) error { return linkTo(f, os.Symlink, old) },
			file:    wire.File{Data: []byte("new"), Keep: true}, want: "new", other: "new",
		},
		{
			name:    "copied through a hard link",
			prepare: func(f *fixture) error { return linkTo(f, os.Link, old) },
			file:    wire.File{Temp: "temp", Keep: true}, want: "new", other: "new",
		},
		{
			name:    "renamed over a directory",
			prepare: func(f *fixture) error { return os.Mkdir(f.dir+"/target", 0o755) },
			file:    wire.File{Temp: "temp"}, alone: true,
		},
		{
			name:    "renamed over a FIFO",
			prepare: func(f *fixture) error { return syscall.Mkfifo(f.dir+"/target", 0o600) },
			file:    wire.File{Temp: "temp"}, alone: true,
		},
		{
			name:    "written to a directory",
			prepare: func(f *fixture) error { return os.Mkdir(f.dir+"/target", 0o755) },
			file:    wire.File{Data: []byte("new")}, alone: true,
		},
		{
			name:    "in a directory that is not there",
			prepare: func(*fixture) error { return nil },
			file:    wire.File{Target: "nowhere/x", Data: []byte("new")}, alone: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			if tt.prepare != nil {
				if err := tt.prepare(f); err != nil {
					t.Fatal(err)
				}
			}
			f.serveCalls(func(p *peer) {
				file := tt.file
				if file.Target == "" {
					file.Target = "target"
				}
				if file.Temp != "" {
					file.Temp = p.temp(file.Target, 0, "new")
					p.send(&wire.Prepare{Temps: []string{file.Temp}})
				}
				p.send(&wire.Done{Files: []wire.File{file}})
			})
			f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
			if alone := f.runs() == 1; alone != tt.alone {
				t.Fatalf("the compiler ran: %v, want %v", alone, tt.alone)
			}
			if !tt.alone && f.text("target") != tt.want {
				t.Errorf("target is %q, want %q", f.text("target"), tt.want)
			}
			if tt.other != "" && f.text("other") != tt.other {
				t.Errorf("the linked file is %q, want %q", f.text("other"), tt.other)
			}
			f.noTemps()
		})
	}
}

// linkTo makes target a link to the file other, which holds text.
func linkTo(f *fixture, link func(old, name string) error, text string) error {
	f.write("other", text)
	return link(f.dir+"/other", f.dir+"/target")
}

func TestOutputMode(t *testing.T) {
	f := newFixture(t)
	f.write("old", "")
	if err := os.Chmod(f.dir+"/old", 0o600); err != nil {
		t.Fatal(err)
	}
	f.serveCalls(func(p *peer) {
		p.send(&wire.Done{Files: []wire.File{{Target: "new", Data: []byte("x")}, {Target: "old", Data: []byte("x"), Keep: true}}})
	})
	mask := syscall.Umask(0o027)
	defer syscall.Umask(mask)
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{})
	for name, want := range map[string]os.FileMode{"new": 0o640, "old": 0o600} {
		info, err := os.Stat(f.dir + "/" + name)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want mode %v", name, info, err, want)
		}
	}
}

// TestWriteFIFO writes an output into a FIFO, which stays.
func TestWriteFIFO(t *testing.T) {
	f := newFixture(t)
	if err := syscall.Mkfifo(f.dir+"/fifo", 0o600); err != nil {
		t.Fatal(err)
	}
	text := strings.Repeat("x", 200<<10) // more than a pipe holds
	f.serveCalls(func(p *peer) {
		p.send(&wire.Done{Files: []wire.File{{Target: "fifo", Data: []byte(text)}}})
	})
	got := make(chan string)
	go func() {
		read, err := os.ReadFile(f.dir + "/fifo")
		if err != nil {
			t.Error(err)
		}
		got <- string(read)
	}()
	f.want(f.wrap("rexwrap", "cc", "-S", "x.c"), result{})
	if read := <-got; read != text {
		t.Errorf("%d bytes came through, want %d", len(read), len(text))
	}
	if info, err := os.Lstat(f.dir + "/fifo"); err != nil || info.Mode().Type() != os.ModeNamedPipe {
		t.Errorf("the FIFO is now %v, %v", info, err)
	}
}

// TestWriteStdout writes an output to our own stdout, by its name.
func TestWriteStdout(t *testing.T) {
	f := newFixture(t)
	f.serveCalls(func(p *peer) {
		p.send(&wire.Done{
			Chunks: []wire.Chunk{{Fd: 1, Data: []byte("said\n")}},
			Files:  []wire.File{{Target: "/proc/self/fd/1", Data: []byte("x.o: x.c\n")}},
		})
	})
	f.want(f.wrap("rexwrap", "cc", "-c", "x.c"), result{stdout: "said\nx.o: x.c\n"})
}

// TestReplayUnread has nobody read the diagnostics of a hit: nothing is put in
// place, and the compiler runs.
func TestReplayUnread(t *testing.T) {
	f := newFixture(t)
	f.serveCalls(func(p *peer) {
		temp := p.temp("out.o", 0, "object")
		p.send(&wire.Prepare{Temps: []string{temp}})
		p.send(&wire.Done{Chunks: []wire.Chunk{{Fd: 2, Data: []byte("w")}}, Files: []wire.File{{Target: "out.o", Temp: temp}}})
	})
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stderr = w
	f.want(f.finish(cmd), result{})
	if f.text("out.o") != "compiled\n" || f.runs() != 1 {
		t.Errorf("out.o is %q, compiler ran %d times", f.text("out.o"), f.runs())
	}
	f.noTemps()
}

// TestReplayNonBlocking replays more than a non-blocking pipe takes at once.
func TestReplayNonBlocking(t *testing.T) {
	f := newFixture(t)
	text := bytes.Repeat([]byte("warning\n"), 100<<10)
	f.serveCalls(func(p *peer) {
		p.send(&wire.Done{Chunks: []wire.Chunk{{Fd: 1, Data: text}}})
	})
	r, w, err := pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.SetNonblock(w, true); err != nil {
		t.Fatal(err)
	}
	reader, writer := os.NewFile(uintptr(r), "r"), os.NewFile(uintptr(w), "w")
	defer reader.Close()
	cmd := f.command("rexwrap", "cc", "-c", "x.c")
	cmd.Stdout = writer
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	writer.Close()
	var got bytes.Buffer
	if _, err := got.ReadFrom(reader); err != nil {
		t.Fatal(err)
	}
	f.want(f.wait(cmd, &bytes.Buffer{}, &bytes.Buffer{}), result{})
	if !bytes.Equal(got.Bytes(), text) {
		t.Errorf("%d bytes came, want %d", got.Len(), len(text))
	}
}

func TestIsTempName(t *testing.T) {
	for path, want := range map[string]bool{
		".rexwrap-T-0": true, "dir/.rexwrap-T-12": true, ".rexwrap-U-0": false, "rexwrap-T-0": false,
		".rexwrap-T-0/x": false, "": false, ".rexwrap-T": false,
	} {
		if got := isTempName(path, "T"); got != want {
			t.Errorf("%q: %v", path, got)
		}
	}
}
