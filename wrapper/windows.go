//go:build windows

package wrapper

import (
	"os"
	"strings"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// A call is one compiler call on its way through the wrapper. There is no
// server yet to ask.
type call struct{ *command }

func newCall(cmd *command, _ string, _ int64, _ limits) *call { return &call{cmd} }

func (c *call) notify(string) {}

func (c *call) ask() int { return c.exec() }

func (c *call) alone(string) int { return c.exec() }

// exec runs the compiler unchanged and returns its exit status: the system has
// no exec. It waits for the process only, never for the end of a pipe.
func (c *command) exec() int {
	return c.become(c.env.with(c.guard.entering(c.program)))
}

func (c *command) become(env environ) int {
	p, err := os.StartProcess(c.program, c.argv, &os.ProcAttr{
		Env: env, Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		return complain(&notFoundError{c.argv[0], err.Error(), statusNotRun})
	}
	state, err := p.Wait()
	if err != nil {
		return complain(&notFoundError{c.argv[0], err.Error(), statusNotRun})
	}
	return state.ExitCode()
}

// say writes one line to stderr.
func say(words ...string) {
	line := "rexwrap: " + strings.Join(words, " ") + "\n"
	_, _ = os.Stderr.WriteString(line) // there is nobody else to tell
}

func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}

func executable() string { return proc.Executable() }
