package pdbsession

import (
	"time"

	"golang.org/x/sys/windows"
)

// BootTime returns when the system was started, as far as its clocks tell, or the zero time.
func BootTime() time.Time { return time.Now().Add(-windows.DurationSinceBoot()) }
