// Package filestate is the shared memory of what files hold: it answers "does
// this file still have that digest?" and "is that name still absent?" for the
// price of a stat. All requests of a local server share one State; depscan's
// scanners and localserver/pipeline use it. Each answer is as true as the stat made
// for it; on Linux, what is asked for often is watched instead (see watcher), and
// an answer then as true as if a stat had been made for it.
//
// # What is believed
//
// A file's stat key is (dev, ino, size, mtime ns, ctime ns). That a key stands
// for a digest is believed only when any later change of the file must give it
// another key. A user can set mtime back but not ctime, so ctime decides; what
// must be excluded is a change that gets the same ctime. How, depends on the
// file system (see volume):
//
//   - Local ones (ext4, xfs, btrfs, zfs, tmpfs, f2fs, overlay, …) stamp with the
//     kernel's coarse clock, which advances by ticks of 1 to 10 ms and which this
//     package reads too. A key is believed when its ctime was a tick older than
//     that clock before the file was read. Stamps of whole seconds (ext3 inodes,
//     for one) tell of a coarser file system and must be 2 s old.
//   - From Linux 6.13 on, ext4, xfs, btrfs and tmpfs give a file whose times have
//     been asked for a distinct ctime at its next change (multigrain timestamps):
//     their keys are believed at once.
//   - On the network and in user space (NFS, CIFS, 9p, FUSE) another machine's
//     clock stamps. No clock is compared: the key must have been seen, by our own
//     monotonic clock, 2 s before the read that is remembered. The attributes come
//     from open and fstat, which such file systems answer with fresh ones.
//   - File systems that this package does not know, and FUSE, are held to the same
//     and must besides have shown a ctime that is not a copy of mtime.
//   - FAT and exFAT have no change time: their files are read every time.
//
// A believed key is doubted again while its ctime lies in the future, as it does
// after the clock was set back. Stores through a shared writable mapping change
// times at the first store only; a file that is being changed so is not noticed,
// and one that is watched not until the mapping ends.
//
// Directories are held to the same rules: the key of a directory stands for the
// names that were absent in it.
package filestate
