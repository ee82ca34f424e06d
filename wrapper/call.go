package wrapper

import (
	"strings"
	"syscall"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
	"github.com/rexwrap/rexwrap/wrapper/proc"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// A call is one compiler call on its way through the wrapper.
type call struct {
	*command
	dir       string
	started   int64
	limits    limits
	namespace string
	place     endpoint.Place
}

func newCall(cmd *command, dir string, started int64, limits limits) *call {
	c := &call{command: cmd, dir: dir, started: started, limits: limits, namespace: endpoint.Namespace()}
	c.place = endpoint.Locate(cmd.env.get, endpoint.View{
		UID: syscall.Geteuid(), GID: syscall.Getegid(), Namespace: c.namespace, Dir: dir,
	})
	return c
}

// alone runs the compiler unchanged, in our place.
func (c *call) alone(reason string) int {
	if c.env.is("REXWRAP_VERBOSE") {
		say(base(c.program)+":", "runs without the cache:", reason)
	}
	return c.exec()
}

// unserved runs the compiler, of which no server has said anything.
func (c *call) unserved(reason string) int {
	c.share()
	return c.alone(reason)
}

// share has a cl.exe whose types go to a database that others write to as well share
// it with them, which takes nothing from a build that has it do so already.
func (c *call) share() {
	if sharesDatabase(c.program, c.argv[1:]) {
		c.argv = append([]string{c.argv[0], "/FS"}, c.argv[1:]...)
	}
}

// sharesDatabase reports whether a call of cl.exe may need /FS, which others do not
// mind.
func sharesDatabase(program string, args []string) bool {
	if strings.TrimSuffix(foldName(base(program)), ".exe") != "cl" {
		return false
	}
	for _, arg := range args {
		switch {
		case strings.HasPrefix(arg, "@"):
			return true
		case len(arg) == 3 && isSlash(arg[0]) && (arg[1:] == "Zi" || arg[1:] == "ZI"):
			return true
		}
	}
	return false
}

func isSlash(c byte) bool { return c == '/' || c == '-' }

// notify tells the server, if it is there and can take it at once, of a call
// that is none of its business. The notice is lost at worst.
func (c *call) notify(reason string) {
	notice := wire.Append(nil, &wire.Notice{
		Version: wire.Version, Reason: reason, Program: c.program,
		Dir: c.dir, Started: c.started, Build: c.env.get("REXWRAP_BUILD"),
	})
	if c.place.Leave(notice) != endpoint.ErrUnsupported {
		return
	}
	if c.place.Stalled(c.started, c.limits.stalled) {
		return
	}
	conn, err := c.place.DialNow()
	if err != nil {
		return
	}
	_, _ = conn.Write(notice)
	conn.Close()
}

// frame describes the call to the server.
func (c *call) frame() *wire.Call {
	f := &wire.Call{
		Version: wire.Version, Program: c.program, Argv: c.argv, Dir: c.dir, PWD: c.pwd(), Env: c.env,
		Umask: umask(), Namespace: c.namespace, Pid: uint32(syscall.Getpid()), Token: token(c.started),
		Started: c.started, SameFile: sameFile(1, 2), CanCancel: canCancel && c.namespace != "",
	}
	if isTerminal(1) {
		f.Stdout, f.Columns = wire.StreamTerminal, columns(1)
	}
	if isTerminal(2) {
		f.Stderr, f.Columns = wire.StreamTerminal, columns(2)
	}
	return f
}

func executable() string { return proc.Executable() }
