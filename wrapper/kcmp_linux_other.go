//go:build linux && !amd64 && !arm64

package wrapper

// kcmp is not looked up for other machines.
const kcmp = 0
