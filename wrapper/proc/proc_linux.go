package proc

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

//go:linkname runtimeArgs os.runtime_args
func runtimeArgs() []string

//go:linkname runtimeEnvs syscall.runtime_envs
func runtimeEnvs() []string

//go:linkname signalEnable os/signal.signal_enable
func signalEnable(sig uint32)

//go:linkname signalDisable os/signal.signal_disable
func signalDisable(sig uint32)

//go:linkname signalIgnored os/signal.signal_ignored
func signalIgnored(sig uint32) bool

//go:linkname signalRecv os/signal.signal_recv
func signalRecv() uint32

// Args returns the program's arguments, its own name first.
func Args() []string { return runtimeArgs() }

// Environ returns the environment exactly as the process got it.
func Environ() []string { return runtimeEnvs() }

// Exit ends the process.
func Exit(status int) { syscall.Exit(status) }

// executable is a link that the kernel follows even where the file it names has
// been replaced.
const executable = "/proc/self/exe"

// Executable returns the path of the program's file, empty where it is unknown.
func Executable() string {
	var buf [4096]byte
	n, err := syscall.Readlink(executable, buf[:])
	if err != nil || n == len(buf) {
		return ""
	}
	return string(buf[:n])
}

// ExecutableStat returns the stat of the program's file.
func ExecutableStat() (st syscall.Stat_t, err error) {
	err = syscall.Stat(executable, &st)
	return st, err
}

// Watch calls notify, on a goroutine of its own, for each of the given signals
// that arrives until unwatch is called. Signals that the process was started to
// ignore stay ignored, as far as the runtime knows of them (SIGHUP and SIGINT).
// Watch may be called once.
func Watch(signals []syscall.Signal, notify func(syscall.Signal)) (unwatch func()) {
	var watched []syscall.Signal
	for _, sig := range signals {
		if !signalIgnored(uint32(sig)) {
			signalEnable(uint32(sig))
			watched = append(watched, sig)
		}
	}
	go func() {
		for {
			notify(syscall.Signal(signalRecv()))
		}
	}()
	return func() {
		for _, sig := range watched {
			signalDisable(uint32(sig))
		}
	}
}
