//go:build unix

package listen

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// A HeldError says that another server has what was asked for.
type HeldError struct {
	// Socket is where that server listens, empty where it did not say.
	Socket string
}

// Error names the other server's socket.
func (e *HeldError) Error() string { return "held by the server at " + e.Socket }

// A CacheLock is the right to use a cache directory. It ends with the process.
type CacheLock struct{ file *os.File }

// LockCache creates p's cache directory where it is missing and takes it for
// the server that listens, or will listen, at p. It returns a *HeldError where
// another server has it, and an error that is endpoint.ErrUnsafe, without
// having opened anything, where the directory belongs to another user.
func LockCache(p endpoint.Place) (*CacheLock, error) {
	if err := os.MkdirAll(p.CacheDir, 0o700); err != nil {
		return nil, fmt.Errorf("make cache directory: %w", err)
	}
	info, err := os.Stat(p.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("look at cache directory: %w", err)
	}
	if st := info.Sys().(*syscall.Stat_t); int(st.Uid) != os.Geteuid() {
		return nil, fmt.Errorf("cache directory %s: %w", p.CacheDir, endpoint.ErrUnsafe)
	}
	path := p.CacheDir + "/" + endpoint.LockFile
	file, err := lockFile(path)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, &HeldError{Socket: holder(path)}
	}
	if err != nil {
		return nil, err
	}
	l := &CacheLock{file}
	if err := l.name(p.Socket); err != nil {
		file.Close()
		return nil, err
	}
	return l, nil
}

// name writes where the server is met. The line's end tells a reader that the
// line is whole.
func (l *CacheLock) name(socket string) error {
	if err := l.file.Truncate(0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	if _, err := l.file.WriteAt([]byte(socket+"\n"), 0); err != nil {
		return fmt.Errorf("write lock: %w", err)
	}
	return nil
}

func holder(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

// Close gives the cache directory up.
func (l *CacheLock) Close() error {
	return errors.Join(l.file.Truncate(0), l.file.Close())
}
