//go:build unix && !linux

package wrapper

import "syscall"

const getTermios = syscall.TIOCGETA

// sameOpening reports whether a and b are one open file description, as far as
// can be seen.
func sameOpening(a, b int) bool { return samePosition(a, b) }

// openTerminal is for Linux only; elsewhere a compiler that writes to a
// terminal writes to it directly, and what it says is not recorded.
func openTerminal(int) (master, slave int, err error) { return -1, -1, syscall.ENOSYS }
