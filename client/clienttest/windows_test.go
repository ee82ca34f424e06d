package clienttest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/clienttest"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/execute"
)

// A worker that goes by the rules of Windows runs what could run there, and nothing else.
func TestWindows(t *testing.T) {
	s := clienttest.New(t, clienttest.Options{Quirks: clienttest.Quirks{Windows: true, Platform: []string{"OSFamily=windows"}}})
	conn := s.Dial(t, client.Options{})
	store, executor := cas.NewRemote(conn, digest.SHA256), execute.NewRemote(conn, digest.SHA256, time.Minute)
	shell := func(outputs ...string) *clienttest.Action {
		return clienttest.Shell("echo x | tee a.obj >b.pdb", outputs...)
	}
	files := func(names ...string) *clienttest.Action {
		a := shell("a.obj")
		a.Files = map[string]string{}
		for _, name := range names {
			a.Files[name] = "x"
		}
		return a
	}
	linked, below, variables := shell("a.obj"), shell("a.obj"), shell("a.obj")
	linked.Links = map[string]string{"l": "a"}
	below.WorkingDir = "con/b"
	variables.Env = append(variables.Env, "Path=x")
	for name, test := range map[string]struct {
		a  *clienttest.Action
		ok bool
	}{
		"names": {files("a/A.h", "b/a.h", "conx", "a.con"), true}, "outputs": {shell("a.obj", "b.pdb"), true},
		"case": {files("a/A.h", "a/a.h"), false}, "folder's case": {files("a/x", "A/y"), false}, "device": {files("nul.h"), false},
		"colon": {files("a:b"), false}, "dot": {files("a."), false}, "back-slash": {shell(`b\a.obj`), false},
		"output's case": {shell("a.obj", "A.obj"), false}, "link": {linked, false}, "working directory": {below, false}, "variables": {variables, false},
	} {
		test.a.Platform = []action.Property{{Name: "OSFamily", Value: "windows"}}
		_, err := executor.Execute(t.Context(), test.a.Uploaded(t, store))
		if test.ok != (err == nil) || err != nil && !errors.Is(err, execute.ErrRejected) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
