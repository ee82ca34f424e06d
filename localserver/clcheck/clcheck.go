// Package clcheck tries on a real cl.exe, and a linker, what localserver/pdbsession takes
// for granted of them, and reports what holds: `rexwrap doctor --msvc`.
//
// Checked are that a private program database is whole when the compiler has ended and
// fits its object; that objects whose types were merged link with all of them; that the
// compiler goes on with a database that was written here; which inputs it tells of; and
// what /Brepro makes of a database's GUID. Everything happens in one folder.
//
// Not checked: what mspdbsrv does meanwhile, edit and continue, modules.
package clcheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Finding is the outcome of one check.
type Finding struct {
	Name string
	OK   bool
	Text string
}

// Options say what is checked.
type Options struct {
	// Compiler and Linker are absolute paths; without a Linker nothing is linked.
	Compiler, Linker string
	// Env is the environment of both.
	Env []string
	// Dir is an empty folder.
	Dir string
	Run toolchains.Runner
}

// Steps is the number of findings.
const Steps = 6

// Run makes all checks and reports each. The error is that of the folder.
func Run(ctx context.Context, o Options, report func(Finding)) error {
	c := &checkup{Options: o, ctx: ctx}
	for name, text := range sources() {
		if err := os.WriteFile(filepath.Join(o.Dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	if err := os.Mkdir(filepath.Join(o.Dir, "own"), 0o700); err != nil {
		return err
	}
	for _, check := range []struct {
		name string
		try  func() (string, error)
	}{
		{"private database", c.private},
		{"merged database", c.merged},
		{"link", c.link},
		{"appending", c.append},
		{"inputs", c.inputs},
		{"/Brepro", c.reproducible},
	} {
		text, err := check.try()
		if err != nil {
			text = err.Error()
		}
		report(Finding{check.name, err == nil, text})
	}
	return nil
}

// sources are a program without a run-time library.
func sources() map[string]string {
	return map[string]string{
		"common.h": "#pragma once\nstruct Common { int first; Common *next; };\n",
		"a.cpp":    "#include \"common.h\"\nstruct OnlyA { Common c; double d; };\nOnlyA a;\nint other();\nextern \"C\" int main() { return other() + a.c.first; }\n",
		"b.cpp":    "#include \"common.h\"\nstruct OnlyB { Common *c; char text[8]; };\nOnlyB b;\nint other() { return b.text[0]; }\n",
	}
}

type checkup struct {
	Options
	ctx      context.Context
	sessions *pdbsession.Sessions
	objects  []string
}

var (
	errStatus = errors.New("exit status")
	errBefore = errors.New("needs what failed before")
)

// start runs a program in the folder and returns what it said.
func (c *checkup) start(program string, args ...string) (string, error) {
	res, err := c.Run(c.ctx, toolchains.Command{Argv: append([]string{program}, args...), Dir: c.Dir, Env: c.Env})
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(res.Stdout) + string(res.Stderr))
	if res.Status != 0 {
		return said, fmt.Errorf("%s %s: %w %d: %s", filepath.Base(program), strings.Join(args, " "), errStatus, res.Status, said)
	}
	return said, nil
}

func (c *checkup) path(name string) string { return filepath.Join(c.Dir, name) }

// compile makes own/UNIT.obj with a database of its own.
func (c *checkup) compile(unit string, flags ...string) error {
	args := append([]string{"/nologo", "/c", "/Zi", "/GS-", "/Fd" + c.path("own/"+unit+".pdb"), "/Fo" + c.path("own/"+unit+".obj")}, flags...)
	_, err := c.start(c.Compiler, append(args, unit+".cpp")...)
	return err
}

// pair reads what compile has made and whether it fits together.
func (c *checkup) pair(unit string) (object []byte, server pdb.TypeServer, private *pdb.Private, err error) {
	if object, err = os.ReadFile(c.path("own/" + unit + ".obj")); err != nil {
		return nil, server, nil, err
	}
	compiled, err := pdb.ParseCompiled(object)
	if err != nil {
		return nil, server, nil, fmt.Errorf("object: %w", err)
	}
	data, err := os.ReadFile(c.path("own/" + unit + ".pdb"))
	if err != nil {
		return nil, server, nil, err
	}
	if private, err = pdb.ReadPrivate(data); err != nil {
		return nil, server, nil, fmt.Errorf("database: %w", err)
	}
	server = compiled.TypeServer()
	if server.GUID != private.Info.GUID || server.Age > private.Info.Age {
		return nil, server, nil, fmt.Errorf("the object names %s, age %d; the database is %s, age %d",
			server.GUID, server.Age, private.Info.GUID, private.Info.Age)
	}
	return object, server, private, nil
}

func (c *checkup) private() (string, error) {
	n := 0
	for _, unit := range []string{"a", "b"} {
		if err := c.compile(unit); err != nil {
			return "", err
		}
		_, _, private, err := c.pair(unit)
		if err != nil {
			return "", err
		}
		n += len(private.Types) + len(private.Items)
	}
	return fmt.Sprintf("two compiles without /FS, %d bytes of types, whole when the compiler ends", n), nil
}

// merged merges both into one database.
func (c *checkup) merged() (string, error) {
	id, err := pdbsession.Identify(c.Dir, "all.pdb", "all.pdb")
	if err != nil {
		return "", err
	}
	c.sessions = pdbsession.New(pdbsession.Options{LockDir: c.Dir})
	defer c.sessions.Close()
	for _, unit := range []string{"a", "b"} {
		object, _, _, err := c.pair(unit)
		if err != nil {
			return "", errBefore
		}
		d, err := c.sessions.Deliver(id, &pdbsession.Member{
			Object: object, ObjectPath: c.path(unit + ".obj"), PDBKey: unit,
			PDB: func() ([]byte, error) { return os.ReadFile(c.path("own/" + unit + ".pdb")) },
		})
		if err != nil {
			return "", err
		}
		if d.Form != pdbsession.Merged {
			return "", fmt.Errorf("%s: %s", d.Reason, d.Detail)
		}
		if err := os.WriteFile(c.path(unit+".obj"), d.Object, 0o600); err != nil {
			return "", err
		}
		c.objects = append(c.objects, unit+".obj")
	}
	return "every kind of record is known, both objects refer to one database", nil
}

// link links the objects; a linker that misses types warns (LNK4099).
func (c *checkup) link() (string, error) {
	switch {
	case c.Linker == "":
		return "", errors.New("no linker was found")
	case len(c.objects) != 2:
		return "", errBefore
	}
	said, err := c.start(c.Linker, append([]string{
		"/nologo", "/debug", "/entry:main", "/subsystem:console", "/nodefaultlib", "/out:all.exe", "/pdb:linked.pdb",
	}, c.objects...)...)
	if err == nil && strings.Contains(said, "LNK") {
		err = errors.New(said)
	}
	return filepath.Base(c.Linker) + " takes all types from the merged database", err
}

// append lets the compiler go on with the merged database.
func (c *checkup) append() (string, error) {
	if len(c.objects) != 2 {
		return "", errBefore
	}
	before, err := pdbsession.Verify(c.path("all.pdb"))
	if err != nil {
		return "", err
	}
	if _, err := c.start(c.Compiler, "/nologo", "/c", "/Zi", "/GS-", "/DMORE", "/Fd"+c.path("all.pdb"), "/Fo"+c.path("c.obj"), "a.cpp"); err != nil {
		return "", err
	}
	after, err := pdbsession.Verify(c.path("all.pdb"))
	if err != nil {
		return "", err
	}
	if after.GUID != before.GUID || after.Types < before.Types {
		return "", errors.New("the compiler has begun another database")
	}
	return fmt.Sprintf("the compiler goes on with it: age %d after %d", after.Age, before.Age), nil
}

func (c *checkup) inputs() (string, error) {
	if err := c.compile("a", "/sourceDependencies", c.path("a.json")); err != nil {
		return "", err
	}
	text, err := os.ReadFile(c.path("a.json"))
	if err != nil {
		return "", err
	}
	if !strings.Contains(strings.ToLower(string(text)), "common.h") {
		return "", errors.New("/sourceDependencies does not name common.h")
	}
	return "/sourceDependencies names the headers", nil
}

func (c *checkup) reproducible() (string, error) {
	if err := c.compile("b", "/Brepro"); err != nil {
		return "", err
	}
	_, server, _, err := c.pair("b")
	if err != nil {
		return "", err
	}
	return "the GUID of the database is " + server.GUID.String(), nil
}
