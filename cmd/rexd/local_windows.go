package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/windows"
)

// launch starts `rexd server run` in the background, with a console of its own
// that nobody sees, for the compilers it asks. Nothing of the caller goes with it
// but what serverEnv lets pass.
func (a *app) launch() (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	const flags = windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW
	cmd, err := a.launchWith(self, flags|windows.CREATE_BREAKAWAY_FROM_JOB)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) { // the job keeps its processes
		return a.launchWith(self, flags)
	}
	return cmd, err
}

func (a *app) launchWith(self string, flags uint32) (*exec.Cmd, error) {
	cmd := exec.Command(self, "server", "run")
	cmd.Dir = filepath.Dir(self)
	cmd.Env = a.serverEnv()
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: flags}
	return cmd, cmd.Start()
}

// passed are the variables that a server, and what it asks, reads.
func passed() []string {
	return []string{
		"HOME", "USERPROFILE", "USERNAME", "LOCALAPPDATA", "APPDATA", "PROGRAMDATA", "PATH", "PATHEXT", "TEMP", "TMP",
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY",
	}
}

func private() {} // files inherit the rights of their folder

// alive reports whether the process pid exists.
func alive(pid int) bool {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return errors.Is(err, windows.ERROR_ACCESS_DENIED)
	}
	defer windows.CloseHandle(h)
	event, err := windows.WaitForSingleObject(h, 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}
