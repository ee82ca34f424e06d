package wire

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
)

func messages() []Message {
	return []Message{
		&Call{
			Version: Version, Program: "/usr/bin/gcc", Argv: []string{"gcc", "-c", ""}, Dir: "/d", PWD: "/p",
			Env: []string{"A=b"}, Umask: 0o22, Namespace: "mnt:[1]", Pid: 7, Token: "t", Started: -1,
			Stdout: StreamTerminal, SameFile: true, Columns: 80, CanCancel: true,
		},
		&Notice{Version: 1, Reason: "link", Program: "/usr/bin/cc", Dir: "/", Started: 5, Build: "b1"},
		&Ran{Status: 1, Chunks: []Chunk{{1, []byte("out")}, {2, []byte("err")}}, Headers: []byte(". a.h\n"), UserTime: 1 << 40, MaxRSS: 5, Killed: true, Cancelled: true},
		&Committed{}, &Heartbeat{}, &Cancel{}, &Away{},
		&Admin{Version: 1, Verb: "status", Body: []byte("{}")},
		&StepAside{Reason: "link"},
		&Run{Program: "/usr/bin/gcc", Argv: []string{"gcc"}, Env: []string{"X=1"}, FilterHeaders: true, Hide: []string{"x"}, Instead: []string{"/here/"}, Hold: true},
		&Prepare{Temps: []string{"a", "b"}},
		&Done{Status: 3, Chunks: []Chunk{{2, []byte("w")}}, Files: []File{{Target: "x.o", Temp: ".t"}, {Target: "/dev/null", Data: []byte{0}, Keep: true}}, Remove: []string{"x.dwo"}, Touch: []string{"x.pdb"}},
		&AdminReply{More: true, Error: "no", Body: []byte("b")},
	}
}

func TestRoundTrip(t *testing.T) {
	var stream []byte
	for _, m := range messages() {
		stream = Append(stream, m)
	}
	r := NewReader(iotest.OneByteReader(bytes.NewReader(stream)))
	for _, want := range messages() {
		typ, payload, err := r.Next()
		if err != nil || typ != want.Type() {
			t.Fatalf("Next = %v, %v, want type %v", typ, err, want.Type())
		}
		got := fresh(typ)
		if err := Decode(payload, got); err != nil {
			t.Fatalf("Decode(%T): %v", want, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if _, _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v, want EOF", err)
	}
}

func fresh(typ Type) Message {
	for _, m := range messages() {
		if m.Type() == typ {
			return reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
		}
	}
	return nil
}

func TestTruncated(t *testing.T) {
	for _, m := range messages() {
		frame := Append(nil, m)
		for n := 1; n < len(frame); n++ {
			_, _, err := NewReader(bytes.NewReader(frame[:n])).Next()
			if err != io.ErrUnexpectedEOF {
				t.Fatalf("%T cut at %d: %v, want ErrUnexpectedEOF", m, n, err)
			}
		}
		for n := range len(frame) - 5 {
			if err := Decode(frame[5:5+n], fresh(m.Type())); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%T payload cut at %d: %v, want ErrMalformed", m, n, err)
			}
		}
	}
}

// TestAnnouncedLength checks that memory follows what arrives: a frame that
// announces much and delivers little costs little.
func TestAnnouncedLength(t *testing.T) {
	header := []byte{0, 0, 0, 1, byte(TypeCall)} // 16 MiB
	r := NewReader(bytes.NewReader(header))
	if _, _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v, want ErrUnexpectedEOF", err)
	}
	if len(r.buf) > readSize {
		t.Errorf("buffer grew to %d bytes for a frame of which 5 came", len(r.buf))
	}
	for _, header := range [][]byte{{0, 0, 0, 0}, {1, 0, 0, 2, 1}, {255, 255, 255, 255}} {
		if _, _, err := NewReader(bytes.NewReader(header)).Next(); !errors.Is(err, ErrMalformed) {
			t.Errorf("header %v: %v, want ErrMalformed", header, err)
		}
	}
}

func TestTempName(t *testing.T) {
	for target, want := range map[string]string{"x.o": ".rexwrap-T-0", "a/b/x.o": "a/b/.rexwrap-T-0", "/x.o": "/.rexwrap-T-0"} {
		if got := TempName(target, "T", 0); got != want {
			t.Errorf("TempName(%q) = %q, want %q", target, got, want)
		}
	}
	if got := TempName("x", "T", 120); got != ".rexwrap-T-120" {
		t.Errorf("n = 120: %q", got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range messages() {
		f.Add(Append(nil, m))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		typ, payload, err := NewReader(bytes.NewReader(frame)).Next()
		if err != nil {
			return
		}
		m := fresh(typ)
		if m == nil || Decode(payload, m) != nil {
			return
		}
		again := Append(nil, m)
		if !bytes.Equal(again, frame[:len(again)]) {
			t.Errorf("%T: decoded and encoded again, %x became %x", m, frame, again)
		}
	})
}
