package wrapper

import (
	"os"
	"strings"
	"syscall"
	"unsafe"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// exec runs the compiler unchanged and returns its exit status: the system has
// no exec. It waits for the process only, never for the end of a pipe.
func (c *command) exec() int {
	return c.become(c.env.with(c.guard.entering(c.program)))
}

func (c *command) become(env environ) int {
	return c.run(env, [3]*os.File{os.Stdin, os.Stdout, os.Stderr})
}

// run runs the command with the given standard handles. Ctrl-C reaches it as it
// reaches us; how it ends by it is its own business.
func (c *command) run(env environ, files [3]*os.File) int {
	unwatch := proc.Watch(endings(), func(syscall.Signal) {})
	defer unwatch()
	p, err := startProcess(c.program, c.argv, env, files)
	if err != nil {
		return complain(&notFoundError{c.argv[0], err.Error(), statusNotRun})
	}
	state, err := p.Wait()
	if err != nil {
		return complain(&notFoundError{c.argv[0], err.Error(), statusNotRun})
	}
	return state.ExitCode()
}

// startProcess starts a program, which inherits the standard handles only.
func startProcess(program string, argv []string, env environ, files [3]*os.File) (*os.Process, error) {
	return os.StartProcess(program, argv, &os.ProcAttr{
		Env: env, Files: files[:],
		Sys: &syscall.SysProcAttr{CmdLine: commandLine(argv, proc.Args(), rawCommandLine(), syscall.EscapeArg)},
	})
}

// rawCommandLine is what this process was started with, before it became a list
// of arguments.
func rawCommandLine() string {
	const longest = 1 << 15 // as CreateProcess allows
	line := (*[longest]uint16)(unsafe.Pointer(syscall.GetCommandLine()))
	n := 0
	for n < longest && line[n] != 0 {
		n++
	}
	return syscall.UTF16ToString(line[:n])
}

// say writes one line to stderr.
func say(words ...string) {
	_, _ = os.Stderr.WriteString("rexwrap: " + strings.Join(words, " ") + "\n") // there is nobody else to tell
}
