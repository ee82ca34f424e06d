//go:build !linux

package endpoint

// Namespace returns what identifies the caller's mount namespace, empty where
// that is not known.
func Namespace() string { return "" }
