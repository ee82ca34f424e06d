//go:build unix

package endpoint

import "syscall"

// LockFile is the name, in the cache directory, of the file that the server
// keeps locked and that names its socket.
const LockFile = "lock"

// Holder returns where the server is met that has p's cache directory, if its
// lock file names another socket than p's. The server may be gone.
func (p Place) Holder() (Place, bool) {
	fd, err := syscall.Open(p.CacheDir+"/"+LockFile, syscall.O_RDONLY|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return Place{}, false
	}
	defer syscall.Close(fd)
	var st syscall.Stat_t
	if syscall.Fstat(fd, &st) != nil || int(st.Uid) != syscall.Geteuid() {
		return Place{}, false
	}
	var buf [maxSocketPath + 2]byte
	n, err := syscall.Read(fd, buf[:])
	if err != nil || n < 2 || buf[n-1] != '\n' {
		return Place{}, false
	}
	socket := string(buf[:n-1])
	if !isAbsolute(socket) || socket == p.Socket {
		return Place{}, false
	}
	return Place{Socket: socket, CacheDir: p.CacheDir}, true
}
