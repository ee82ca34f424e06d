package materialize

import "io/fs"

// links is 1: hard-linked outputs are unknown in Windows builds.
func links(fs.FileInfo) uint64 { return 1 }

// isNull is false: NUL cannot be lstat'ed as a device, so Look reports it as
// Special.
func isNull(fs.FileInfo) bool { return false }

// enterable is true: access rights show when the file is made.
func enterable(string) bool { return true }
