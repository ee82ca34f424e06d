//go:build !windows

package wire

const pathHasBackslash = false
