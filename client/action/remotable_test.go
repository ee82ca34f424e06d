package action

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rexwrap/rexwrap/client/merkle"
)

func TestRemotable(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Spec)
		ok     bool
	}{
		"plain":            {func(*Spec) {}, true},
		"above cwd":        {func(s *Spec) { s.OutputFiles[0] = "../x.o" }, true},
		"in the root":      {func(s *Spec) { s.WorkingDir = "" }, true},
		"no timeout":       {func(s *Spec) { s.Timeout = 0 }, false},
		"above the root":   {func(s *Spec) { s.OutputFiles[0] = "../../x.o" }, false},
		"absolute":         {func(s *Spec) { s.OutputFiles[0] = "/tmp/x.o" }, false},
		"not clean":        {func(s *Spec) { s.OutputDirs = []string{"a/../b"} }, false},
		"the root itself":  {func(s *Spec) { s.OutputDirs = []string{".."} }, false},
		"cwd outside":      {func(s *Spec) { s.WorkingDir = "../src" }, false},
		"cwd absolute":     {func(s *Spec) { s.WorkingDir = "/src" }, false},
		"mettle's PATH":    {func(s *Spec) { s.Env[0] = "PATH=~/bin" }, false},
		"mettle's TOOL":    {func(s *Spec) { s.Env[0] = "TOOLS=x" }, false},
		"mettle's TEST":    {func(s *Spec) { s.Env[0] = "TEST=x" }, false},
		"not mettle's":     {func(s *Spec) { s.Env[0] = "TESTS=~" }, true},
		"an ordinary PATH": {func(s *Spec) { s.Env[0] = "PATH=/bin" }, true},
	} {
		s := spec()
		s.Timeout = time.Minute
		test.change(s)
		if err := s.Remotable(); (err == nil) != test.ok || (err != nil && !errors.Is(err, ErrNotRemotable)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFolders(t *testing.T) {
	s := spec()
	s.OutputFiles, s.OutputDirs = []string{"../obj/a/x.o", "../y.o", "z.o"}, []string{"d/e"}
	want := []merkle.Entry{{Path: "src", Dir: true}, {Path: "obj/a", Dir: true}, {Path: "src/d", Dir: true}, {Path: "src", Dir: true}}
	if got := s.Folders(); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if _, err := merkle.Build(s.Folders()); err != nil {
		t.Error(err)
	}
}
