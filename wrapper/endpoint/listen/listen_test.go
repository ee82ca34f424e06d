//go:build unix

package listen

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// place returns one in a scratch directory with a short name.
func place(t *testing.T) endpoint.Place {
	t.Helper()
	dir, err := os.MkdirTemp("", "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return endpoint.Place{Dir: dir + "/run", Socket: dir + "/run/s", CacheDir: dir + "/cache"}
}

func listen(t *testing.T, p endpoint.Place) *Listener {
	t.Helper()
	l, err := Listen(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestListen(t *testing.T) {
	p := place(t)
	l := listen(t, p)
	peers := make(chan Peer, 1)
	go func() {
		conn, peer, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		peers <- peer
		_, _ = io.Copy(conn, conn)
		conn.Close()
	}()
	conn, err := p.Dial(10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 5)
	if _, err := io.ReadFull(conn, buf); err != nil || string(buf) != "hello" {
		t.Errorf("read %q, %v", buf, err)
	}
	peer := <-peers
	if peer.UID != os.Geteuid() || peer.PID != -1 && peer.PID != os.Getpid() {
		t.Errorf("peer %+v", peer)
	}
	if err := conn.SetTimeout(1); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(buf); err != endpoint.ErrStalled {
		t.Errorf("read of silence: %v, want ErrStalled", err)
	}
	if info, err := os.Stat(p.Socket); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("socket %v, %v", info, err)
	}
}

// TestReplace follows a socket's name through a crash, a rival and a close.
func TestReplace(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.Socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	dead.SetUnlinkOnClose(false)
	dead.Close()
	if err := p.MarkStalled(); err != nil {
		t.Fatal(err)
	}
	l := listen(t, p)
	if _, err := os.Stat(p.Socket + ".stalled"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
	var held *HeldError
	if _, err := Listen(p); !errors.As(err, &held) || held.Socket != p.Socket {
		t.Errorf("second Listen: %v, want HeldError of %s", err, p.Socket)
	}
	if l.Lost() {
		t.Error("lost at once")
	}
	if err := os.Rename(p.Socket, p.Socket+".moved"); err != nil {
		t.Fatal(err)
	}
	if !l.Lost() {
		t.Error("not lost after the name went")
	}
	if err := os.WriteFile(p.Socket, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(p.Socket); err != nil {
		t.Errorf("Close removed what is not its own: %v", err)
	}
	if _, _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	if _, err := Listen(p); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("Listen over a file: %v", err)
	}
}

func TestCloseRemovesSocket(t *testing.T) {
	p := place(t)
	l := listen(t, p)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := p.Dial(1000); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Dial: %v", err)
	}
	listen(t, p)
}

// TestFullQueue dials a listener that accepts nobody.
func TestFullQueue(t *testing.T) {
	p := place(t)
	listen(t, p)
	for range 1 << 17 { // more than any backlog
		conn, err := p.DialNow()
		if err == endpoint.ErrStalled {
			if _, err := p.Dial(1); err != endpoint.ErrStalled {
				t.Errorf("Dial: %v, want ErrStalled", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("before the queue was full: %v", err)
		}
		defer conn.Close()
	}
	t.Error("the queue has no end")
}

func TestLockCache(t *testing.T) {
	p := place(t)
	lock, err := LockCache(p)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := endpoint.Place{Socket: "/elsewhere", CacheDir: p.CacheDir}
	var held *HeldError
	if _, err := LockCache(elsewhere); !errors.As(err, &held) || held.Socket != p.Socket {
		t.Errorf("second LockCache: %v, want HeldError of %s", err, p.Socket)
	}
	if holder, ok := elsewhere.Holder(); !ok || holder.Socket != p.Socket {
		t.Errorf("Holder: %+v, %v", holder, ok)
	}
	if _, ok := p.Holder(); ok {
		t.Error("Holder names the place itself")
	}
	if err := lock.Close(); err != nil {
		t.Fatal(err)
	}
	if _, ok := elsewhere.Holder(); ok {
		t.Error("Holder after Close")
	}
	lock, err = LockCache(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	lock.Close()
}

// TestForeignCache opens nothing of a cache directory of another user.
func TestForeignCache(t *testing.T) {
	p := place(t)
	if err := os.Mkdir(p.CacheDir, 0o777); err != nil {
		t.Fatal(err)
	}
	file := p.CacheDir + "/" + endpoint.LockFile
	if err := os.WriteFile(file, []byte("/evil\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 { // only root can give a directory away
		p.CacheDir = "/"
	} else if err := errors.Join(os.Chown(p.CacheDir, 12345, 12345), os.Chown(file, 12345, 12345)); err != nil {
		t.Fatal(err)
	}
	if _, err := LockCache(p); !errors.Is(err, endpoint.ErrUnsafe) {
		t.Errorf("got %v, want ErrUnsafe", err)
	}
	if holder, ok := p.Holder(); ok {
		t.Errorf("Holder believes another user: %+v", holder)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "/evil\n" {
		t.Errorf("the other user's lock is now %q, %v", text, err)
	}
}

// TestRetire accepts all who came before the name was taken away.
func TestRetire(t *testing.T) {
	p := place(t)
	l := listen(t, p)
	const early = 3
	for range early {
		conn, err := p.DialNow()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	if err := l.Retire(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.DialNow(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("dial: %v, want no socket", err)
	}
	for range early {
		conn, _, err := l.Accept()
		if err != nil {
			t.Fatalf("a connection is lost: %v", err)
		}
		conn.Close()
	}
	if _, _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, want net.ErrClosed", err)
	}
}
