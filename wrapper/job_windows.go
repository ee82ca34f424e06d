package wrapper

import (
	"os"
	"strings"
	"syscall"
	"unsafe"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A job is a job object that ends all its processes when it is closed, or when we
// die. 0 is none.
type job syscall.Handle

// endpointVariable names the mspdbsrv that a cl.exe asks, and starts where there is
// none; with another one this build and others have nothing to do.
const endpointVariable = "_MSPDBSRV_ENDPOINT_="

// isPrivate reports whether the server has given a compiler an mspdbsrv of its own:
// then what it has started is nobody else's.
func isPrivate(run *wire.Run) bool {
	for _, kv := range run.Env {
		if strings.HasPrefix(kv, endpointVariable) {
			return true
		}
	}
	return false
}

// confine returns a job of the compiler p and what it starts from now on, none
// where another build may need that.
func confine(run *wire.Run, p *os.Process) job {
	if !isPrivate(run) {
		return 0
	}
	h, _, _ := kernel32("CreateJobObjectW").Call(0, 0)
	if h == 0 {
		return 0
	}
	const (
		extendedLimits = 9      // JobObjectExtendedLimitInformation
		killOnClose    = 0x2000 // JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
		breakawayOK    = 0x0800 // JOB_OBJECT_LIMIT_BREAKAWAY_OK: else starting what asks for that fails
	)
	limits := jobLimits{flags: killOnClose | breakawayOK}
	ok, _, _ := kernel32("SetInformationJobObject").Call(h, extendedLimits, uintptr(unsafe.Pointer(&limits)), unsafe.Sizeof(limits))
	if ok != 0 {
		err := p.WithHandle(func(process uintptr) { ok, _, _ = kernel32("AssignProcessToJobObject").Call(h, process) })
		if err == nil && ok != 0 {
			return job(h)
		}
	}
	job(h).end()
	return 0
}

// end ends what is left of a job.
func (j job) end() {
	if j != 0 {
		syscall.CloseHandle(syscall.Handle(j))
	}
}

// jobLimits is JOBOBJECT_EXTENDED_LIMIT_INFORMATION.
type jobLimits struct {
	_     [2]int64 // times
	flags uint32
	_     [2]uintptr // working set
	_     uint32     // processes
	_     uintptr    // affinity
	_     [2]uint32  // priorities
	_     [6]uint64  // I/O
	_     [4]uintptr // memory
}
