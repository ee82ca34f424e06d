package wrapper

const (
	descriptorDir = "/proc/self/fd"
	rlimitShift   = 0
)
