package layout

import (
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// shipped is a compile with a cross gcc that travels along.
func shipped(t *testing.T, args string, env ...string) *Request {
	t.Helper()
	p := &pack.Pack{Family: "gcc", Driver: "usr/bin/gcc", Entries: []pack.Entry{{Path: "usr/bin/gcc", Digest: digest.OfString("gcc"), Executable: true}}}
	tree, err := PackTree(p)
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{Compile: parse(t, "gcc", "/p", strings.Fields(args)...), Root: "/p", HostFile: func(string) bool { return false }}
	r.Compile.Call.Env, r.Compile.Env = env, []string{"LANG", "C_INCLUDE_PATH"}
	r.Inputs = inputsOf("x.c", "</usr/T/include/stdio.h")
	r.Inputs.Opened = true
	r.Inputs.Files[1].Opened = "/usr/lib/gcc/T/12/../../../../T/include/stdio.h"
	r.Ship = &Ship{Pack: p, Tree: tree, Facts: &toolchains.Facts{
		AngleDirs: []string{"/usr/lib/gcc/T/12/include", "/usr/lib/gcc/T/12/../../../../T/include", "/usr/include"},
		Implicit:  []string{"/usr/T/include/stdc-predef.h"},
	}}
	return r
}

func TestShippedCommand(t *testing.T) {
	l := newLayout(t, shipped(t, "-g -c x.c", "LANG=C"))
	args := strings.Join(l.Arguments, " ")
	if want := ".rexwrap-toolchain/usr/bin/gcc -include stdc-predef.h -g -c x.c -nostdinc"; !strings.Contains(args, want) {
		t.Errorf("%s lacks %s", args, want)
	}
	if want := "/.rexwrap-outside/root/usr/T/include -isystem "; !strings.Contains(args, want) {
		t.Errorf("%s lacks %s", args, want)
	}
	for _, kv := range []string{"LC_ALL=C", "PATH=/dev/null"} {
		if !slices.Contains(l.Env, kv) {
			t.Errorf("%q lacks %s", l.Env, kv)
		}
	}
	if slices.Contains(l.Env, "LANG=C") || l.Quiet {
		t.Errorf("the locale is the client's: %q, %v", l.Env, l.Quiet)
	}
	if l.Tree.Directories[l.Tree.Root] == nil || len(l.Sources) != 2 {
		t.Errorf("sources %v", l.Sources)
	}
}

func TestShippedUnproven(t *testing.T) {
	for _, tt := range []struct {
		name, args, want string
		env              []string
		change           func(*Request)
	}{
		{name: "macros", args: "-g3 -c x.c"},
		{name: "UTF-8", args: "-fexec-charset=UTF-8 -c x.c"},
		{name: "another character set", args: "-fexec-charset=latin1 -c x.c", want: "-fexec-charset=latin1"},
		{name: "sysroot", args: "--sysroot=/p/root -c x.c", want: "--sysroot="},
		{name: "search path", args: "-c x.c", env: []string{"C_INCLUDE_PATH=/p/inc"}, want: "C_INCLUDE_PATH"},
		{name: "another short name", args: "-c x.c", want: "-isystem", change: func(r *Request) {
			r.Inputs.Files[1].Opened = "/usr/include/x/../../T/include/stdio.h"
		}},
		{name: "a link keeps the long name", args: "-c x.c", want: "/usr/T/include/stdio.h", change: func(r *Request) {
			long := inputsOf("</usr/lib/gcc/T/12/../../../../T/include/link.h")
			r.Inputs.Files = append(r.Inputs.Files, long.Files...)
		}},
		{name: "folder above one that is not there", args: "-c x.c", change: func(r *Request) {
			r.Ship.Facts.AbsentDirs, r.Inputs.Absent = []string{"/usr/none/include"}, []string{"/usr/none/"}
		}},
		{name: "header beside the built-in folders", args: "-c x.c", want: "/etc/k.h", change: func(r *Request) {
			r.Inputs.Files = append(r.Inputs.Files, depscan.File{Path: "/etc/k.h", Digest: digest.OfString("k")})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := shipped(t, tt.args, tt.env...)
			if tt.change != nil {
				tt.change(r)
			}
			l, err := New(r)
			if err != nil {
				t.Fatal(err)
			}
			if _, arg, _ := toolchains.ReasonOf(l.Unproven); arg != tt.want {
				t.Errorf("unproven: %v, want %q", l.Unproven, tt.want)
			}
		})
	}
}

func TestShippedLanguage(t *testing.T) {
	for value, quiet := range map[string]bool{"": false, "C": false, "POSIX": false, "de_DE.UTF-8": true, "C.UTF-8": true} {
		if l := newLayout(t, shipped(t, "-c x.c", "LANG="+value)); l.Quiet != quiet {
			t.Errorf("LANG=%s: quiet %v", value, l.Quiet)
		}
	}
}

func TestClientFile(t *testing.T) {
	l := newLayout(t, shipped(t, "-c x.c"))
	for i := range l.Entries {
		e := &l.Entries[i]
		if source := l.Sources[e.Digest]; source != "" && l.ClientFile(e.Path) != source {
			t.Errorf("%s is %q, want %q", e.Path, l.ClientFile(e.Path), source)
		}
	}
}
