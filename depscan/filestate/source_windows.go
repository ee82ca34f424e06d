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

// identify fills the key of the file at path. os.FileInfo has neither the file
// index nor the change time.
func identify(path string, _ os.FileInfo, k *key) bool {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return false
	}
	h, err := windows.CreateFile(name, windows.FILE_READ_ATTRIBUTES,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
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
		mtime: 100 * basic.write,
		ctime: 100 * basic.change,
	}
	return true
}

// volume holds every file system to the rules of a remote one: our clock is not
// what NTFS stamps with.
func (k *kernel) volume(string) volume { return volume{class: opaque} }
