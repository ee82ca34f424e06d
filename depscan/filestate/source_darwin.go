package filestate

import (
	"errors"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// identify fills the key of the file that fi describes.
func identify(_ string, fi os.FileInfo, k *key) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	*k = key{
		dev: uint64(st.Dev), ino: st.Ino, size: st.Size,
		mtime: st.Mtimespec.Nano(), ctime: st.Ctimespec.Nano(),
	}
	return true
}

// volume tells APFS and HFS+, which our kernel stamps, from all others.
func (k *kernel) volume(path string) volume {
	var raw unix.Statfs_t
	if unix.Statfs(path[:len(path)-1], &raw) != nil {
		return volume{}
	}
	switch unix.ByteSliceToString(raw.Fstypename[:]) {
	case "apfs", "hfs":
		return volume{class: local}
	case "nfs", "smbfs", "afpfs":
		return volume{class: remote}
	case "msdos", "exfat":
		return volume{class: stampless}
	}
	return volume{class: opaque}
}
