package endpoint

import "syscall"

// Namespace returns what identifies the caller's mount namespace, empty where
// that is not known.
func Namespace() string {
	var buf [64]byte
	n, err := syscall.Readlink("/proc/self/ns/mnt", buf[:])
	if err != nil || n == len(buf) {
		return ""
	}
	return string(buf[:n])
}
