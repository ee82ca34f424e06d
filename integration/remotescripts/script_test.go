//go:build linux

package remotescripts

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/integration/rig"
	"github.com/rexwrap/rexwrap/integration/script"
)

// TestScript runs the scripts. Each has a remote of its own, and machines that
// share it.
func TestScript(t *testing.T) {
	if err := rig.TrackSources("../.."); err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := rig.Build("../..", bin); err != nil {
		t.Fatal(err)
	}
	rigs := t.TempDir()
	commands := script.Commands()
	commands["machine"], commands["remote"], commands["warm"] = cmdMachine, cmdRemote, cmdWarm
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			s := &site{bin: bin, base: filepath.Join(rigs, filepath.Base(e.WorkDir)), server: clienttest.New(t, clienttest.Options{})}
			e.Values[siteKey{}] = s
			e.Setenv("REXWRAP_REMOTE", s.server.Address)
			e.Setenv("REXWRAP_STRATEGY", "remote")
			e.Setenv("REXWRAP_LOG", "debug")
			var err error
			if s.script, err = script.Setup(bin, s.machine(), e); err != nil {
				return err
			}
			s.script.Rig.Set = append(s.script.Rig.Set, "REXWRAP_REMOTE="+s.server.Address)
			return nil
		},
		Condition: script.Have,
		Cmds:      commands,
	})
}

// A site is a remote with the machines that use it.
type site struct {
	bin, base string
	machines  int
	server    *clienttest.Server
	script    *script.Script
}

type siteKey struct{}

func of(ts *testscript.TestScript) *site { return ts.Value(siteKey{}).(*site) }

// machine returns the folder of a new machine.
func (s *site) machine() string {
	s.machines++
	return filepath.Join(s.base, fmt.Sprint("machine", s.machines))
}

// cmdMachine goes on at another machine, with an empty cache:
//
//	machine
func cmdMachine(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) > 0 {
		ts.Fatalf("usage: machine")
	}
	ts.Check(ts.Exec("rexwrap", "cache", "flush"))
	s.script.Rig.Close()
	ts.Check(s.script.Install(s.bin, s.machine(), ts.Setenv))
	s.script.Rig.Set = append(s.script.Rig.Set, "REXWRAP_REMOTE="+s.server.Address)
}

// cmdWarm has one compile by each compiler, gcc where none is named, executed, so that what is done once for a machine does
// not count: what workers have of their own is asked, and the first result is
// checked against the compiler here.
//
//	warm [COMPILER ...]
func cmdWarm(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("usage: warm [COMPILER ...]")
	}
	if len(args) == 0 {
		args = []string{"gcc"}
	}
	name := ts.MkAbs("warm-up.c")
	ts.Check(os.WriteFile(name, []byte("#include <stdio.h>\nint warm;\n"), 0o644))
	ts.Check(rig.Settle())
	for _, cc := range args {
		ts.Check(ts.Exec("rexwrap", cc, "-c", "warm-up.c"))
	}
	ts.Check(os.Remove(ts.MkAbs("warm-up.o")))
	ts.Check(os.Remove(name))
	ts.Check(script.Count(ts))
}

// cmdRemote does something to the remote:
//
//	remote stop
//	remote fault METHOD CODE [FROM TO]
//	remote forget-outputs
//	remote heal
func cmdRemote(ts *testscript.TestScript, neg bool, args []string) {
	s := of(ts)
	if neg || len(args) == 0 {
		ts.Fatalf("usage: remote stop|heal|fault METHOD CODE [FROM TO]")
	}
	switch args[0] {
	case "stop":
		s.server.Stop()
	case "heal":
		s.server.Heal()
		s.server.Lie(nil)
	case "forget-outputs":
		s.server.Lie(func(r *repb.ActionResult) { r.OutputFiles = nil })
	case "fault":
		f := &clienttest.Fault{Method: args[1]}
		ts.Check(f.Code.UnmarshalJSON([]byte(strconv.Quote(args[2]))))
		if len(args) == 5 {
			var err error
			f.From, err = strconv.Atoi(args[3])
			ts.Check(err)
			f.To, err = strconv.Atoi(args[4])
			ts.Check(err)
		}
		s.server.Fault(f)
	default:
		ts.Fatalf("unknown: remote %s", args[0])
	}
}
