//go:build amd64 || arm64

package seccomp

import (
	"bytes"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Name reads a name, as system calls have them, from the memory of a process. It
// reports false where that cannot be read, or holds none.
func Name(pid uint32, address uint64) (string, bool) {
	buf := make([]byte, unix.PathMax)
	i := bytes.IndexByte(buf[:read(pid, address, buf)], 0)
	if i < 0 {
		return "", false
	}
	return string(buf[:i]), true
}

// read reads as much of a process's memory as there is. The kernel takes a span as
// a whole or not at all, so that there is one for each page.
func read(pid uint32, address uint64, buf []byte) int {
	page := uint64(os.Getpagesize())
	var spans []unix.RemoteIovec
	for left := uint64(len(buf)); left > 0; {
		n := min(left, page-address%page)
		spans = append(spans, unix.RemoteIovec{Base: uintptr(address), Len: int(n)})
		address, left = address+n, left-n
	}
	local := []unix.Iovec{{Base: &buf[0], Len: uint64(len(buf))}}
	n, err := unix.ProcessVMReadv(int(pid), local, spans, 0)
	if err != nil {
		return 0
	}
	return n
}

// Folder is where the relative names of a call start from: the process's working
// directory, or what descriptor is open at. It is empty where nobody can tell.
func Folder(pid uint32, descriptor int32) string {
	if descriptor == unix.AT_FDCWD {
		return Link(pid, "cwd")
	}
	return Link(pid, "fd/"+strconv.Itoa(int(descriptor)))
}

// Link reads a link of a process in /proc, empty where there is none.
func Link(pid uint32, name string) string {
	target, err := os.Readlink("/proc/" + strconv.Itoa(int(pid)) + "/" + name)
	if err != nil {
		return ""
	}
	return target
}
