//go:build !linux || !(amd64 || arm64)

package trace

func available() bool { return false }

// Works reports that nothing can be traced.
func Works() bool { return false }

// Main fails: nothing can be traced.
func Main([]string) int { return statusNotRun }
