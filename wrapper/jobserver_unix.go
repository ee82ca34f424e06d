//go:build unix

package wrapper

import (
	"strconv"
	"strings"
	"syscall"
)

// A jobserver is the pool of GNU make's tokens, of which every job has one:
//
//	MAKEFLAGS = … ( "--jobserver-auth=" | "--jobserver-fds=" ) place … ;
//	place     = "fifo:" path          (* make 4.4 and later *)
//	          | read "," write ;      (* descriptors of one pipe *)
//
// The last one counts. make leaves the variable in place and closes the pipe
// where a recipe starts no other make, so that the descriptors may be anything:
// they are used only where both are ends of one pipe, the first to be read and
// the second to be written.
type jobserver struct{ read, write int }

// A loan is a token that is lent to make's other jobs, nil for none.
type loan struct{ lent *jobserver }

// makeToken is what make puts into its pool.
const makeToken = '+'

// findJobserver returns nil where there is none that is safe to use.
func findJobserver(makeflags string) *jobserver {
	place := ""
	for word := range strings.FieldsSeq(makeflags) {
		for _, option := range []string{"--jobserver-auth=", "--jobserver-fds="} {
			if value, ok := strings.CutPrefix(word, option); ok {
				place = value
			}
		}
	}
	if path, ok := strings.CutPrefix(place, "fifo:"); ok {
		return openFIFO(path)
	}
	r, w, _ := strings.Cut(place, ",")
	read, okR := decimal(r)
	write, okW := decimal(w)
	if !okR || !okW || read <= 2 || write <= 2 || !isPipe(read, write) {
		return nil
	}
	return &jobserver{reopened(read), write}
}

// isPipe reports whether read and write are the ends of one pipe.
func isPipe(read, write int) bool {
	var r, w syscall.Stat_t
	if syscall.Fstat(read, &r) != nil || syscall.Fstat(write, &w) != nil ||
		r.Mode&syscall.S_IFMT != syscall.S_IFIFO || r.Dev != w.Dev || r.Ino != w.Ino {
		return false
	}
	flagsR, okR := fileFlags(read)
	flagsW, okW := fileFlags(write)
	return okR && okW && flagsR&syscall.O_ACCMODE != syscall.O_WRONLY && flagsW&syscall.O_ACCMODE != syscall.O_RDONLY
}

// openFIFO opens a FIFO of this user's.
func openFIFO(path string) *jobserver {
	const flags = syscall.O_NONBLOCK | syscall.O_CLOEXEC | syscall.O_NOCTTY
	var st syscall.Stat_t
	if syscall.Stat(path, &st) != nil || st.Mode&syscall.S_IFMT != syscall.S_IFIFO || int(st.Uid) != syscall.Geteuid() {
		return nil
	}
	read, err := syscall.Open(path, syscall.O_RDONLY|flags, 0)
	if err != nil {
		return nil
	}
	write, err := syscall.Open(path, syscall.O_WRONLY|flags, 0)
	if err != nil {
		syscall.Close(read)
		return nil
	}
	return &jobserver{read, write}
}

// reopened returns a descriptor of the pipe read whose reads do not wait, where
// the system gives one, else read: the flags of read are make's as well.
func reopened(read int) int {
	fd, err := syscall.Open(descriptorDir+"/"+strconv.Itoa(read), syscall.O_RDONLY|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return read
	}
	return fd
}

// lend puts the call's token into the pool: another job may run while a worker
// has this one.
func (s *session) lend() {
	if s.lent != nil {
		return
	}
	pool := findJobserver(s.env.get("MAKEFLAGS"))
	if pool == nil {
		return
	}
	if n, err := syscall.Write(pool.write, []byte{makeToken}); n == 1 && err == nil {
		s.lent = pool
	}
}

// takeBack takes the token back, waiting for another job to end. make counts its
// tokens at the end; one that cannot be had for very long is left to it. The
// wrapper holds nothing while it waits that another job could need: no slot, and
// no conversation.
func (s *session) takeBack() {
	if s.lent == nil {
		return
	}
	limit := s.limits.token
	if s.ran != nil && s.ran.Killed {
		limit = s.limits.signal // make is ending as well
	}
	end := monotonic() + int64(limit)*1e6
	for others := 0; monotonic() < end; {
		got := s.lent.take(int((end - monotonic()) / 1e6))
		if got == makeToken || got != 0 && others == maxOthers {
			break
		}
		if got != 0 { // not the one we lent
			others++
			_, _ = syscall.Write(s.lent.write, []byte{got})
			sleep(1)
		}
	}
	s.lent = nil
}

// maxOthers is how many tokens of another make are put back before one of them
// is kept: their number is what counts.
const maxOthers = 100

// take returns a token, 0 where none came within the given milliseconds or
// another job was quicker.
func (j *jobserver) take(limit int) byte {
	fds := []pollFd{{fd: int32(j.read), events: pollIn}}
	if poll(fds, limit) <= 0 {
		return 0
	}
	var buf [1]byte
	if n, err := syscall.Read(j.read, buf[:]); n != 1 || err != nil {
		return 0
	}
	return buf[0]
}
