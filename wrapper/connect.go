package wrapper

import "github.com/rexwrap/rexwrap/wrapper/endpoint"

// connect returns a connection to the call's server, starting one where there
// is none. Any error means that the compiler runs without it.
func (c *call) connect() (*endpoint.Conn, error) {
	if c.place.Stalled(c.started, c.limits.stalled) {
		return nil, endpoint.ErrStalled
	}
	conn, err := c.dial()
	if !endpoint.Absent(err) {
		return conn, err
	}
	return c.startServer()
}

// dial tries the place where the server should be, and the one that the holder
// of the cache directory has named, which the call then sticks to.
func (c *call) dial() (*endpoint.Conn, error) {
	conn, err := c.dialAt(c.place)
	if !endpoint.Absent(err) {
		return conn, err
	}
	holder, ok := c.place.Holder()
	if !ok {
		return nil, err
	}
	if holder.Stalled(c.started, c.limits.stalled) {
		return nil, endpoint.ErrStalled
	}
	conn, holderErr := c.dialAt(holder)
	if endpoint.Absent(holderErr) {
		return nil, err
	}
	c.place = holder
	return conn, holderErr
}

func (c *call) dialAt(place endpoint.Place) (*endpoint.Conn, error) {
	conn, err := place.Dial(c.limits.connect)
	if err == endpoint.ErrStalled {
		_ = place.MarkStalled() // else the next call waits as well
	}
	return conn, err
}

// startServer starts a server, or waits for the one that another wrapper is
// starting. A start that comes to nothing is not repeated for a while.
func (c *call) startServer() (*endpoint.Conn, error) {
	rexd, err := findServer(c.env)
	if err != nil {
		return nil, err
	}
	if limited() {
		return nil, errLimited
	}
	lock, held, err := c.place.TryStart()
	if err != nil && !held {
		return nil, err
	}
	var starting *process
	if !held {
		defer lock.Close()
		// Another wrapper may have started one since we looked.
		if conn, err := c.dial(); !endpoint.Absent(err) {
			return conn, err
		}
		if starting, err = c.spawn(rexd); err != nil {
			return nil, err
		}
	}
	return c.awaitServer(starting)
}

// awaitServer waits for a server to listen. starting is the process that
// starts it, nil where it belongs to another wrapper.
func (c *call) awaitServer(starting *process) (*endpoint.Conn, error) {
	end := monotonic() + int64(c.limits.start)*1e6
	for monotonic() < end {
		sleep(c.limits.retry)
		failed := starting.failed()
		conn, err := c.dial()
		if !endpoint.Absent(err) {
			return conn, err
		}
		if failed || starting == nil && c.place.Stalled(now(), c.limits.stalled) {
			break
		}
	}
	_ = c.place.MarkStalled() // else the next call tries again
	return nil, endpoint.ErrStalled
}
