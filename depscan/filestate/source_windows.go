package filestate

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, windows.ERROR_DIRECTORY)
}

// basicInfo is FILE_BASIC_INFO. Times are in units of 100 ns since 1601.
type basicInfo struct {
	creation, access, write, change int64
	attributes                      uint32
}

// openAttributes opens a file or a directory for what can be asked of it.
func openAttributes(path string) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return windows.CreateFile(name, windows.FILE_READ_ATTRIBUTES,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
}

// identify fills the key of the file at path. os.FileInfo has neither the file
// index nor the change time.
func identify(path string, _ os.FileInfo, k *key) bool {
	h, err := openAttributes(path)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	var id windows.ByHandleFileInformation
	var basic basicInfo
	if windows.GetFileInformationByHandle(h, &id) != nil ||
		windows.GetFileInformationByHandleEx(h, windows.FileBasicInfo, (*byte)(unsafe.Pointer(&basic)), uint32(unsafe.Sizeof(basic))) != nil {
		return false
	}
	*k = key{
		dev:   uint64(id.VolumeSerialNumber),
		ino:   uint64(id.FileIndexHigh)<<32 | uint64(id.FileIndexLow),
		size:  int64(id.FileSizeHigh)<<32 | int64(id.FileSizeLow),
		mtime: unixTime(basic.write),
		ctime: unixTime(basic.change),
	}
	return true
}

// unixTime returns a time of a basicInfo in nanoseconds since 1970.
func unixTime(t int64) int64 {
	const epoch = 116444736000000000 // 1970, in basicInfo's terms
	return (t - epoch) * 100
}

// volume believes the times of NTFS and ReFS on drives of this machine, whose clock
// is the one that time.Now reads or, where it is finer, ahead of that. All others
// are held to the rules for what is not known.
func (k *kernel) volume(path string) volume {
	if name := fileSystem(path[:len(path)-1]); name == "NTFS" || name == "ReFS" {
		return volume{class: local}
	}
	return volume{class: opaque}
}

// fileSystem returns the name of the file system of a fixed drive that path is on,
// else an empty string.
func fileSystem(path string) string {
	h, err := openAttributes(path)
	if err != nil {
		return ""
	}
	defer windows.CloseHandle(h)
	name, err := windows.UTF16PtrFromString(path)
	var root, kind [windows.MAX_PATH + 1]uint16
	if err != nil || windows.GetVolumePathName(name, &root[0], uint32(len(root))) != nil || windows.GetDriveType(&root[0]) != windows.DRIVE_FIXED ||
		windows.GetVolumeInformationByHandle(h, nil, 0, nil, nil, nil, &kind[0], uint32(len(kind))) != nil {
		return ""
	}
	return windows.UTF16ToString(kind[:])
}
