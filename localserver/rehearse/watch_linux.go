//go:build amd64 || arm64

package rehearse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

// run starts Confine with the Command and watches it to its end.
func (x *execution) run(ctx context.Context, self []string) (*Report, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	near, far := os.NewFile(uintptr(pair[0]), "hub"), os.NewFile(uintptr(pair[1]), "hub")
	defer near.Close()
	p := plan{x.base, x.at, x.root, x.layout.WorkingDir, x.pack, x.packed, x.layout.Arguments}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self[0], slices.Concat(self[1:], p.words())...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = x.layout.Env, &stdout, &stderr, []*os.File{far}
	cmd.SysProcAttr = namespaces()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Start()
	_ = far.Close()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	w := &watch{execution: x, seen: make(map[Missed]bool), calls: make(map[int]seccomp.Lookup)}
	err = w.listen(near)
	ended := cmd.Wait()
	var exit *exec.ExitError
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case ended != nil && !errors.As(ended, &exit):
		return nil, ended
	}
	return &Report{
		Status: cmd.ProcessState.ExitCode(), Stdout: stdout.Bytes(), Stderr: stderr.Bytes(), Missed: w.missed(), Lookups: w.count,
	}, nil
}

// namespaces are those of the confined process, in which it may mount. Its user
// is this one by another number.
func namespaces() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Setpgid:     true,
	}
}

// A watch sees the lookups of one execution.
type watch struct {
	*execution
	calls map[int]seccomp.Lookup // by number
	seen  map[Missed]bool
	count int
}

// listen takes the listener from Confine and serves it until nobody is left who
// could look for anything.
func (w *watch) listen(hub *os.File) error {
	for _, c := range seccomp.Lookups() {
		w.calls[c.Number] = c
	}
	text, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	n, control, _, _, err := unix.Recvmsg(int(hub.Fd()), text, rights, unix.MSG_CMSG_CLOEXEC)
	if err != nil || n == 0 {
		return fmt.Errorf("%w: the confined process said nothing", ErrUnavailable)
	}
	messages, err := unix.ParseSocketControlMessage(rights[:control])
	if err != nil || len(messages) == 0 {
		if reason := string(text[:n]); unavailable(reason) {
			return fmt.Errorf("%w: %s", ErrUnavailable, reason)
		}
		return fmt.Errorf("confine: %s", text[:n])
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	defer unix.Close(fds[0])
	return seccomp.Serve(fds[0], w.note)
}

// note adds what a process looks for in vain.
func (w *watch) note(n *seccomp.Notification) {
	c := w.calls[int(n.Number)]
	w.count++
	if c.Flags >= 0 && n.Args[c.Flags]&(unix.O_ACCMODE|unix.O_CREAT) != unix.O_RDONLY {
		return
	}
	name, _ := seccomp.Name(n.Pid, n.Args[c.Name])
	if name == "" {
		return
	}
	if !path.IsAbs(name) {
		name = w.folder(n, &c) + "/" + name
	}
	if client := w.lacking(w.absolute(n.Pid, name), &c); client != "" {
		w.seen[Missed{Path: client, By: program(n.Pid)}] = true
	}
}

// lacking returns the file of this machine that is not where the confined
// process looks for it, empty for none.
func (w *watch) lacking(name string, c *seccomp.Lookup) string {
	for _, dir := range []string{"/proc", "/dev", "/sys"} {
		if _, ok := cutDir(name, dir); ok {
			return ""
		}
	}
	client, staged, ours := w.here(name)
	if ours && c.AsksOnly {
		return "" // drivers ask for many a program that they then do not start
	}
	if staged != "" {
		if _, err := os.Lstat(staged); err == nil {
			return ""
		}
	}
	if info, err := os.Stat(client); err != nil || !info.Mode().IsRegular() {
		return ""
	}
	return client
}

// absolute is a name as the confined process has it, without what stands for
// its working directory.
func (w *watch) absolute(pid uint32, name string) string {
	for _, dir := range []string{"/proc/self/cwd", "/proc/thread-self/cwd"} {
		if rest, ok := cutDir(name, dir); ok {
			name = w.unbased(seccomp.Link(pid, "cwd")) + "/" + rest
		}
	}
	return path.Clean(name)
}

// folder is where relative names start from.
func (w *watch) folder(n *seccomp.Notification, c *seccomp.Lookup) string {
	fd := int32(unix.AT_FDCWD)
	if c.Folder >= 0 {
		fd = int32(n.Args[c.Folder])
	}
	return w.unbased(seccomp.Folder(n.Pid, fd))
}

// unbased is a path as the confined process has it, whose root is base.
func (w *watch) unbased(target string) string {
	if rest, ok := cutDir(target, w.base); ok {
		return "/" + rest
	}
	return target
}

// program is what a process runs, by the name that its loader was given.
func program(pid uint32) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	words := strings.Split(string(text), "\x00")
	if i := slices.Index(words, "--argv0"); i > 0 && i+1 < len(words) {
		return path.Base(words[i+1])
	}
	return path.Base(words[0])
}

func (w *watch) missed() []Missed {
	out := make([]Missed, 0, len(w.seen))
	for m := range w.seen {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Missed) int { return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.By, b.By)) })
	return out
}
