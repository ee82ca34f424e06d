//go:build unix

package wrapper

import (
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A stream is our end of the pipe or terminal that the compiler writes to in
// the place of descriptor to.
type stream struct {
	fd, to int
	filter streamFilter // nil where nothing is taken out
	closed bool
}

func (s *stream) close() {
	if !s.closed {
		syscall.Close(s.fd)
		s.closed = true
	}
}

// plumbing is the streams of a compiler and its ends of them.
type plumbing struct {
	streams []*stream
	out     [2]int // what the compiler gets for 1 and 2
	own     []int  // those of out that are to be closed in this process
	direct  bool   // a stream goes past us
}

// plumb gives a compiler, for each of stdout and stderr, a terminal where we
// have a terminal and a pipe where we have anything else. Where the two are one
// file they share one, which keeps their order.
func plumb(frame *wire.Call, run *wire.Run) (*plumbing, error) {
	p := &plumbing{}
	filter := filterOf(run)
	if frame.SameFile {
		if err := p.connect(1, frame.Stdout, filter); err != nil {
			return nil, err
		}
		p.out[1] = p.out[0]
		return p, nil
	}
	if err := p.connect(1, frame.Stdout, nil); err != nil {
		return nil, err
	}
	if err := p.connect(2, frame.Stderr, filter); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *plumbing) connect(to int, kind wire.Stream, filter streamFilter) error {
	ours, theirs, err := openStream(to, kind)
	if err != nil && (kind != wire.StreamTerminal || filter != nil) {
		return err
	}
	if err != nil { // no pseudo terminal: the compiler writes to the real one
		p.out[to-1] = to
		p.direct = true
		return nil
	}
	p.streams = append(p.streams, &stream{fd: ours, to: to, filter: filter})
	p.out[to-1] = theirs
	p.own = append(p.own, theirs)
	return nil
}

func openStream(to int, kind wire.Stream) (ours, theirs int, err error) {
	if kind == wire.StreamTerminal {
		return openTerminal(to)
	}
	return pipe()
}

// release closes the compiler's ends in this process.
func (p *plumbing) release() {
	for _, fd := range p.own {
		syscall.Close(fd)
	}
	p.own = nil
}

func (p *plumbing) close() {
	p.release()
	for _, s := range p.streams {
		s.close()
	}
}
