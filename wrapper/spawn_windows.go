package wrapper

import (
	"errors"
	"syscall"
)

// errLimited says that this process may not start what is to outlive it.
var errLimited = errors.New("resource limits")

// limited is for Unix, where a server would inherit limits.
func limited() bool { return false }

// A process is a server that was started. A nil process has not failed.
type process struct{ handle syscall.Handle }

// failed reports whether the process has ended.
func (p *process) failed() bool {
	if p == nil || p.handle == 0 {
		return false
	}
	event, err := syscall.WaitForSingleObject(p.handle, 0)
	if err == nil && event == syscall.WAIT_TIMEOUT {
		return false
	}
	syscall.CloseHandle(p.handle)
	p.handle = 0
	return true
}

// What a server is started with, beside CREATE_NEW_PROCESS_GROUP.
const (
	createNoWindow  = 0x08000000 // a console of its own, for the compilers it asks
	createBreakaway = 0x01000000 // CREATE_BREAKAWAY_FROM_JOB
)

// spawn starts a server in the background. Nothing of the build goes with it: no
// console, no handle, where that is allowed no job object, no working directory,
// and of the environment only what a server reads.
func (c *call) spawn(rexd string) (*process, error) {
	flags := uint32(syscall.CREATE_NEW_PROCESS_GROUP | createNoWindow)
	p, err := c.spawnWith(rexd, flags|createBreakaway)
	if errors.Is(err, errorAccessDenied) {
		return c.spawnWith(rexd, flags)
	}
	return p, err
}

func (c *call) spawnWith(rexd string, flags uint32) (*process, error) {
	_, handle, err := syscall.StartProcess(rexd, []string{rexd, "server", "run"}, &syscall.ProcAttr{
		Dir:   rexd[:len(rexd)-len(base(rexd))],
		Env:   serverEnv(c.env, c.place),
		Files: []uintptr{0, 0, 0},
		Sys:   &syscall.SysProcAttr{CreationFlags: flags, NoInheritHandles: true},
	})
	if err != nil {
		return nil, err
	}
	return &process{syscall.Handle(handle)}, nil
}
