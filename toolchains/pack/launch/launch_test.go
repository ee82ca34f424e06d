package launch_test

import (
	"errors"
	"io/fs"
	"slices"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

func TestCommand(t *testing.T) {
	files := map[string]string{
		"/w/pack/.rexpack":   string(launch.Mark("lib/ld.so", "lib", nil)),
		"/w/rpath/.rexpack":  string(launch.Mark("lib/ld.so", "lib", []string{"", "liba.so"})),
		"/bad/more/.rexpack": "rexpack 1\nloader lib/ld.so\nlibraries lib\nx\n",
		"/bad/head/.rexpack": "rexpack 2\nloader a\nlibraries b\n",
		"/bad/out/.rexpack":  "rexpack 1\nloader ../../lib/ld.so\nlibraries lib\n",
		"/bad/abs/.rexpack":  "rexpack 1\nloader /lib/ld.so\nlibraries lib\n",
		"/bad/cut/.rexpack":  "rexpack 1\nloader lib/ld.so",
	}
	read := func(path string) (string, error) {
		if text, ok := files[path]; ok {
			return text, nil
		}
		return "", fs.ErrNotExist
	}
	started := func(name string) []string {
		return []string{
			"/w/pack/lib/ld.so", "--inhibit-cache", "--argv0", name, "--library-path", "/w/pack/lib",
			"/w/pack/usr/bin/.real/gcc",
		}
	}
	for _, c := range []struct {
		name, self string
		args, want []string
		err        error
	}{
		{"by path", "/w/pack/usr/bin/gcc", []string{"../usr/bin/gcc", "-c", "x.c"}, append(started("../usr/bin/gcc"), "-c", "x.c"), nil},
		{"by PATH", "/w/pack/usr/bin/gcc", []string{"gcc", "-c"}, append(started("/w/pack/usr/bin/gcc"), "-c"), nil},
		{"no arguments", "/w/pack/usr/bin/gcc", nil, started("/w/pack/usr/bin/gcc"), nil},
		{"RPATH", "/w/rpath/bin/x", []string{"/x"}, []string{
			"/w/rpath/lib/ld.so", "--inhibit-cache", "--argv0", "/x", "--library-path", "/w/rpath/lib", "--inhibit-rpath", ":/w/rpath/lib/liba.so",
			"/w/rpath/bin/.real/x",
		}, nil},
		{"another line", "/bad/more/gcc", nil, nil, launch.ErrMark},
		{"nowhere", "/usr/bin/gcc", []string{"gcc"}, nil, launch.ErrNoPack},
		{"other version", "/bad/head/gcc", nil, nil, launch.ErrMark},
		{"leads out", "/bad/out/gcc", nil, nil, launch.ErrMark},
		{"absolute", "/bad/abs/gcc", nil, nil, launch.ErrMark},
		{"cut short", "/bad/cut/gcc", nil, nil, launch.ErrMark},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, argv, err := launch.Command(c.self, c.args, read)
			if !errors.Is(err, c.err) || !slices.Equal(argv, c.want) {
				t.Fatalf("got %q, %v\nwant %q, %v", argv, err, c.want, c.err)
			}
			if err == nil && program != c.want[0] {
				t.Errorf("program %q", program)
			}
		})
	}
}

func TestHere(t *testing.T) {
	note, argv, err := launch.Here([]string{"x/" + launch.HereName, "/ws", "note", "--map=", "../p/rustc", "-O", "x.rs"}, "/srv/7")
	if want := []string{"../p/rustc", "-O", "x.rs", "--map=/srv/7=/ws"}; err != nil || note != "note" || !slices.Equal(argv, want) {
		t.Errorf("%q %q %v", note, argv, err)
	}
	if _, _, err := launch.Here([]string{launch.HereName, "/ws", "", "--map="}, "/"); !errors.Is(err, launch.ErrWords) {
		t.Errorf("no program: %v", err)
	}
}
