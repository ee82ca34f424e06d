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
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
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
	w := &watch{execution: x, seen: make(map[Missed]bool), calls: make(map[int]lookup)}
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
	calls map[int]lookup // by number
	seen  map[Missed]bool
	count int
}

// listen takes the listener from Confine and serves it until nobody is left who
// could look for anything.
func (w *watch) listen(hub *os.File) error {
	for _, c := range lookups() {
		w.calls[c.number] = c
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
	return w.serve(fds[0])
}

// notification and reply are struct seccomp_notif and seccomp_notif_resp.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type reply struct {
	id      uint64
	value   int64
	errno   int32
	proceed uint32
}

// serve answers the listener until it hangs up.
func (w *watch) serve(fd int) error {
	for {
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		_, err := unix.Poll(ready, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case ready[0].Revents&unix.POLLIN == 0:
			return nil
		}
		var n notification
		if errno := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&n)); errno == unix.ENOENT || errno == unix.EINTR {
			continue // killed meanwhile
		} else if errno != 0 {
			return errno
		}
		w.note(&n)
		r := reply{id: n.id, proceed: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
		if errno := ioctl(fd, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&r)); errno != 0 && errno != unix.ENOENT {
			return errno
		}
	}
}

func ioctl(fd int, request uintptr, argument unsafe.Pointer) syscall.Errno {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(argument))
	return errno
}

// note adds what a process looks for in vain.
func (w *watch) note(n *notification) {
	c := w.calls[int(n.number)]
	w.count++
	if c.flags >= 0 && n.args[c.flags]&(unix.O_ACCMODE|unix.O_CREAT) != unix.O_RDONLY {
		return
	}
	name := nameAt(n.pid, n.args[c.name])
	if name == "" {
		return
	}
	if !path.IsAbs(name) {
		name = w.folder(n, &c) + "/" + name
	}
	if client := w.lacking(w.absolute(n.pid, name), &c); client != "" {
		w.seen[Missed{Path: client, By: program(n.pid)}] = true
	}
}

// lacking returns the file of this machine that is not where the confined
// process looks for it, empty for none.
func (w *watch) lacking(name string, c *lookup) string {
	for _, dir := range []string{"/proc", "/dev", "/sys"} {
		if _, ok := cutDir(name, dir); ok {
			return ""
		}
	}
	client, staged, ours := w.here(name)
	if ours && c.asksOnly {
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
			name = w.linked(pid, "cwd") + "/" + rest
		}
	}
	return path.Clean(name)
}

// folder is where relative names start from.
func (w *watch) folder(n *notification, c *lookup) string {
	if c.folder >= 0 {
		if fd := int32(n.args[c.folder]); fd != unix.AT_FDCWD {
			return w.linked(n.pid, "fd/"+strconv.Itoa(int(fd)))
		}
	}
	return w.linked(n.pid, "cwd")
}

// linked reads a link of a process in /proc. The confined process's root is
// base.
func (w *watch) linked(pid uint32, name string) string {
	target, err := os.Readlink(fmt.Sprintf("/proc/%d/%s", pid, name))
	if err != nil {
		return ""
	}
	if rest, ok := cutDir(target, w.base); ok {
		return "/" + rest
	}
	return target
}

// nameAt reads a name from the memory of a process.
func nameAt(pid uint32, address uint64) string {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, unix.PathMax)
	n, _ := f.ReadAt(buf, int64(address)) // less, where the memory ends
	if i := bytes.IndexByte(buf[:n], 0); i >= 0 {
		return string(buf[:i])
	}
	return ""
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
