//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// launch starts `rexd server run` in a session of its own. Nothing of the caller
// goes with it but what serverEnv lets pass.
func (a *app) launch() (*exec.Cmd, error) {
	if err := checkLimits(); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	closeOnExec()
	cmd := exec.Command(self, "server", "run")
	cmd.Dir = "/"
	cmd.Env = a.serverEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd, cmd.Start()
}

// checkLimits refuses to start a server that would inherit a limit on its CPU
// time, memory or file sizes, which were meant for something else.
func checkLimits() error {
	for _, limit := range []struct {
		resource int
		name     string
	}{{unix.RLIMIT_CPU, "-t"}, {unix.RLIMIT_AS, "-v"}, {unix.RLIMIT_FSIZE, "-f"}} {
		var r unix.Rlimit
		if unix.Getrlimit(limit.resource, &r) == nil && r.Cur != unix.RLIM_INFINITY {
			return fmt.Errorf("a limit is set (ulimit %s), which the server must not inherit", limit.name)
		}
	}
	return nil
}

// closeOnExec keeps every inherited descriptor but the standard ones from
// child processes: a pipe, lock or jobserver that a server held open would
// never end.
func closeOnExec() {
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd := 0
		if _, err := fmt.Sscan(e.Name(), &fd); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// passed are the variables that a server's libraries read.
func passed() []string {
	return []string{
		"HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
	}
}

// private keeps all files that this process makes from now on from other users.
func private() { unix.Umask(0o077) }

// alive reports whether a process of ours exists. One that has ended and whose
// parent has not asked yet does not count.
func alive(pid int) bool {
	if unix.Kill(pid, 0) != nil {
		return false
	}
	return !zombie(pid)
}

func zombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, ok := strings.Cut(string(stat), ") ")
	return ok && strings.HasPrefix(rest, "Z")
}
