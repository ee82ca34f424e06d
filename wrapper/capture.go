package wrapper

import "github.com/rexwrap/rexwrap/wrapper/wire"

// A capture keeps what a compiler says.
type capture struct {
	chunks    []wire.Chunk
	size      int
	truncated bool
}

// add appends data, which came for descriptor fd.
func (c *capture) add(fd int, data []byte) {
	if c.truncated || len(data) == 0 {
		return
	}
	if c.size += len(data); c.size > wire.MaxStream {
		c.drop()
		return
	}
	if n := len(c.chunks); n > 0 && c.chunks[n-1].Fd == uint8(fd) {
		c.chunks[n-1].Data = append(c.chunks[n-1].Data, data...)
		return
	}
	c.chunks = append(c.chunks, wire.Chunk{Fd: uint8(fd), Data: append([]byte(nil), data...)})
}

// drop gives up: what is kept would not be all.
func (c *capture) drop() { c.chunks, c.truncated = nil, true }

// filterOf returns what takes out of stderr what run says, nil for nothing.
func filterOf(run *wire.Run) streamFilter {
	switch {
	case run.FilterHeaders:
		return &headerFilter{}
	case len(run.Hide) > 0:
		return &textFilter{texts: run.Hide, instead: run.Instead}
	}
	return nil
}
