//go:build linux

package rig

import (
	"time"

	"golang.org/x/sys/unix"
)

// Settle waits until files that exist now are older than the clock that stamps
// files can tell: until it has made a step, 4 or 10 ms as a rule. What a compile
// reads and what was written within the same step could have been written after
// it was read, so such a compile is rightly not stored.
func Settle() error {
	start, err := stamp()
	if err != nil {
		return err
	}
	for step := time.Millisecond; ; {
		now, err := stamp()
		if err != nil || now != start {
			return err
		}
		<-time.After(step)
	}
}

// stamp reads the clock that file systems stamp with.
func stamp() (int64, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &ts); err != nil {
		return 0, err
	}
	return ts.Nano(), nil
}
