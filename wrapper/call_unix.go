//go:build unix

package wrapper

import (
	"strconv"
	"syscall"
)

// pwd returns $PWD where it names the working directory: compilers take it for
// their own then.
func (c *call) pwd() string {
	pwd := c.env.get("PWD")
	if pwd == c.dir {
		return pwd
	}
	if !isAbsolute(pwd) {
		return ""
	}
	var named, real syscall.Stat_t
	if syscall.Stat(pwd, &named) != nil || syscall.Stat(".", &real) != nil ||
		named.Dev != real.Dev || named.Ino != real.Ino {
		return ""
	}
	return pwd
}

// workingDir returns the working directory without symbolic links, empty where
// it has been removed.
func workingDir() string {
	dir, err := syscall.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

// umask returns the umask. It can only be asked for by setting it, which other
// threads would notice; nothing of ours runs in any other.
func umask() uint32 {
	mask := syscall.Umask(0)
	syscall.Umask(mask)
	return uint32(mask)
}

// token returns a name that no other call has or had: temp files carry it, and
// two containers may hold processes of one number and share a tree.
func token(started int64) string {
	var noise [4]byte
	if fd, err := syscall.Open("/dev/urandom", syscall.O_RDONLY|syscall.O_CLOEXEC, 0); err == nil {
		_, _ = syscall.Read(fd, noise[:]) // pid and time nearly do without
		syscall.Close(fd)
	}
	random := uint64(noise[0]) | uint64(noise[1])<<8 | uint64(noise[2])<<16 | uint64(noise[3])<<24
	return strconv.FormatInt(int64(syscall.Getpid()), 36) + "." + strconv.FormatInt(started, 36) +
		"." + strconv.FormatUint(random, 36)
}
