package filestate

import (
	"encoding/binary"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel is the source of the running system.
type kernel struct {
	fine bool // multigrain timestamps
}

func newSource() source { return &kernel{fine: multigrain()} }

func (k *kernel) stat(path string, fresh bool, st *info) {
	if fresh && k.statOpened(path, st) {
		return
	}
	var raw syscall.Stat_t
	st.set(&raw, fstatat(unsafe.StringData(path), &raw, 0))
}

// statOpened opens what path leads to and takes its attributes from there: NFS
// asks the server at every open. It reports whether path is a regular file or a
// directory; others are not opened.
func (k *kernel) statOpened(path string, st *info) bool {
	var raw syscall.Stat_t
	st.set(&raw, fstatat(unsafe.StringData(path), &raw, 0))
	if st.kind != Regular && st.kind != Directory {
		return true
	}
	fd, err := openFile(path)
	if err != nil {
		return false
	}
	st.set(&raw, errno(syscall.Fstat(fd, &raw)))
	_ = syscall.Close(fd) // opened for reading: nothing can be lost
	return true
}

func (k *kernel) lstat(path string, st *info) {
	var raw syscall.Stat_t
	st.set(&raw, fstatat(unsafe.StringData(path), &raw, unix.AT_SYMLINK_NOFOLLOW))
}

// set takes over what a stat call gave.
func (st *info) set(raw *syscall.Stat_t, e syscall.Errno) {
	switch e {
	case 0:
	case syscall.ENOENT, syscall.ENOTDIR:
		st.kind = Missing
		return
	default:
		*st = info{kind: Other}
		return
	}
	st.key = key{
		dev: uint64(raw.Dev), ino: raw.Ino, size: raw.Size,
		mtime: raw.Mtim.Nano(), ctime: raw.Ctim.Nano(),
	}
	switch raw.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		st.kind = Regular
	case syscall.S_IFDIR:
		st.kind = Directory
	default:
		st.kind = Other
	}
}

func errno(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if e, ok := err.(syscall.Errno); ok {
		return e
	}
	return syscall.EIO
}

func openFile(path string) (int, error) {
	for {
		fd, err := syscall.Open(path[:len(path)-1], syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
		if err != syscall.EINTR {
			return fd, err
		}
	}
}

func (k *kernel) open(path string) (file, error) {
	fd, err := openFile(path)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path[:len(path)-1], Err: err}
	}
	return &kernelFile{k, os.NewFile(uintptr(fd), path[:len(path)-1]), fd}, nil
}

// kernelFile is an open file of kernel.
type kernelFile struct {
	k *kernel
	*os.File
	fd int
}

func (f *kernelFile) stat(st *info) error {
	var raw syscall.Stat_t
	err := syscall.Fstat(f.fd, &raw)
	st.set(&raw, errno(err))
	return err
}

func (f *kernelFile) volume() volume {
	var raw unix.Statfs_t
	if unix.Fstatfs(f.fd, &raw) != nil {
		return volume{}
	}
	v := f.k.describe(&raw)
	if raw.Type == unix.XFS_SUPER_MAGIC {
		v.id = xfsID(f.fd)
	}
	return v
}

func (f *kernelFile) xattr(name string, buf []byte) []byte {
	n, err := unix.Fgetxattr(f.fd, name, buf)
	if err != nil {
		return nil
	}
	return buf[:n]
}

func (k *kernel) volume(path string) volume {
	fd, err := unix.Open(path[:len(path)-1], unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return volume{}
	}
	f := kernelFile{k: k, fd: fd}
	v := f.volume()
	_ = unix.Close(fd) // opened for reading: nothing can be lost
	return v
}

// describe classifies a file system by statfs(2)'s f_type.
func (k *kernel) describe(raw *unix.Statfs_t) volume {
	id := volumeID{}
	binary.LittleEndian.PutUint32(id[:], uint32(raw.Fsid.Val[0]))
	binary.LittleEndian.PutUint32(id[4:], uint32(raw.Fsid.Val[1]))
	// f_type is narrower, and signed, on some architectures.
	switch uint32(raw.Type) {
	case unix.EXT4_SUPER_MAGIC: // ext2 and ext3 too; f_fsid is made from the UUID
		return volume{class: local, fine: k.fine, listable: true, id: tagged('e', id)}
	case unix.BTRFS_SUPER_MAGIC: // f_fsid: UUID and subvolume
		return volume{class: local, fine: k.fine, listable: true, id: tagged('b', id)}
	case zfsMagic: // f_fsid: the data set's GUID
		return volume{class: local, listable: true, id: tagged('z', id)}
	case unix.XFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return volume{class: local, fine: k.fine, listable: true}
	case unix.OVERLAYFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, bcachefsMagic, unix.RAMFS_MAGIC:
		return volume{class: local, listable: true}
	case unix.NFS_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC, unix.V9FS_MAGIC, unix.CEPH_SUPER_MAGIC, unix.AFS_FS_MAGIC:
		return volume{class: remote}
	case unix.MSDOS_SUPER_MAGIC, unix.EXFAT_SUPER_MAGIC:
		return volume{class: stampless}
	}
	return volume{class: opaque}
}

// Numbers that x/sys/unix lacks: OpenZFS include/os/linux/zfs/sys/zfs_vfsops_os.h
// and bcachefs' BCACHEFS_STATFS_MAGIC.
const (
	zfsMagic      = 0x2fc12fc1
	bcachefsMagic = 0xca451a4e
)

// tagged keeps the ids of one kind of file system apart from those of another.
func tagged(kind byte, id volumeID) volumeID {
	if id == (volumeID{}) {
		return id
	}
	id[15] = kind
	return id
}

// xfsID returns the UUID of the xfs that fd is on: its f_fsid is a device number
// only. XFS_IOC_FSGEOMETRY_V1 fills a struct of 112 bytes with the UUID at 64
// (xfs_fs.h, struct xfs_fsop_geom_v1).
func xfsID(fd int) (id volumeID) {
	const (
		ioctl  = 0x80705864 // _IOR('X', 100, struct xfs_fsop_geom_v1)
		offset = 64
	)
	var geometry [112]byte
	_, _, e := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), ioctl, uintptr(unsafe.Pointer(&geometry)))
	if e != 0 {
		return volumeID{}
	}
	return volumeID(geometry[offset : offset+16])
}

// list reads the directory by getdents64(2).
func (k *kernel) list(path string, add func(name []byte) bool) bool {
	fd, err := unix.Open(path[:len(path)-1], unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	buf := make([]byte, 32<<10)
	for {
		n, err := unix.Getdents(fd, buf)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 || err != nil {
			return err == nil
		}
		if !entries(buf[:n], add) {
			return false
		}
	}
}

// entries gives the names in a buffer of struct linux_dirent64 to add: u64 ino,
// s64 offset, u16 length, u8 type, the name with its zero byte.
func entries(buf []byte, add func(name []byte) bool) bool {
	const header = 19
	for len(buf) > header {
		length := int(binary.NativeEndian.Uint16(buf[16:]))
		if length <= header || length > len(buf) {
			return false
		}
		name := buf[header:length]
		for i, c := range name {
			if c == 0 {
				name = name[:i]
				break
			}
		}
		if !add(name) {
			return false
		}
		buf = buf[length:]
	}
	return true
}

func (k *kernel) readlink(path string, buf []byte) []byte {
	n, err := unix.Readlink(path[:len(path)-1], buf)
	if err != nil || n == len(buf) {
		return nil
	}
	return buf[:n]
}

func (k *kernel) now() instant {
	var real, mono unix.Timespec
	if unix.ClockGettime(unix.CLOCK_REALTIME_COARSE, &real) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC_COARSE, &mono) != nil {
		return instant{} // believes nothing
	}
	return instant{real.Nano(), mono.Nano()}
}

// multigrain reports whether the kernel is 6.13 or newer.
func multigrain() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	major, rest := number(u.Release[:])
	minor, _ := number(rest[min(1, len(rest)):])
	return major > 6 || major == 6 && minor >= 13
}

// number splits a leading decimal number off b.
func number(b []byte) (int, []byte) {
	n, i := 0, 0
	for i < len(b) && b[i] >= '0' && b[i] <= '9' && n < 1000 {
		n = 10*n + int(b[i]-'0')
		i++
	}
	return n, b[i:]
}
