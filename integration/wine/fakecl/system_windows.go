package main

import (
	"os"
	"syscall"
	"unsafe"
)

func rawCommandLine() string {
	line := (*[1 << 15]uint16)(unsafe.Pointer(syscall.GetCommandLine()))
	n := 0
	for line[n] != 0 {
		n++
	}
	return syscall.UTF16ToString(line[:n])
}

// openAs opens a file so that others may write to it but not replace it, or so
// that nobody else may open it.
func openAs(path, how string) (*os.File, error) {
	share := uint32(0)
	if how == "shared" {
		share = syscall.FILE_SHARE_READ | syscall.FILE_SHARE_WRITE
	}
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	h, err := syscall.CreateFile(name, syscall.GENERIC_READ, share, nil, syscall.OPEN_EXISTING, 0, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(h), path), nil
}

// isAlive reports whether a process has not ended.
func isAlive(pid int) bool {
	h, err := syscall.OpenProcess(syscall.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return false
	}
	defer syscall.CloseHandle(h)
	event, err := syscall.WaitForSingleObject(h, 0)
	return err == nil && event == syscall.WAIT_TIMEOUT
}
