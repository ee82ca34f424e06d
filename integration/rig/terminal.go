//go:build linux

package rig

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// Terminal opens a pseudo-terminal of 80 columns that passes bytes on as they
// are: user is the end a program writes to.
func Terminal() (master, user *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	user, err = openUser(master)
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, user, nil
}

func openUser(master *os.File) (*os.File, error) {
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("terminal number: %w", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock terminal: %w", err)
	}
	user, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	size := unix.Winsize{Row: 25, Col: 80}
	modes, err := unix.IoctlGetTermios(int(user.Fd()), unix.TCGETS)
	if err == nil {
		modes.Oflag &^= unix.OPOST
		err = errors.Join(
			unix.IoctlSetTermios(int(user.Fd()), unix.TCSETS, modes),
			unix.IoctlSetWinsize(int(user.Fd()), unix.TIOCSWINSZ, &size))
	}
	if err != nil {
		user.Close()
		return nil, fmt.Errorf("set up terminal: %w", err)
	}
	return user, nil
}

// runOnTerminal runs cmd with a new terminal as its standard streams.
func runOnTerminal(cmd *exec.Cmd, out *bytes.Buffer) error {
	master, user, err := Terminal()
	if err != nil {
		return err
	}
	defer master.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = user, user, user
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err = cmd.Start()
	user.Close()
	if err != nil {
		return err
	}
	// Reading ends with EIO when the last process has closed the terminal.
	_, readErr := out.ReadFrom(master)
	err = cmd.Wait()
	if readErr != nil && !errors.Is(readErr, syscall.EIO) {
		return errors.Join(err, readErr)
	}
	return err
}
