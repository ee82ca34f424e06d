package pdbsession

import (
	"time"

	"golang.org/x/sys/unix"
)

// BootTime returns when the system was started, as far as its clocks tell, or the zero time.
func BootTime() time.Time {
	boot, err := unix.SysctlTimeval("kern.boottime")
	if err != nil {
		return time.Time{}
	}
	return time.Unix(boot.Unix())
}
