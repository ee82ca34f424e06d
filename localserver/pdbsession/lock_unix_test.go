//go:build unix

package pdbsession

import "syscall"

func lockedError() error { return syscall.EBUSY }
