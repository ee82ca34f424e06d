//go:build amd64 || arm64

package seccomp

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Filter says which system calls a listener gets.
type Filter struct {
	Rules []Rule
	// Foreign hands over all calls of other architectures than this one; they
	// pass otherwise.
	Foreign bool
}

// A Rule hands over one system call.
type Rule struct {
	Number int
	// Emptiable is an argument, 0 for none: calls in which it has
	// AT_EMPTY_PATH pass.
	Emptiable int
}

// Install puts f on the calling thread, and returns its listener: a descriptor that
// programs do not inherit. The caller has locked itself to the thread, for good.
// Where that is not allowed as it is, the thread and all that it starts give up
// gaining privileges by set-user-ID programs.
func Install(f *Filter) (listener int, err error) {
	fd, errno := install(f)
	if errno == unix.EACCES {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return 0, fmt.Errorf("no new privileges: %w", err)
		}
		fd, errno = install(f)
	}
	if errno != 0 {
		return 0, fmt.Errorf("seccomp: %w", errno)
	}
	return fd, nil
}

func install(f *Filter) (fd int, errno syscall.Errno) {
	program := f.program()
	code := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	r, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&code)))
	return int(r), errno
}

// program is f for the kernel, which looks at struct seccomp_data.
func (f *Filter) program() []unix.SockFilter {
	const numberAt, archAt, argsAt = 0, 4, 16
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	// unless skips the next n steps where the test fails.
	unless := func(test uint16, value uint32, n uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | test | unix.BPF_K, K: value, Jf: n}
	}
	pass := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	hand := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF}
	foreign := pass
	if f.Foreign {
		foreign = hand
	}
	const skip = 1
	out := []unix.SockFilter{
		load(archAt),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: auditArch, Jt: skip},
		foreign,
		load(numberAt),
		unless(unix.BPF_JGE, otherCalls, 1),
		foreign,
	}
	for _, r := range f.Rules {
		if r.Emptiable == 0 {
			out = append(out, unless(unix.BPF_JEQ, uint32(r.Number), 1), hand)
			continue
		}
		out = append(out,
			unless(unix.BPF_JEQ, uint32(r.Number), 4),
			load(argsAt+8*uint32(r.Emptiable)), // the low half: both machines are little endian
			unless(unix.BPF_JSET, unix.AT_EMPTY_PATH, 1), pass, hand)
	}
	return append(out, pass)
}
