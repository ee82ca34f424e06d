package msvc

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
	"github.com/rexwrap/rexwrap/toolchains/gnu/gnutest"
)

func toolchain() *toolchains.Toolchain { return &toolchains.Toolchain{Family: "msvc"} }

func TestTables(t *testing.T) {
	for name, rows := range map[string][]row{"common": table(), "cl": clTable(), "clang-cl": clangTable()} {
		if err := argtable.Check(options(rows)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, r := range rows {
			if r.Class.Has(aside) && !known(r.Reason) {
				t.Errorf("%s: reason %s of %s is not listed", name, r.Reason, r.Name)
			}
		}
	}
}

func known(reason string) bool {
	return slices.ContainsFunc(slices.Concat(gnu.Reasons(), Reasons()), func(r gnu.Reason) bool { return r.Name == reason })
}

func parse(t *testing.T, f *Family, dir, args string, env ...string) (*toolchains.Compile, error) {
	t.Helper()
	call := &toolchains.Call{Argv: append([]string{"cl"}, strings.Fields(args)...), Dir: dir, Env: env}
	return f.Parse(call, toolchain())
}

// Calls of cl.exe that step aside, by reason.
func TestAside(t *testing.T) {
	dir := tree(t)
	for _, c := range []struct {
		family *Family
		cases  map[string][]string
	}{
		{New(), map[string][]string{
			"unknown-argument":     {"/c /unknown x.cpp", "/c x.cpp --version", "/c /Wfoo x.cpp", "/c -fno-builtin x.cpp"},
			"preprocess-only":      {"/E x.cpp", "/c /EP x.cpp", "/P x.cpp", "/c /Fix.i /P x.cpp"},
			"information":          {"/?", "/help", "/Bv"},
			"timing":               {"/c /Bt x.cpp", "/c /Bt+ x.cpp"},
			"link":                 {"x.cpp", "/Fex.exe x.cpp", "x.cpp /link /c"},
			"no-source":            {"/c", "/c /O2", "/c /link x.cpp"},
			"linker-input":         {"/c x.obj", "/c noext", "/c x.i", "/c x.cpp y.lib", "/c x.c++"},
			"several-sources":      {"/c x.cpp x.c"},
			"missing-argument":     {"/c x.cpp /I", "/c x.cpp /D", "/c x.cpp /FI", "/c x.cpp /Tc"},
			"precompiled-header":   {"/c /Ycstd.h x.cpp", "/c /Yu x.cpp", "/c /Fpx.pch x.cpp", "/c /Yustd.h /Fpx.pch x.cpp"},
			"edit-and-continue":    {"/c /ZI x.cpp", "/c /Gm x.cpp", "/c /Zi /ZI x.cpp"},
			"ltcg-with-database":   {"/c /GL /Zi x.cpp"},
			"managed-code":         {"/c /clr x.cpp", "/c /clr:pure x.cpp", "/c /ZW x.cpp", "/c /FUx.dll x.cpp", "/c /AI d x.cpp"},
			"browse-information":   {"/c /FR x.cpp", "/c /doc x.cpp", "/c /docx.xml x.cpp", "/c /Fr x.cpp"},
			"listing":              {"/c /FAc x.cpp", "/c /FAcs x.cpp"},
			"analyzer-option":      {"/c /analyze x.cpp", "/c /analyze:log x.xml x.cpp"},
			"modules":              {"/c /interface x.cpp", "/c /reference m=m.ifc x.cpp", "/c /experimental:module x.cpp", "/c /headerUnit x x.cpp", "/c /ifcOutput x x.cpp"},
			"dependencies-other":   {"/c /scanDependencies x.json x.cpp", "/c /sourceDependencies:directives x.json x.cpp"},
			"output-to-stdout":     {"/c /sourceDependencies- x.cpp", "/c /sourceDependencies - x.cpp"},
			"output-name":          {"/c /Fonul x.cpp", "/c /Fo. x.cpp", "/c /Fo/dev/null x.cpp", "/c /ox.obj x.cpp"},
			"other-compiler-parts": {"/c /B1x x.cpp", "/c /Bxx x.cpp"},
			"stdin":                {"/c -"},
			"response-file":        {"/c @missing.rsp", "/c @utf8.rsp"},
			"other-output":         {"/c /Fx x.cpp", "/Zs x.cpp", "/Zg x.cpp"},
		}},
		{NewClang(), map[string][]string{
			"unknown-argument": {"/c /unknown x.cpp", "/c -g x.cpp", "/c /JMC x.cpp", "/c -fprofile-generate x.cpp", "/c -fsanitize=undefined x.cpp", "/c -ftime-trace x.cpp", "/c -flto x.cpp", "/c -fbasic-block-sections=list=x x.cpp", "/c -fdebug-compilation-dir=/x x.cpp"},
			"cc1-option":       {"/c -Xclang -emit-llvm x.cpp", "/c /clang:-MD x.cpp"},
			"backend-option":   {"/c -mllvm -x x.cpp"},
			"driver-mode":      {"/c --driver-mode=gcc x.cpp"},
			"verbose":          {"/c -### x.cpp", "/c -v x.cpp"},
			"sanitizer":        {"/c /fsanitize=address x.cpp"},
			"linker-input":     {"/c /home/user/file", "/c x.i"},
		}},
	} {
		for reason, calls := range c.cases {
			for _, args := range calls {
				_, err := parse(t, c.family, dir, args)
				if got, _, ok := toolchains.ReasonOf(err); !ok || got != reason {
					t.Errorf("%s: %v, want %s", args, err, reason)
				} else if !known(got) {
					t.Errorf("%s is not listed", got)
				}
			}
		}
	}
}

// What only cl.exe does, by its documentation.
func TestParse(t *testing.T) {
	dir := tree(t)
	sep := string(filepath.Separator)
	for _, c := range []struct {
		args, outputs string
		microsoft     toolchains.Microsoft
	}{
		{"/c x.cpp", "x.obj", toolchains.Microsoft{Echo: true}},
		{"/c sub" + sep + "y.cpp /Foout" + sep, "out" + sep + "y.obj", toolchains.Microsoft{Echo: true}},
		{"/c /Fo: x.o x.cpp", "x.o", toolchains.Microsoft{Echo: true}},
		{"/c /Fo:x x.cpp", "x.obj", toolchains.Microsoft{Echo: true}},
		{"/c /FA /Fax x.cpp", "x.obj x.asm", toolchains.Microsoft{Echo: true}},
		{"/c /Zi x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Debug: toolchains.DebugDatabase}},
		{"/c /Z7 /Fdx /Zi /FS /Fdout" + sep + " x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Debug: toolchains.DebugDatabase, PDB: "out" + sep}},
		{"/c /Zi /Fdx.pdb /Z7 x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Debug: toolchains.DebugEmbedded}},
		{"/c /GL /Z7 x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Debug: toolchains.DebugEmbedded}},
		{"/c /showIncludes x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Includes: true}},
		{"/c /showIncludes:user x.cpp", "x.obj", toolchains.Microsoft{Echo: true, Includes: true, UserIncludes: true}},
		{"/c /sourceDependencies x.json x.cpp", "x.obj x.json", toolchains.Microsoft{Echo: true}},
		{"/c /sourceDependencies out x.cpp", "x.obj out" + sep + "x.cpp.json", toolchains.Microsoft{Echo: true}},
	} {
		got, err := parse(t, New(), dir, c.args)
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		var outputs []string
		for _, o := range got.Outputs {
			outputs = append(outputs, o.Path)
		}
		if strings.Join(outputs, " ") != c.outputs || *got.Microsoft != c.microsoft {
			t.Errorf("%s: %q, %+v, want %q, %+v", c.args, outputs, *got.Microsoft, c.outputs, c.microsoft)
		}
		// A compile with a private database writes its object elsewhere first.
		embedded := c.microsoft.Debug == toolchains.DebugEmbedded
		if debug := c.microsoft.Debug != toolchains.NoDebug; got.Recorded != debug || got.Carries&toolchains.CarriesOutput != 0 != embedded {
			t.Errorf("%s: recorded %v, carries %v", c.args, got.Recorded, got.Carries)
		}
	}
}

// What of this machine, its folders and its clock reaches the result.
func TestCarries(t *testing.T) {
	dir := tree(t)
	const places = toolchains.CarriesDir | toolchains.CarriesPaths
	for args, want := range map[string]toolchains.Carries{
		"/c x.cpp": 0, "/c /FC x.cpp": places, "/c /showIncludes x.cpp": 0, "/c /Z7 x.cpp": places | toolchains.CarriesOutput,
		"/c /sourceDependencies x.json x.cpp": places,
	} {
		if c, err := parse(t, New(), dir, args); err != nil || c.Carries != want {
			t.Errorf("%s: %+v, %v, want %v", args, c, err, want)
		}
	}
	for args, want := range map[string]bool{"/c x.cpp": true, "/c /Brepro x.cpp": false, "/c /Brepro /Brepro- x.cpp": true} {
		if c, err := parse(t, New(), dir, args); err != nil || c.Nondeterministic != want {
			t.Errorf("%s: %+v, %v, want %v", args, c, err, want)
		}
	}
	for args, want := range map[string]bool{"-c -march=native x.cpp": true, "-c /tune:native x.cpp": true, "-c -march=haswell x.cpp": false} {
		if c, err := parse(t, NewClang(), dir, args); err != nil || c.Args[1].Class.Has(argtable.LocalOnly) != want {
			t.Errorf("%s: %+v, %v, want %v", args, c, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	dir := tree(t)
	for _, c := range []struct{ args, env string }{
		{"/c x.cpp", "EXTERNAL_INCLUDE INCLUDE LIBPATH VSLANG"},
		{"/c /X x.cpp", "EXTERNAL_INCLUDE LIBPATH VSLANG"},
		{"/c /external:env:SDK /external:env:SDK x.cpp", "EXTERNAL_INCLUDE INCLUDE LIBPATH SDK VSLANG"},
	} {
		if got, err := parse(t, New(), dir, c.args); err != nil || strings.Join(got.Env, " ") != c.env {
			t.Errorf("%s: %+v, %v, want %s", c.args, got, err, c.env)
		}
	}
	got, err := parse(t, New(), dir, "/O1 x.cpp", "CL=/c /DA#B=C", "_CL_=/O2 /DX")
	if want := "/c /DA=B=C /O1 x.cpp /O2 /DX"; err != nil || strings.Join(gnutest.Words(got), " ") != want || !got.Expanded {
		t.Errorf("%+v, %v, want %s", got, err, want)
	}
	if _, err := parse(t, New(), dir, "/c x.cpp", "CL=@x.rsp"); err == nil {
		t.Error("a response file in CL is taken")
	}
	if _, err := parse(t, NewClang(), dir, "/c x.cpp", "CCC_OVERRIDE_OPTIONS=x"); err == nil {
		t.Error("CCC_OVERRIDE_OPTIONS is taken")
	}
	for args, variables := range map[string][]string{
		"/c x.c": {"CPATH", "C_INCLUDE_PATH", "INCLUDE", "EXTERNAL_INCLUDE"}, "/c x.cpp": {"CPATH", "CPLUS_INCLUDE_PATH"},
		"/c /X x.c": {"CPATH", "C_INCLUDE_PATH"}, "/c /external:env:A x.c": {"A"},
	} {
		got, err := parse(t, NewClang(), dir, args)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range variables {
			if !slices.Contains(got.Env, name) {
				t.Errorf("clang-cl %s: no %s in %v", args, name, got.Env)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	const text = "/DA=größe \U0001F600 x.cpp"
	for name, data := range map[string]string{
		"UTF-16LE": utf16Text(binary.LittleEndian, text), "UTF-16BE": utf16Text(binary.BigEndian, text), "UTF-8 with mark": "\uFEFF" + text,
	} {
		if got, err := decode([]byte(data), false); err != nil || string(got) != text {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if got, err := decode([]byte(text), true); err != nil || string(got) != text {
		t.Errorf("UTF-8 of clang-cl: %q, %v", got, err)
	}
	for name, data := range map[string]string{
		"code page": "gr\xf6\xdfe", "UTF-8 without mark": text, "odd": "\xff\xfeabc", "surrogate": "\xff\xfe\x00\xd8", "NUL": "a\x00b", "marked, no UTF-8": "\xef\xbb\xbf\xff",
	} {
		if got, err := decode([]byte(data), false); err == nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, err := decode([]byte("\xff"), true); err == nil {
		t.Error("no UTF-8")
	}
}

// cl.exe leaves "@FILE" within a response file alone.
func TestNestedResponseFile(t *testing.T) {
	dir := tree(t)
	if err := os.WriteFile(filepath.Join(dir, "outer.rsp"), []byte("/c @plain.rsp"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := parse(t, New(), dir, "@outer.rsp")
	if reason, arg, _ := toolchains.ReasonOf(err); reason != gnu.ReasonResponseFile || arg != "outer.rsp" {
		t.Error(err)
	}
}

func TestMembers(t *testing.T) {
	dir := tree(t)
	call := &toolchains.Call{
		Argv: []string{"cl", "/MP", "x.cpp", "/W4", "/Tcnoext", "/Foout/", "sub/y.cpp", "/Tp", "noext2"},
		Dir:  dir, Env: []string{"CL=/c /O2", "X=1", "_CL_=/Zi"},
	}
	members, err := New().Members(call)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range members {
		got = append(got, strings.Join(m.Argv, " "))
		c, err := New().Parse(m, toolchain())
		if err != nil || c.Microsoft.Debug != toolchains.DebugDatabase {
			t.Errorf("%q: %+v, %v", m.Argv, c, err)
		}
		if !slices.Equal(m.Env, []string{"X=1"}) {
			t.Errorf("environment %q", m.Env)
		}
	}
	want := []string{
		"cl /c /O2 /MP x.cpp /W4 /Foout/ /Zi", "cl /c /O2 /MP /W4 /Tcnoext /Foout/ /Zi",
		"cl /c /O2 /MP /W4 /Foout/ sub/y.cpp /Zi", "cl /c /O2 /MP /W4 /Foout/ /Tp noext2 /Zi",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for args, reason := range map[string]string{
		"/c /Foone.obj x.cpp x.c": ReasonOneOutput, "/c /Faone.asm x.cpp x.c": ReasonOneOutput, "x.cpp x.c": gnu.ReasonLink,
		"/c x.cpp y.obj": gnu.ReasonLinkerInput, "/c /ZW x.cpp": ReasonCLR,
	} {
		call.Argv, call.Env = append([]string{"cl"}, strings.Fields(args)...), nil
		_, err := New().Members(call)
		if got, _, _ := toolchains.ReasonOf(err); got != reason {
			t.Errorf("%s: %v, want %s", args, err, reason)
		}
	}
}

func TestPrivateDatabase(t *testing.T) {
	dir := tree(t)
	c, err := parse(t, New(), dir, "/nologo /c /Zi /FS /MP4 /Gm- /Fdout/vc.pdb /O2 -FS /Foout/x.obj x.cpp /I inc /link /debug")
	if err != nil {
		t.Fatal(err)
	}
	got, err := PrivateDatabase(c, "o/x.obj", "o/x.0123.pdb")
	if want := "/nologo /c /Zi /O2 /I inc /Foo/x.obj /Fdo/x.0123.pdb x.cpp"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("%q, %v, want %s", got, err, want)
	}
	again, err := parse(t, New(), dir, strings.Join(got, " "))
	if err != nil || again.Microsoft.PDB != "o/x.0123.pdb" || again.Outputs[0].Path != "o/x.obj" {
		t.Errorf("%+v, %v", again, err)
	}
	c, err = parse(t, New(), dir, "/c /Z7 x.cpp")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := PrivateDatabase(c, "x.obj", "x.pdb"); err == nil {
		t.Error("a call without a database gets one")
	}
}

// typical is a call as MSBuild makes it, one word a line.
const typical = "/c\n/I..\\include\n/Zi\n/nologo\n/W3\n/WX-\n/diagnostics:column\n/sdl\n/O2\n/Oi\n/GL-\n/D\nNDEBUG\n/D\n_CONSOLE\n/Gm-\n" +
	"/EHsc\n/MD\n/GS\n/Gy\n/fp:precise\n/permissive-\n/Zc:wchar_t\n/Zc:inline\n/Foout/\n/Fdout/vc143.pdb\n/external:W3\n/Gd\n/TP\n/FS\nx.cpp"

func FuzzParse(f *testing.F) {
	f.Add(typical)
	gnutest.Fuzz(f, New(), toolchain())
}

func FuzzParseClang(f *testing.F) {
	f.Add(typical)
	f.Add("-c\n--target=x86_64-pc-windows-msvc\n-Wno-unused\n-fno-exceptions\n/clang:-MD\n-imsvc\ninc\n--\n/home/x.cpp")
	gnutest.Fuzz(f, NewClang(), toolchain())
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(utf16Text(binary.LittleEndian, "/c x.cpp")))
	f.Add([]byte("\uFEFF/c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, err := decode(data, true)
		if err != nil {
			return
		}
		if again, err := decode([]byte("\uFEFF"+string(text)), false); err != nil || string(again) != string(text) {
			t.Errorf("%q became %q, %v", text, again, err)
		}
	})
}
