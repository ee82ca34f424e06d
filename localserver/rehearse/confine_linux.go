//go:build amd64 || arm64

package rehearse

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

// A plan says what Confine has to do. Its words are
//
//	BASE AT ROOT DIR PACK PACKED COMMAND...
type plan struct {
	base, at, root, dir, pack, packed string
	command                           []string
}

func (p *plan) words() []string {
	return append([]string{p.base, p.at, p.root, p.dir, p.pack, p.packed}, p.command...)
}

func planOf(words []string) (*plan, error) {
	if len(words) < 7 {
		return nil, errors.New("too few words")
	}
	return &plan{words[0], words[1], words[2], words[3], words[4], words[5], words[6:]}, nil
}

// hub is the descriptor by which Confine sends the filter, or what went wrong.
const hub = 3

// Confine is what the program does that Stage.Rehearse has started: it makes the
// file system, and becomes the compiler. It returns only in failure, with an exit
// status.
func Confine(words []string) int {
	runtime.LockOSThread() // namespaces and filters are a thread's
	text := []byte(confine(words).Error())
	if _, err := unix.Write(hub, text); err != nil { // the filter was sent: the program does not start
		_, _ = unix.Write(2, append(text, '\n'))
	}
	return 126
}

func confine(words []string) error {
	p, err := planOf(words)
	if err != nil {
		return err
	}
	if err := p.mount(); err != nil {
		return err
	}
	if err := unix.Chroot(p.base); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	if err := unix.Chdir(filepath.Join(p.at, p.dir)); err != nil {
		return fmt.Errorf("chdir: %w", err)
	}
	if err := sendFilter(); err != nil {
		return err
	}
	return fmt.Errorf("%s: %w", p.command[0], syscall.Exec(p.command[0], p.command, os.Environ()))
}

// mount puts the new file system together at base.
func (p *plan) mount() error {
	inside := func(name string) string { return filepath.Join(p.base, name) }
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("none", p.base, "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount tmpfs: %w", err)
	}
	for _, dir := range []string{"proc", "dev", "tmp", p.at} {
		if err := os.MkdirAll(inside(dir), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(inside(os.DevNull), nil, 0o666); err != nil {
		return err
	}
	binds := [][2]string{{os.DevNull, inside(os.DevNull)}, {"/proc", inside("proc")}, {p.root, inside(p.at)}}
	if p.pack != "" {
		binds = append(binds, [2]string{p.pack, inside(filepath.Join(p.at, p.packed))})
	}
	for _, b := range binds {
		if err := unix.Mount(b[0], b[1], "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount %s: %w", b[0], err)
		}
	}
	return nil
}

// sendFilter puts the filter on this thread and sends its listener.
func sendFilter() error {
	filter := &seccomp.Filter{}
	for _, c := range seccomp.Lookups() {
		filter.Rules = append(filter.Rules, seccomp.Rule{Number: c.Number, Emptiable: c.Emptiable})
	}
	fd, err := seccomp.Install(filter)
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(hub, []byte{0}, unix.UnixRights(fd), nil, 0); err != nil {
		return fmt.Errorf("send filter: %w", err)
	}
	return errors.Join(unix.Close(hub), unix.Close(fd))
}

// unavailable reports whether a reason that Confine gave is about the system.
func unavailable(reason string) bool {
	return strings.Contains(reason, unix.EPERM.Error()) || strings.Contains(reason, unix.ENOSYS.Error()) ||
		strings.HasPrefix(reason, "seccomp: ")
}
