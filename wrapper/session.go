package wrapper

import (
	"errors"
	"slices"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A session is the conversation of one call with the server. Whatever goes
// wrong in it ends in alone.
type session struct {
	*call
	conn    *endpoint.Conn
	replies *wire.Reader
	frame   *wire.Call
	temps   []string  // announced and not yet in their places
	ran     *outcome  // how the compiler ended, nil before it has run
	asRun   *wire.Run // how the server had it run
	signals dispositions
	again   bool // a run was cancelled
	loan         // of the call's token
}

// errUnexpected is a frame that has no place in the conversation.
var errUnexpected = errors.New("unexpected frame")

// errStopped ends a conversation because a signal ended the call.
var errStopped = errors.New("stopped")

// ask leaves the call to the server, and returns the exit status.
func (c *call) ask() int {
	frame := c.frame() // before connecting: a server that wakes finds it there
	conn, err := c.connect()
	if err != nil {
		return c.unserved("no server: " + err.Error())
	}
	s := &session{call: c, conn: conn, replies: wire.NewReader(conn), frame: frame, signals: defaultQuit()}
	if err := s.send(s.frame, c.limits.first); err != nil {
		return s.alone(err)
	}
	for {
		ended, status, err := s.next()
		if err != nil {
			return s.alone(err)
		}
		if ended {
			return status
		}
	}
}

// send sends m and sets the deadline of the reply.
func (s *session) send(m wire.Message, wait int) error {
	if err := s.conn.SetTimeout(wait); err != nil {
		return err
	}
	return wire.Write(s.conn, m)
}

// next takes one frame and does what it says. ended is set when that was the
// last one.
func (s *session) next() (ended bool, status int, err error) {
	kind, payload, err := s.replies.Next()
	if err != nil {
		return false, 0, s.patience(err)
	}
	switch kind {
	case wire.TypeHeartbeat, wire.TypeCancel: // the compiler had ended before it came
		return false, 0, s.conn.SetTimeout(s.limits.gap)
	case wire.TypeAway:
		s.lend()
		return false, 0, s.conn.SetTimeout(s.limits.gap)
	case wire.TypePrepare:
		return false, 0, s.prepare(payload)
	case wire.TypeStepAside:
		return s.stepAside(payload)
	case wire.TypeRun:
		return s.run(payload)
	case wire.TypeDone:
		status, err = s.done(payload)
		return err == nil, status, err
	}
	return false, 0, errUnexpected
}

// patience marks a server that has not answered in time, so that the next calls
// do not wait for it.
func (s *session) patience(err error) error {
	if err == endpoint.ErrStalled {
		_ = s.place.MarkStalled()
	}
	return err
}

func (s *session) prepare(payload []byte) error {
	var m wire.Prepare
	if err := wire.Decode(payload, &m); err != nil {
		return err
	}
	for _, temp := range m.Temps {
		if !isTempName(temp, s.frame.Token) {
			return errUnexpected
		}
	}
	s.temps = append(s.temps, m.Temps...)
	return nil
}

func (s *session) stepAside(payload []byte) (ended bool, status int, err error) {
	var m wire.StepAside
	if err := wire.Decode(payload, &m); err != nil {
		return false, 0, err
	}
	if s.ran != nil {
		return false, 0, errUnexpected
	}
	s.clean()
	s.conn.Close()
	s.takeBack()
	if m.Reason != reasonUnshared {
		s.share()
	}
	return true, s.call.alone(m.Reason), nil
}

// reasonUnshared is why a call steps aside whose user wants cl.exe and its mspdbsrv as
// they are.
const reasonUnshared = "shared-database"

// run runs the compiler as the server wants it and reports. A call that was
// told to stop ends with that.
func (s *session) run(payload []byte) (ended bool, status int, err error) {
	var m wire.Run
	if err := wire.Decode(payload, &m); err != nil {
		return false, 0, err
	}
	if s.ran != nil || s.again {
		return false, 0, errUnexpected
	}
	slot, cancelled := s.takeSlot(m.Hold)
	if cancelled {
		s.again = true
		return false, 0, s.send(&wire.Ran{Cancelled: true}, s.limits.gap)
	}
	s.signals.restore()
	ran, err := runChild(s, &m, slot)
	defaultQuit()
	if err != nil {
		return false, 0, err
	}
	if s.again = ran.Cancelled && !ran.Killed; !s.again {
		s.ran, s.asRun = ran, &m
	}
	err = s.send(&ran.Ran, s.limits.gap)
	if ran.Killed {
		return true, s.alone(errStopped), nil
	}
	return false, 0, err
}

// done puts the outputs in their places and ends the conversation.
func (s *session) done(payload []byte) (status int, err error) {
	var m wire.Done
	if err := wire.Decode(payload, &m); err != nil {
		return 0, err
	}
	if s.ran != nil {
		s.ran.say()
	}
	if err := s.commit(&m); err != nil {
		return 0, err
	}
	_ = s.send(&wire.Committed{}, s.limits.gap) // the outputs are in place
	s.conn.Close()
	s.takeBack()
	if s.ran != nil {
		return s.ran.end(), nil
	}
	return int(m.Status), nil
}

// alone ends a conversation that failed: the compiler runs unchanged, unless it
// has run unchanged already. Where the server had it run with other arguments,
// outputs may be missing; it is run again, and what it says, which has been
// said, is thrown away.
func (s *session) alone(err error) int {
	s.conn.Close()
	s.clean()
	s.takeBack()
	switch {
	case s.ran == nil:
		return s.call.unserved("server: " + err.Error())
	case !s.ran.Killed && s.changed() && s.ran.kept:
		s.share()
		return s.call.exec()
	case !s.ran.Killed && s.changed():
		s.share()
		return s.repeat()
	}
	s.ran.say()
	return s.ran.end()
}

func (s *session) changed() bool {
	return s.asRun.Program != s.program || !slices.Equal(s.asRun.Argv, s.argv)
}

// clean removes the temp files that the server announced.
func (s *session) clean() {
	for _, temp := range s.temps {
		_ = remove(temp) // most were never made
	}
	s.temps = nil
}
