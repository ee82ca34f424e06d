package pdbsession

import "testing"

func TestRenaming(t *testing.T) {
	r := &renaming{
		object: Move{"/w/7/b/x.obj", "/home/me/p/o/x.obj"}, database: Move{"/w/7/b/x.pdb", "/home/me/p/vc140.pdb"},
		folders: []Move{{"/w/7", "/home/me/p"}, {"/proc/self/cwd/..", "/home/me"}, {`C:\w`, `D:\p`}},
	}
	for old, want := range map[string]string{
		"":                                "",
		"/w/7":                            "/home/me/p",
		"/w/7/src/a.cpp":                  "/home/me/p/src/a.cpp",
		"/w/77/src/a.cpp":                 "/w/77/src/a.cpp",
		"/x/w/7/a.cpp":                    "/x/w/7/a.cpp",
		"/proc/self/cwd/../q/a.h":         "/home/me/q/a.h",
		`C:\w\a.h`:                        `D:\p\a.h`,
		"-c -Fo/w/7/b/x.obj":              "-c -Fo/home/me/p/o/x.obj",
		"-Fd/w/7/b/x.pdb -I/w/7/inc":      "-Fd/home/me/p/vc140.pdb -I/home/me/p/inc",
		`"-cc1" "-dir=/w/7" "/usr/w/7/x"`: `"-cc1" "-dir=/home/me/p" "/usr/w/7/x"`,
	} {
		if got := r.text(old); got != want {
			t.Errorf("%q becomes %q, not %q", old, got, want)
		}
	}
	if r.key("") != "" || r.key("a") == "a" || (&renaming{}).key("a") != "a" {
		t.Errorf("keys %q, %q, %q", r.key(""), r.key("a"), (&renaming{}).key("a"))
	}
	other := *r
	other.object.To = "/home/me/p/o/y.obj"
	if other.key("a") == r.key("a") {
		t.Error("the place of the object makes no difference")
	}
}
