//go:build amd64 || arm64

package trace

import (
	"golang.org/x/sys/unix"

	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/seccomp"
)

// A call is a system call that is looked at.
type call struct {
	seccomp.Lookup
	act rustdeps.Act
	// isLink is set where the call asks for a symbolic link.
	isLink bool
	// bars is why a result is not stored, empty where it may be.
	bars, arg string
}

// Reasons for not storing a result.
const (
	barredExec    = "proc-macro-exec"
	barredNetwork = "proc-macro-network"
	barredOther   = "proc-macro-system-call"
)

// calls returns all system calls that are looked at, by number.
func calls() map[int]call {
	out := map[int]call{}
	for _, l := range seccomp.Lookups() {
		c := call{Lookup: l, act: rustdeps.Opened}
		if l.AsksOnly {
			c.act = rustdeps.Asked
		}
		out[l.Number] = c
	}
	for _, l := range changing() {
		out[l.Number] = call{Lookup: l, act: rustdeps.Changed}
	}
	for number, arg := range barring() {
		out[number] = call{bars: barredOther, arg: arg}
	}
	for _, number := range []int{unix.SYS_EXECVE, unix.SYS_EXECVEAT} {
		c := out[number]
		c.bars = barredExec
		out[number] = c
	}
	for _, number := range []int{unix.SYS_CONNECT, unix.SYS_SOCKET} {
		out[number] = call{bars: barredNetwork}
	}
	for _, number := range reading() {
		c := out[number]
		c.isLink = true
		out[number] = c
	}
	return out
}

// filter hands over exactly those, and the calls of other architectures.
func filter() *seccomp.Filter {
	f := &seccomp.Filter{Foreign: true}
	for number, c := range calls() {
		f.Rules = append(f.Rules, seccomp.Rule{Number: number, Emptiable: c.Emptiable})
	}
	return f
}

// barring are calls that reach what no list of files can stand for, or lead around
// the others.
func barring() map[int]string {
	return map[int]string{
		unix.SYS_OPENAT2: "openat2", unix.SYS_OPEN_BY_HANDLE_AT: "open_by_handle_at", unix.SYS_NAME_TO_HANDLE_AT: "name_to_handle_at",
		unix.SYS_IO_URING_SETUP: "io_uring_setup", unix.SYS_CHROOT: "chroot", unix.SYS_PIVOT_ROOT: "pivot_root",
		unix.SYS_MOUNT: "mount", unix.SYS_UNSHARE: "unshare", unix.SYS_SETNS: "setns", unix.SYS_PTRACE: "ptrace",
		unix.SYS_PROCESS_VM_READV: "process_vm_readv", unix.SYS_SHMGET: "shmget", unix.SYS_MSGGET: "msgget", unix.SYS_SEMGET: "semget",
		unix.SYS_MQ_OPEN: "mq_open", unix.SYS_STATFS: "statfs", unix.SYS_GETXATTR: "getxattr", unix.SYS_LGETXATTR: "lgetxattr",
		unix.SYS_LISTXATTR: "listxattr", unix.SYS_LLISTXATTR: "llistxattr", unix.SYS_UNAME: "uname", unix.SYS_SYSINFO: "sysinfo",
	}
}

// changingAll are the calls that change the file system, of all machines. Of two
// names the new one counts.
func changingAll() []seccomp.Lookup {
	at := func(number, folder, name int) seccomp.Lookup {
		return seccomp.Lookup{Number: number, Folder: folder, Name: name, Flags: -1}
	}
	return []seccomp.Lookup{
		at(unix.SYS_MKDIRAT, 0, 1), at(unix.SYS_MKNODAT, 0, 1), at(unix.SYS_UNLINKAT, 0, 1), at(unix.SYS_RENAMEAT, 2, 3),
		at(unix.SYS_RENAMEAT2, 2, 3), at(unix.SYS_LINKAT, 2, 3), at(unix.SYS_SYMLINKAT, 1, 2), at(unix.SYS_TRUNCATE, -1, 0),
		at(unix.SYS_FCHMODAT, 0, 1), at(unix.SYS_FCHOWNAT, 0, 1), at(unix.SYS_UTIMENSAT, 0, 1),
	}
}
