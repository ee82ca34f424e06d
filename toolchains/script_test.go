package toolchains

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestForwarded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gcc")
	for _, c := range []struct {
		text string
		env  []string
		want string // empty where the script may do anything
	}{
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\n", want: "/usr/bin/gcc"},
		{text: "#! /bin/bash -e\n# a wrapper\n\nset -e\n\texec '/opt/x/bin/gcc-12' -fno-plt \"-DX=1\" ${1+\"$@\"}", want: "/opt/x/bin/gcc-12 -fno-plt -DX=1"},
		{text: "#!/usr/bin/dash\nexec /usr/bin/clang --target=armv7-linux-gnueabihf -B/opt/x/bin \"$@\"\n# end\n", want: "/usr/bin/clang --target=armv7-linux-gnueabihf -B/opt/x/bin"},
		{text: "#!/bin/sh\nexec gcc \"$@\"\n"},
		{text: "#!/bin/sh\n/usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc $@\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$1\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc $FLAGS \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc -I~/x \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc -DX='a b' \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc -DX=\\\"a\\\" \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"\" \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc *.c \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc 2>/dev/null \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"; echo\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\necho\n"},
		{text: "#!/bin/sh\nexec -a cc /usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\nPATH=/x exec /usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\nexport LC_ALL=C\nexec /usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \\\n\"$@\"\n"},
		{text: "#!/bin/sh -x\nexec /usr/bin/gcc \"$@\"\n"},
		{text: "#!/usr/bin/env sh\nexec /usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\r\nexec /usr/bin/gcc \"$@\"\r\n"},
		{text: "#!/bin/sh\n"},
		{text: "exec /usr/bin/gcc \"$@\"\n"},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\n" + strings.Repeat("#", maxScript)},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\n", env: []string{"BASH_ENV=/x"}},
		{text: "#!/bin/sh\nexec /usr/bin/gcc \"$@\"\n", env: []string{"BASH_FUNC_exec%%=() { :; }"}},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o700); err != nil {
			t.Fatal(err)
		}
		call := &Call{Program: path, Argv: []string{"gcc", "-c", "x y.c"}, Dir: "/w", Env: c.env}
		got := Forwarded(call)
		switch {
		case got == nil && c.want != "":
			t.Errorf("%q is not understood", c.text)
		case got == nil:
		case c.want == "":
			t.Errorf("%q is taken for %q", c.text, got.Argv)
		case got.Program != strings.Fields(c.want)[0] || !slices.Equal(got.Argv, append(strings.Fields(c.want), "-c", "x y.c")) || got.Dir != "/w":
			t.Errorf("%q makes %+v of it", c.text, got)
		}
	}
	if Forwarded(&Call{Program: path + "-none", Argv: []string{"gcc"}}) != nil {
		t.Error("a script that is not there")
	}
}

func FuzzForwards(f *testing.F) {
	f.Add("#!/bin/sh\nexec /usr/bin/gcc -m32 \"$@\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, word := range forwards(text) {
			if word == "" || strings.ContainsAny(word, " \t\n$`\\\"'*?[~;&|<>(){}!#") {
				t.Errorf("%q of %q", word, text)
			}
		}
	})
}
