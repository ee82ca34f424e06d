package pdbsession

import (
	"os"
	"strings"

	"golang.org/x/sys/windows"
)

// resolve returns the final path of what exists: long names, true case, no links.
func resolve(path string) (string, error) {
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return "", err
	}
	h, err := windows.CreateFile(name, 0, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer windows.CloseHandle(h)
	for size := uint32(windows.MAX_PATH); ; {
		buf := make([]uint16, size)
		n, err := windows.GetFinalPathNameByHandle(h, &buf[0], size, 0)
		if err != nil {
			return "", &os.PathError{Op: "resolve", Path: path, Err: err}
		}
		if n < size {
			return plain(windows.UTF16ToString(buf[:n])), nil
		}
		size = n + 1
	}
}

// plain returns a final path as users write it: compilers do not take all others.
func plain(path string) string {
	if share, ok := strings.CutPrefix(path, `\\?\UNC\`); ok {
		return `\\` + share
	}
	return strings.TrimPrefix(path, `\\?\`)
}

// foldPath returns what is equal for paths of one file: here case does not count.
func foldPath(path string) string { return strings.ToLower(path) }

// syncFolder has nothing to do: NTFS keeps names in a journal.
func syncFolder(string) error { return nil }
