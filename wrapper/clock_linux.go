package wrapper

import (
	"syscall"
	"unsafe"
)

// Clocks of clock_gettime(2).
const (
	clockRealtime  = 0
	clockMonotonic = 1
)

// now returns the time in nanoseconds since 1970.
func now() int64 { return clock(clockRealtime) }

// monotonic returns a time in nanoseconds that is never set back.
func monotonic() int64 { return clock(clockMonotonic) }

func clock(id uintptr) int64 {
	var ts syscall.Timespec
	_, _, _ = syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0)
	return ts.Nano()
}

func sleep(ms int) {
	ts := syscall.NsecToTimespec(int64(ms) * 1e6)
	_ = syscall.Nanosleep(&ts, nil) // cut short at worst
}
