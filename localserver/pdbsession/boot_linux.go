package pdbsession

import (
	"syscall"
	"time"
)

// BootTime returns when the system was started, as far as its clocks tell, or the zero time.
func BootTime() time.Time {
	var info syscall.Sysinfo_t
	if err := syscall.Sysinfo(&info); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(info.Uptime) * time.Second)
}
