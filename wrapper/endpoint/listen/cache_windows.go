package listen

import (
	"errors"
	"fmt"
	"os"
	"strings"

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
type CacheLock struct{ lock *endpoint.Lock }

// LockCache creates p's cache directory where it is missing and takes it for
// the server that listens, or will listen, at p. It returns a *HeldError where
// another server has it.
func LockCache(p endpoint.Place) (*CacheLock, error) {
	if err := os.MkdirAll(p.CacheDir, 0o700); err != nil {
		return nil, fmt.Errorf("make cache directory: %w", err)
	}
	path := p.CacheDir + `\` + endpoint.LockFile
	lock, err := endpoint.TakeLock(path)
	if errors.Is(err, endpoint.ErrLocked) {
		return nil, &HeldError{Socket: holder(path)}
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := lock.Say(p.Socket + "\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("write lock: %w", err), lock.Close())
	}
	return &CacheLock{lock}, nil
}

func holder(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}

// Close gives the cache directory up.
func (l *CacheLock) Close() error { return errors.Join(l.lock.Say(""), l.lock.Close()) }
