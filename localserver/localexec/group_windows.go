package localexec

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps the console's Ctrl-C away from cmd. Windows has no signal to a
// group: cancelling ends the process itself, and WaitDelay its streams.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
	cmd.Cancel = func() error { return killGroup(cmd) }
}

func killGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }
