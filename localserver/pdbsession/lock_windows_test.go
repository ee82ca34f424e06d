package pdbsession

import "golang.org/x/sys/windows"

func lockedError() error { return windows.ERROR_SHARING_VIOLATION }
