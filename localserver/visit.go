package localserver

import (
	"context"
	"net"
	"time"
)

// settleLimit bounds how long a management verb waits for earlier calls.
const settleLimit = 5 * time.Second

// A visit is what a Server knows of an open connection. Its fields are guarded
// by the server's mutex.
type visit struct {
	// due is closed when no record is to be expected soon; it is nil when none
	// is. One is due from a connection that has not said what it wants, from
	// a notice, and from a call whose wrapper may have ended already.
	due chan struct{}
	// looks says that the client only looks whether a server is there, which
	// is no use of it.
	looks bool
}

func newVisit() *visit { return &visit{due: make(chan struct{})} }

func (v *visit) settle() {
	if v.due != nil {
		close(v.due)
		v.due = nil
	}
}

// settled says that no record is due from conn.
func (s *Server) settled(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn].settle()
}

// unsettled says that the record of conn is due.
func (s *Server) unsettled(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.open[conn]; v.due == nil {
		v.due = make(chan struct{})
	}
}

// looking says that conn does not keep the server from being idle.
func (s *Server) looking(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[conn].looks = true
}

// settle waits until all records that are due now have been made: what a user
// asks about a build must hold the build's last compile, whose wrapper does not
// wait until its result is stored.
func (s *Server) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, settleLimit)
	defer cancel()
	for _, due := range s.due() {
		select {
		case <-due:
		case <-ctx.Done():
			return
		}
	}
}

func (s *Server) due() []<-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []<-chan struct{}
	for _, v := range s.open {
		if v.due != nil {
			all = append(all, v.due)
		}
	}
	return all
}
