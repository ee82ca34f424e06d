package wrapper

import (
	"errors"

	"github.com/rexwrap/rexwrap/wrapper/proc"
)

// Main does what the process was started for, and ends it.
func Main() { proc.Exit(start(proc.Args(), proc.Environ(), defaultLimits())) }

// start does what argv asks for in the environment env and returns the exit
// status. Where the process becomes another program it does not return.
func start(argv []string, env environ, limits limits) int {
	started := now()
	meaning, words := dispatch(argv)
	switch meaning {
	case meansUsage:
		say("usage: rexwrap COMPILER ARGUMENTS...; rexwrap help lists the verbs")
		return statusUsage
	case meansManage:
		return manage(words, env)
	}
	dir := workingDir()
	cmd, err := resolve(meaning, words, env, dir)
	if err != nil {
		return complain(err)
	}
	if env.is("REXWRAP_DISABLE") {
		return cmd.exec()
	}
	c := newCall(cmd, dir, started, limits)
	if reason := obvious(cmd.program, cmd.argv[1:]); reason != "" {
		c.notify(reason)
		return c.alone(reason)
	}
	return c.ask()
}

// Exit statuses of our own; all others are the compiler's.
const (
	statusUsage     = 2
	statusNotRun    = 126 // as a shell says of what it may not run
	statusNotFound  = 127 // as a shell says of what it cannot find
	statusSignalled = 128 // plus the signal, as a shell says
)

// complain tells why the command cannot be run at all.
func complain(err error) int {
	say(err.Error())
	var missing *notFoundError
	if errors.As(err, &missing) {
		return missing.status
	}
	return statusNotRun
}
