//go:build !linux

package strategy

// FreeMemory returns how much memory compilers may take; here it is not known.
func FreeMemory() (free int64, known bool) { return 0, false }
