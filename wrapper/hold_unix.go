//go:build unix

package wrapper

import (
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A hold lets the server end a compiler without a trace: what it says is kept,
// what it starts is adopted, and its temp files have a directory of their own.
type hold struct {
	*session
	tmp string
}

// newHold returns nil where a compiler that starts now could not be ended so,
// in particular where this process has children already, from before it became
// the wrapper.
func newHold(s *session) *hold {
	if !canCancel || hasChildren() || adopt(true) != nil {
		return nil
	}
	h := &hold{s, temporaryDir(s.env) + "/rexwrap-" + s.frame.Token}
	if syscall.Mkdir(h.tmp, 0o700) != nil {
		_ = adopt(false) // it was possible a moment ago
		return nil
	}
	return h
}

// temporaryDir is where compilers would have their temp files.
func temporaryDir(env environ) string {
	if dir := env.get("TMPDIR"); isAbsolute(dir) {
		return dir
	}
	return "/tmp"
}

// variables are what the compiler is told of its directory.
func (h *hold) variables() []string {
	if h == nil {
		return nil
	}
	return []string{"TMPDIR=" + h.tmp}
}

func (h *hold) close() {
	if h != nil {
		_ = adopt(false)
		removeTree(h.tmp)
	}
}

// fd is what to poll for word from the server, negative where none counts.
func (h *hold) fd() int32 {
	if h == nil {
		return -1
	}
	return int32(h.conn.Fd())
}

// pending reports whether word from the server has been read already.
func (h *hold) pending() bool { return h != nil && h.replies.Buffered() }

// hear takes one frame while the compiler runs. Cancel ends it; without a server
// it is nobody's but ours.
func (c *child) hear() {
	kind, _, err := c.held.replies.Next()
	switch {
	case err == nil && (kind == wire.TypeHeartbeat || kind == wire.TypeAway):
	case err == nil && kind == wire.TypeCancel:
		if !c.done {
			endDescendants()
			c.done, c.cancelled = true, true
		}
	default:
		c.letGo()
	}
}

// letGo passes on what was kept. From now on the compiler is not held.
func (c *child) letGo() {
	c.held = nil
	for _, chunk := range c.chunks {
		for _, s := range c.streams {
			if s.to == int(chunk.Fd) {
				c.forward(s, chunk.Data)
			}
		}
	}
}

// removeTree removes what compilers leave in a directory, and the directory.
func removeTree(dir string) {
	for _, name := range namesIn(dir) {
		path := dir + "/" + name
		if syscall.Unlink(path) != nil {
			removeTree(path)
		}
	}
	_ = syscall.Rmdir(dir)
}
