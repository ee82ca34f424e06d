// Package inotify reads the changes that Linux tells of by inotify(7), together
// with those of the table of mounts. depscan/cpp and depscan/filestate each have a
// Queue and decide by themselves what to watch; what an event means is theirs, too.
// For other systems the package is empty.
package inotify
