package trace

// Exit statuses of our own; all others are the compiler's.
const (
	statusNotRun    = 126
	statusSignalled = 128 // plus the signal
)
