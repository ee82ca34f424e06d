//go:build unix

package endpoint

import "syscall"

// maxTray bounds what a server that was killed finds when it comes back.
const maxTray = 1 << 20

// Leave puts a one-way message where p's server finds it when it next looks,
// without waking it. It returns ErrUnsupported where there is no tray, or the
// server is emptying it right now: the message has to be sent. All other errors
// mean that nobody wants it.
func (p Place) Leave(message []byte) error {
	if p.Dir == "" {
		return ErrUnsupported
	}
	if err := p.check(); err != nil {
		return err
	}
	fd, err := syscall.Open(p.TrayFile(), syscall.O_WRONLY|syscall.O_APPEND|syscall.O_CLOEXEC|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return ErrUnsupported
	}
	defer syscall.Close(fd)
	if err := syscall.Flock(fd, syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return ErrUnsupported
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil || st.Nlink == 0 || st.Size > maxTray {
		return ErrStalled
	}
	_, err = syscall.Write(fd, message)
	return err
}

// TrayFile is where messages are left. A server makes it when it starts to listen
// and takes it away when it ends.
func (p Place) TrayFile() string { return p.Socket + ".tray" }
