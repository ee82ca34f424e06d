//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// lock takes the database for one compile.
func (l *line) lock() (unlock func(), err error) {
	path := l.pdb()
	if l.shares {
		return shared(path)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fail("C1041: cannot open program database '%s'", path)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fail("C1041: cannot open program database '%s'; if multiple CL.EXE write to the same .PDB file, please use /FS", path)
	}
	return func() { _ = file.Close() }, nil
}

// serverOption makes fakecl the server of an endpoint.
const serverOption = "-mspdbsrv"

func endpoint() string {
	name := os.Getenv("_MSPDBSRV_ENDPOINT_")
	if name == "" {
		name = "default"
	}
	return filepath.Join(os.TempDir(), "mspdbsrv-"+strings.ReplaceAll(name, "/", "_"))
}

// shared asks the endpoint's server for the database. The server holds it until the
// connection ends.
func shared(path string) (unlock func(), err error) {
	conn, err := net.Dial("unix", endpoint())
	for deadline := time.Now().Add(10 * time.Second); err != nil && time.Now().Before(deadline); conn, err = net.Dial("unix", endpoint()) {
		if err := startServer(); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fail("C1902: Program database manager mismatch; please check your installation: %v", err)
	}
	fmt.Fprintln(conn, path)
	if answer, _ := bufio.NewReader(conn).ReadString('\n'); answer != "yours\n" {
		return nil, fail("C1090: PDB API call failed, error code '3'")
	}
	return func() { _ = conn.Close() }, nil
}

// startServer starts a server and waits until it listens or has found another.
func startServer() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, serverOption, endpoint())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	_, err = bufio.NewReader(ready).ReadString('\n')
	return err
}

// idle is how long a server stays without anything to do.
const idle = 3 * time.Second

// serve is the server of an endpoint.
func serve(path string) {
	lock, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil || syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		fmt.Println("other")
		return
	}
	_ = os.Remove(path)
	listener, err := net.Listen("unix", path)
	fmt.Println("ready")
	if err != nil {
		return
	}
	note("mspdbsrv " + path)
	s := server{last: time.Now()}
	for {
		_ = listener.(*net.UnixListener).SetDeadline(time.Now().Add(idle))
		conn, err := listener.Accept()
		if err == nil {
			go s.hold(conn)
		} else if !errors.Is(err, os.ErrDeadlineExceeded) || s.idle() {
			return
		}
	}
}

type server struct {
	mu        sync.Mutex
	databases map[string]*sync.Mutex
	open      int
	last      time.Time
}

func (s *server) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open == 0 && time.Since(s.last) > idle
}

// hold gives a database to a compile until that has done.
func (s *server) hold(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	path, err := in.ReadString('\n')
	if err != nil {
		return
	}
	s.mu.Lock()
	if s.databases == nil {
		s.databases = map[string]*sync.Mutex{}
	}
	if s.databases[path] == nil {
		s.databases[path] = &sync.Mutex{}
	}
	database := s.databases[path]
	s.open++
	s.mu.Unlock()
	database.Lock()
	fmt.Fprintln(conn, "yours")
	_, _ = in.ReadByte()
	database.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.last = time.Now()
}

// note writes a line to the file that FAKECL_LOG names.
func note(text string) {
	if name := os.Getenv("FAKECL_LOG"); name != "" {
		if f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666); err == nil {
			fmt.Fprintln(f, text)
			_ = f.Close()
		}
	}
}
