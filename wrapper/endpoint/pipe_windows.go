package endpoint

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Errors of the system that package syscall does not name.
const (
	errorPipeBusy        = syscall.Errno(231)
	wsaConnectionRefused = syscall.Errno(10061)
)

// kernel32 returns a function of the system that package syscall lacks.
func kernel32(name string) *syscall.LazyProc {
	return syscall.NewLazyDLL("kernel32.dll").NewProc(name)
}

// dialPipe opens a pipe, waiting for one of its instances to be free. The server
// learns who we are, and cannot act in our name.
func dialPipe(name string, timeout time.Duration) (*os.File, error) {
	const identification = 0x00110000 // SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(timeout); ; {
		h, err := syscall.CreateFile(path, syscall.GENERIC_READ|syscall.GENERIC_WRITE, 0, nil,
			syscall.OPEN_EXISTING, syscall.FILE_FLAG_OVERLAPPED|identification, 0)
		if err == nil {
			return ownPipe(h, name)
		}
		if err != errorPipeBusy {
			return nil, err
		}
		left := time.Until(end).Milliseconds()
		if left <= 0 {
			return nil, ErrStalled
		}
		_, _, _ = kernel32("WaitNamedPipeW").Call(uintptr(unsafe.Pointer(path)), uintptr(left)) // opening it tells
	}
}

// ownPipe returns the connected pipe h if its server is a process of this user.
func ownPipe(h syscall.Handle, name string) (*os.File, error) {
	var pid uint32
	ok, _, err := kernel32("GetNamedPipeServerProcessId").Call(uintptr(h), uintptr(unsafe.Pointer(&pid)))
	if ok == 0 {
		syscall.CloseHandle(h)
		return nil, err
	}
	if !sameUser(pid) {
		syscall.CloseHandle(h)
		return nil, ErrUnsafe
	}
	return os.NewFile(uintptr(h), name), nil
}

// sameUser reports whether the process pid is this user's.
func sameUser(pid uint32) bool {
	const queryLimited = 0x1000 // PROCESS_QUERY_LIMITED_INFORMATION
	process, err := syscall.OpenProcess(queryLimited, false, pid)
	if err != nil {
		return false
	}
	defer syscall.CloseHandle(process)
	self, err := syscall.GetCurrentProcess()
	if err != nil {
		return false
	}
	theirs, err := userOf(process)
	if err != nil {
		return false
	}
	ours, err := userOf(self)
	return err == nil && theirs == ours
}

// userOf returns the SID of a process's user.
func userOf(process syscall.Handle) (string, error) {
	var token syscall.Token
	if err := syscall.OpenProcessToken(process, syscall.TOKEN_QUERY, &token); err != nil {
		return "", err
	}
	defer token.Close()
	user, err := token.GetTokenUser()
	if err != nil {
		return "", err
	}
	return user.User.Sid.String()
}
