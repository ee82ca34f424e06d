//go:build linux

package wine

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A copy of rexwrap called cl.exe stands for the compiler: that of REXWRAP_CL, that of
// the tools that the environment was set up for, or the next one on PATH.
func TestDisguise(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ours := s.dir + "/ours"
	s.write("ours/cl.exe", "")
	if err := copyFile(s.in.bin+"/rexwrap.exe", ours+"/cl.exe"); err != nil {
		t.Fatal(err)
	}
	rexd := "REXWRAP_REXD=" + windows(s.in.bin+"/rexd.exe")
	tools := s.dir + "/tools/bin/Hostx64/x86"
	if err := os.MkdirAll(tools, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := copyFile(s.in.dir+"/cl/cl.exe", tools+"/cl.exe"); err != nil {
		t.Fatal(err)
	}
	basic := s.set
	want := s.bare("/c", "a.c")
	for name, set := range map[string][]string{
		"PATH":       {"WINEPATH=" + windows(ours) + ";" + windows(s.in.dir+"/cl")},
		"itself":     {"WINEPATH=" + windows(ours) + ";" + windows(s.in.dir+"/cl"), "REXWRAP_CL=" + windows(ours+"/cl.exe")},
		"REXWRAP_CL": {"WINEPATH=" + windows(ours), "REXWRAP_CL=" + windows(s.in.dir+"/cl/cl.exe")},
		"tools": {
			"WINEPATH=" + windows(ours), "VCToolsInstallDir=" + windows(s.dir+"/tools/"), "VSCMD_ARG_HOST_ARCH=x64", "VSCMD_ARG_TGT_ARCH=x86",
		},
	} {
		s.set = append(append([]string{rexd}, basic...), set...)
		for _, program := range []string{"cl", "cl.exe", windows(ours + "/CL.exe")} {
			if got := s.run(program, "/c", "a.c"); got != want {
				t.Errorf("%s: %s: %+v, want %+v", name, program, got, want)
			}
		}
	}
	s.set = append(append([]string{rexd}, basic...), "WINEPATH="+windows(ours))
	if got := s.run("cl", "/c", "a.c"); got.Status != 127 || !strings.Contains(got.Stderr, "command not found") {
		t.Errorf("without a compiler: %+v", got)
	}
	s.set = basic
	if got := s.stats(); got.HitsLocal+unstored(got) < 10 || got.Errors != 0 {
		t.Errorf("%+v", got)
	}
}

// A folder of copies, and a build that is run with one.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	want := s.bare("/c", "a.c")
	compiler, links := windows(s.in.dir+"/cl"), windows(s.dir+"/links")
	basic := s.set
	s.set = append(s.set, "WINEPATH="+compiler)
	for range 2 {
		if got := s.verb("links", links); got.Status != 0 || !strings.Contains(got.Stdout, "cl.exe") {
			t.Fatalf("%+v", got)
		}
	}
	if got := s.verb("exec", "--", "cmd", "/c", "cl /c a.c"); got.Status != 0 || got.Stdout != want.Stdout {
		t.Errorf("exec: %+v, want %+v", got, want)
	}
	s.set = append(basic, "WINEPATH="+links+";"+compiler)
	if got := s.run("cl", "/c", "a.c"); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	s.set = basic
	s.want(1, 1)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o777)
}

// The compiler gets the words of its command line as they were written.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	s := newBareSite(t)
	program := windows(s.in.dir + "/cl/args.exe")
	s.set = append(s.set, "REXWRAP_DISABLE=1")
	for _, args := range [][]string{
		{"/c", "a.c"}, {"a b", "", `c\`, `d\\`, `e f\`, `"`, `g"h`, `i\"j`, "k\tl", "%TEMP%", "^&|<>", "ü"},
	} {
		_, want, _ := strings.Cut(s.run(append([]string{program}, args...)...).Stdout, "args.exe")
		_, got, _ := strings.Cut(s.run(append([]string{s.rexwrap(), program}, args...)...).Stdout, "args.exe")
		if got != strings.TrimPrefix(want, `"`) { // which Wine puts around the first program's name
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Paths are long, have blanks in them, are on shares, and are spelled in ways of their own.
func TestPaths(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	folder := "a folder/" + strings.Repeat("deep/", 60)
	s.write("src/"+folder+"B.c", "#include \"Some.h\"\r\n")
	s.write("src/"+folder+"Some.h", "int some;\r\n")
	source := strings.ReplaceAll(folder, "/", `\`) + "B.c"
	absolute, share := windows(s.dir+"/src/"+folder+"B.c"), s.share()
	for _, args := range [][]string{
		{"/c", "/Foone.obj", source},
		{"/c", "/Foone.obj", absolute},
		{"/c", "/Foone.obj", `\\?\` + absolute},
		{"/c", "/Foone.obj", strings.ToUpper(source)},
		{"/c", "/Foone.obj", strings.ReplaceAll(source, `\`, "/")},
		{"/c", "/Fo" + share + `\one.obj`, share + `\a.c`},
		{"/c", "/Foone", `/I` + share, share + `/` + source},
	} {
		want := s.bare(args...)
		object := s.read("src/one.obj")
		for range 2 {
			s.remove("src/one.obj")
			if got := s.compile(args...); got != want {
				t.Errorf("%q: %+v, want %+v", args, got, want)
			}
			if got := s.read("src/one.obj"); got != object {
				t.Errorf("%q: object %q, want %q", args, got, object)
			}
		}
	}
	if got := s.stats(); got.HitsLocal+unstored(got) < 7 || got.Errors+got.SteppedAside != 0 {
		t.Errorf("%+v", got)
	}
	s.noLitter()
}

// share returns the folder of the sources by a name that it has on a share.
func (s *site) share() string {
	s.Helper()
	name := filepath.Base(s.dir)
	server := s.in.dir + "/prefix/dosdevices/unc/server"
	if err := errors.Join(os.MkdirAll(server, 0o777), os.Symlink(s.dir+"/src", server+"/"+name)); err != nil {
		s.Fatal(err)
	}
	return `\\server\` + name
}
