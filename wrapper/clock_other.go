//go:build !linux

package wrapper

import "time"

// now returns the time in nanoseconds since 1970.
func now() int64 { return time.Now().UnixNano() }

// monotonic returns a time in nanoseconds that is never set back.
func monotonic() int64 { return int64(time.Since(time.Unix(0, 0))) }

func sleep(ms int) { time.Sleep(time.Duration(ms) * time.Millisecond) }
