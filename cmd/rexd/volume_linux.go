package main

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// A volume is what doctor says of the file system of a folder.
type volume struct {
	kind    string
	network bool
	foreign bool  // the folder belongs to another user
	free    int64 // bytes for us
}

func volumeOf(dir string) (volume, error) {
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return volume{}, &os.PathError{Op: "stat", Path: dir, Err: err}
	}
	var f unix.Statfs_t
	if err := unix.Statfs(dir, &f); err != nil {
		return volume{}, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	v := volume{free: int64(f.Bavail) * f.Bsize, foreign: st.Uid != 0 && int(st.Uid) != os.Geteuid()}
	v.kind, v.network = fileSystem(int64(f.Type))
	return v, nil
}

// fileSystem names a file system by its magic number (statfs(2)).
func fileSystem(magic int64) (name string, network bool) {
	switch magic {
	case unix.EXT4_SUPER_MAGIC:
		return "ext4", false
	case unix.XFS_SUPER_MAGIC:
		return "xfs", false
	case unix.BTRFS_SUPER_MAGIC:
		return "btrfs", false
	case unix.TMPFS_MAGIC:
		return "tmpfs, which is lost with the machine", false
	case unix.OVERLAYFS_SUPER_MAGIC:
		return "overlayfs", false
	case 0x2fc12fc1:
		return "zfs", false
	case unix.F2FS_SUPER_MAGIC:
		return "f2fs", false
	case unix.NFS_SUPER_MAGIC:
		return "nfs", true
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "cifs", true
	case unix.V9FS_MAGIC:
		return "9p", true
	case unix.FUSE_SUPER_MAGIC:
		return "fuse", true
	default:
		return fmt.Sprintf("file system %#x", magic), false
	}
}

// clones reports whether files in dir can share their blocks.
func clones(dir string) (bool, error) {
	from, err := os.CreateTemp(dir, ".doctor")
	if err != nil {
		return false, err
	}
	defer func() { _, _ = from.Close(), os.Remove(from.Name()) }()
	if _, err := from.Write(make([]byte, 1<<16)); err != nil {
		return false, err
	}
	to, err := os.OpenFile(filepath.Clean(from.Name()+"-clone"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false, err
	}
	defer func() { _, _ = to.Close(), os.Remove(to.Name()) }()
	return unix.IoctlFileClone(int(to.Fd()), int(from.Fd())) == nil, nil
}
