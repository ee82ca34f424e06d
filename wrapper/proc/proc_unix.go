//go:build unix && !linux

package proc

import "syscall"

// ExecutableStat returns the stat of the program's file.
func ExecutableStat() (st syscall.Stat_t, err error) {
	err = syscall.Stat(Executable(), &st)
	return st, err
}
