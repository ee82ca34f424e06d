//go:build unix

package wrapper

import "syscall"

// shell runs a program file that has no #! line, as execvp does.
const shell = "/bin/sh"

// exec replaces this process by the compiler. It returns an exit status only
// where that fails.
func (c *command) exec() int {
	return c.become(c.env.with(c.guard.entering(c.program)))
}

// become replaces this process by the command with the environment env.
func (c *command) become(env environ) int {
	err := syscall.Exec(c.program, c.argv, env)
	if err == syscall.E2BIG {
		err = syscall.Exec(c.program, c.argv, c.env) // the guard was the last straw
	}
	if err == syscall.ENOEXEC {
		err = syscall.Exec(shell, c.shellArgv(), env)
	}
	return complain(&notFoundError{c.argv[0], err.Error(), statusNotRun})
}

func (c *command) shellArgv() []string {
	return append([]string{shell, c.program}, c.argv[1:]...)
}
