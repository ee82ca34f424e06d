//go:build unix && !linux

package wrapper

const (
	descriptorDir = "/dev/fd"
	rlimitShift   = 1
)
