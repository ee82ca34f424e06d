package rustc

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

func call(args ...string) *toolchains.Call {
	return &toolchains.Call{Program: "/usr/bin/rustc", Argv: append([]string{"rustc"}, args...), Dir: "/ws"}
}

func host() *toolchains.Toolchain {
	return &toolchains.Toolchain{Family: "rustc", Version: "1.95.0", Target: "x86_64-unknown-linux-gnu"}
}

func paths(outputs []toolchains.Output) []string {
	var out []string
	for _, o := range outputs {
		out = append(out, string(o.Role)+" "+o.Path)
	}
	return out
}

// TestOutputs holds the shapes of cargo's calls.
func TestOutputs(t *testing.T) {
	const tail = "-C metadata=1 -C extra-filename=-0f --out-dir /t/deps -L dependency=/t/deps"
	for _, c := range []struct {
		args string
		want []string
	}{
		{
			"--crate-name syn --edition=2018 /r/syn/src/lib.rs --crate-type lib --emit=dep-info,metadata,link " + tail,
			[]string{"rlib /t/deps/libsyn-0f.rlib", "metadata /t/deps/libsyn-0f.rmeta", "dep-info /t/deps/syn-0f.d"},
		},
		{
			"--crate-name build_script_build build.rs --crate-type bin --emit=dep-info,link " + tail,
			[]string{"bin /t/deps/build_script_build-0f", "dep-info /t/deps/build_script_build-0f.d"},
		},
		{
			"--crate-name m src/lib.rs --crate-type proc-macro --emit=dep-info,link -C prefer-dynamic " + tail + " --extern proc_macro",
			[]string{"proc-macro /t/deps/libm-0f.so", "dep-info /t/deps/m-0f.d"},
		},
		{
			"--crate-name c c.rs --crate-type cdylib --crate-type rlib --emit=dep-info,link --out-dir /t/deps",
			[]string{"cdylib /t/deps/libc.so", "rlib /t/deps/libc.rlib", "dep-info /t/deps/c.d"},
		},
		{
			"--crate-name s s.rs --crate-type staticlib --emit=dep-info,link --out-dir t",
			[]string{"staticlib t/libs.a", "dep-info t/s.d"},
		},
		{"--crate-name h h.rs --emit=dep-info,link --test " + tail, []string{"bin /t/deps/h-0f", "dep-info /t/deps/h-0f.d"}},
		{
			"--crate-name b b.rs --crate-type bin --emit=dep-info,metadata " + tail,
			[]string{"metadata /t/deps/libb-0f.rmeta", "dep-info /t/deps/b-0f.d"},
		},
		{
			"--crate-name b b.rs --crate-type bin --emit=dep-info,metadata -C incremental=/i " + tail,
			[]string{"metadata /t/deps/libb-0f.rmeta", "dep-info /t/deps/b-0f.d"},
		},
		{
			"--crate-name b b.rs --crate-type lib --emit asm,obj,llvm-ir,llvm-bc,mir",
			[]string{"object b.o", "assembly b.s", "llvm-ir b.ll", "llvm-bc b.bc", "mir b.mir"},
		},
		{"--crate-name b b.rs --crate-type bin -o t/x", []string{"bin t/x"}},
		{
			"--crate-name b b.rs --crate-type lib --emit=dep-info=t/b.d,link,metadata=m -o t/x --out-dir u",
			[]string{"rlib t/x", "metadata m", "dep-info t/b.d"},
		},
		{"--crate-name b b.rs --crate-type lib --emit=link=x,dep-info --out-dir u", []string{"rlib x", "dep-info u/b.d"}},
		{"--crate-name b b.rs --crate-type bin -Csplit-debuginfo=packed", []string{"bin b", "dwp b.dwp"}},
		{"--crate-name b b.rs --crate-type cdylib -Csplit_debuginfo=packed", []string{"cdylib libb.so", "dwp libb.so.dwp", "dwp-old libb.dwp"}},
	} {
		got, err := New().Parse(call(strings.Fields(c.args)...), host())
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		if got := paths(got.Outputs); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.args, got, c.want)
		}
	}
}

func TestAside(t *testing.T) {
	const lib = "--crate-name x --crate-type lib x.rs "
	const bin = "--crate-name x --crate-type bin x.rs "
	for _, c := range []struct{ args, reason string }{
		{"-vV", ReasonQuery},
		{"--version --nonsense", ReasonQuery},
		{"- --crate-name ___ --print=file-names --crate-type bin", ReasonQuery},
		{"--explain E0001", ReasonQuery},
		{"-", ReasonStdin},
		{"", ReasonNoSource},
		{lib + "y.rs", ReasonSeveralSources},
		{"x.rs --crate-type lib", ReasonCrateName},
		{"x.rs --crate-name x", ReasonCrateType},
		{lib + "--nonsense", ReasonUnknown},
		{lib + "-q", ReasonUnknown},
		{lib + "--test=1", ReasonUnknown},
		{lib + "-C nonsense=1", ReasonUnknown},
		{lib + "-Z nonsense", ReasonUnstable},
		{lib + "--out-dir", ReasonMissing},
		{lib + "--out-dir a --out-dir b", ReasonRepeated},
		{lib + "--sysroot /s", ReasonSysroot},
		{lib + "-o x", ""},
		{lib + "-o -", ReasonOutputName},
		{lib + "-o x -o y", ReasonRepeated},
		{lib + "--emit=dep-info,link -o x", ReasonOutputName},
		{lib + "--crate-type cdylib -o x", ReasonOutputName},
		{lib + "-o x -Csplit-debuginfo=packed", ReasonSplitDebug},
		{lib + "--emit=link,link=x", ReasonRepeated},
		{lib + "--emit=link=x,link", ReasonRepeated},
		{lib + "--emit=link=-", ReasonEmitFile},
		{lib + "-Cextra-filename=.1", ReasonOutputName},
		{lib + "--emit=metadata=x", ""},
		{lib + "--emit=nonsense", ReasonEmit},
		{lib + "--emit=asm -Ccodegen-units=4", ReasonCodegenUnits},
		{lib + "-C incremental=/i", ReasonIncremental},
		{lib + "--emit=metadata,obj -C incremental=/i", ReasonIncremental},
		{lib + "-Csave-temps", ReasonSaveTemps},
		{lib + "-Csplit-debuginfo=nonsense", ReasonSplitDebug},
		{lib + "-C llvm-args=-load=/x.so", ReasonPlugin},
		{"--crate-name x --crate-type cdylib,dylib x.rs", ReasonSeveralLinks},
		{bin + "--target x86_64-pc-windows-msvc", ReasonTarget},
		{bin + "--target my-linux.json", ReasonTarget},
		{lib + "-Zbinary-dep-depinfo", ReasonUnstable},
		{bin + "-C link-arg=-Wl,-Map=x", ReasonLinkerOption},
		{bin + "-C link-arg=@x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,--version-script=x", ""},
		{bin + "-C link-arg=-fuse-ld=lld", ""},
		{bin + "-C link-arg=-fuse-ld=/x/ld", ReasonLinkerOption},
		{bin + "-C link-arg=--ld-path=/x/ld", ReasonLinkerOption},
		{bin + "-C link-arg=--config=x", ReasonLinkerOption},
		{bin + "-C link-arg=-B -C link-arg=x", ReasonLinkerOption},
		{bin + "-C link-arg=--sysroot=/x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,--retain-symbols-file=x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,--just-symbols,x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,@x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,-lto-obj-path=x", ReasonLinkerOption},
		{bin + "-C link-arg=-Xlinker -C link-arg=-Map=x", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,--rpath", ReasonLinkerOption},
		{bin + "-C link-arg=", ReasonLinkerOption},
		{bin + "-C link-arg=-Wl,-z,now,-rpath,/x,--hash-style=gnu -C link-arg=-no-pie", ""},
		{bin + "-Clink-arg=-Xlinker -Clink-arg=-soname=x -Clink-arg=-lm -Clink-arg=-L -Clink-arg=/x -Clink-arg=-T -Clink-arg=x", ""},
		{lib + "-C link-arg=@x -C linker-flavor=ld", ""},
		{bin + "-C linker-flavor=ld", ReasonLinkerOption},
		{bin + "-C linker-flavor=gcc", ""},
		{bin + "-C linker-plugin-lto=/x/plugin.so", ReasonPlugin},
		{bin + "-C linker-plugin-lto", ""},
		{lib + "--extern y", ReasonExtern},
		{lib + "--extern noprelude:y", ReasonExtern},
		{lib + "--extern proc_macro", ""},
		{lib + "-L native=@RUSTC_BUILTIN/x", ReasonSysroot},
		{bin + "@missing", ReasonResponse},
		{"--crate-name x --crate-type nonsense x.rs", ReasonCrateType},
	} {
		_, err := New().Parse(call(strings.Fields(c.args)...), host())
		if reason, _, _ := toolchains.ReasonOf(err); reason != c.reason {
			t.Errorf("%q: %v, want %q", c.args, err, c.reason)
		}
	}
	logged := call(strings.Fields(lib)...)
	logged.Env = toolchains.Environ{"RUSTC_LOG=info"}
	if _, err := New().Parse(logged, host()); err == nil {
		t.Error("RUSTC_LOG is taken")
	}
}

// TestReading holds the ways in which arguments can be spelled.
func TestReading(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "args")
	if err := os.WriteFile(file, []byte("--cfg\r\nfeature=\"a b\"\n@inner\n-l\nstatic=z"), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := New().Parse(call("-gO", "--crate-name=x", "--crate-type", "lib", "-Lnative=/n", "-L", "/a", "--extern", "noprelude:y=/y.rlib",
		"--extern", "proc_macro", "-Aunused", "--codegen", "opt-level=3", "x.rs"), host())
	if err != nil {
		t.Fatal(err)
	}
	k := c.Crate
	if !slices.Equal(k.Search, []toolchains.SearchDir{{Kind: "native", Dir: "/n"}, {Kind: "all", Dir: "/a"}}) ||
		!slices.Equal(k.Externs, []toolchains.Extern{{Name: "y", Path: "/y.rlib"}}) || !slices.Equal(c.InputFiles, []string{"/y.rlib"}) {
		t.Errorf("%+v, input files %q", k, c.InputFiles)
	}
	var words []string
	for i := range c.Args {
		words = append(words, c.Args[i].Words()...)
	}
	want := []string{
		"-g", "-O", "--crate-name=x", "--crate-type", "lib", "-Lnative=/n", "-L", "/a", "--extern",
		"noprelude:y=/y.rlib", "--extern", "proc_macro", "-Aunused", "--codegen", "opt-level=3", "x.rs",
	}
	if !slices.Equal(words, want) {
		t.Errorf("got %q, want %q", words, want)
	}
	list, expanded, err := expandedWords(call("@" + file))
	if err != nil || !expanded || !slices.Equal(list, []string{"--cfg", `feature="a b"`, "@inner", "-l", "static=z"}) {
		t.Errorf("%q, %v, %v", list, expanded, err)
	}
}

func expandedWords(c *toolchains.Call) ([]string, bool, error) { return words(c, c.Argv[1:]) }

// TestIncrementalVersions checks that metadata is taken for reproducible only
// where it was found to be.
func TestIncrementalVersions(t *testing.T) {
	for version, ok := range map[string]bool{"1.63.0": false, "1.94.1": false, "1.95.0": true, "1.97.0-nightly": true, "": false} {
		tc := host()
		tc.Version = version
		_, err := New().Parse(call("--crate-name", "x", "--crate-type", "lib", "--emit=metadata", "-Cincremental=/i", "x.rs"), tc)
		if (err == nil) != ok {
			t.Errorf("%q: %v", version, err)
		}
	}
}

// TestSplit checks that files of debug information beside the outputs are taken
// where they are the same each time.
func TestSplit(t *testing.T) {
	tc := host()
	tc.Version = "1.63.0"
	args := []string{"--crate-name", "x", "--crate-type", "lib", "-Cextra-filename=-0f", "--out-dir", "o", "-Csplit-debuginfo=unpacked", "x.rs"}
	_, err := New().Parse(call(args...), tc)
	if reason, _, _ := toolchains.ReasonOf(err); reason != ReasonSplitDebug {
		t.Errorf("1.63: %v", err)
	}
	tc.Version = "1.95.0"
	c, err := New().Parse(call(args...), tc)
	if err != nil || c.Crate.Split != "o/x-0f" || c.Carries&toolchains.CarriesOutput == 0 {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err = New().Parse(call(append(args, "--emit=metadata")...), tc); err != nil || c.Crate.Split != "" {
		t.Errorf("metadata: %+v, %v", c, err)
	}
}

// TestDroppedIncremental checks that nothing but -C incremental is dropped, and
// nothing where an argument could be another's value.
func TestDroppedIncremental(t *testing.T) {
	f := WithRules(Rules{DropIncremental: true})
	for _, c := range []struct{ args, want string }{
		{"-C incremental=/i -C debuginfo=2", "-C debuginfo=2"},
		{"-Cincremental=/i --codegen=incremental=/j --codegen incremental=/k", ""},
		{"--cfg incremental=1 -C incremental=/i", "--cfg incremental=1"},
	} {
		const lib = "--crate-name x --crate-type lib x.rs "
		got, err := f.Parse(call(strings.Fields(lib+c.args)...), host())
		if err != nil {
			t.Errorf("%s: %v", c.args, err)
			continue
		}
		want := strings.Fields("rustc " + lib + c.want)
		if !slices.Equal(got.Crate.Argv, want) {
			t.Errorf("%s: %q, want %q", c.args, got.Crate.Argv, want)
		}
		if slices.ContainsFunc(got.Args, func(a toolchains.Arg) bool { return a.Option == optionIncremental }) {
			t.Errorf("%s: still there: %+v", c.args, got.Args)
		}
	}
	for _, args := range []string{"--cfg -C incremental=/i -Cincremental=/i", "-gCincremental=/i"} {
		_, err := f.Parse(call(append(strings.Fields("--crate-name x --crate-type lib x.rs"), strings.Fields(args)...)...), host())
		if reason, _, _ := toolchains.ReasonOf(err); reason != ReasonIncremental && reason != ReasonSeveralSources {
			t.Errorf("%s: %v", args, err)
		}
	}
	tc := host()
	tc.Version = "1.95.0"
	c, err := f.Parse(call("--crate-name", "x", "--crate-type", "lib", "--emit=metadata", "-Cincremental=/i", "x.rs"), tc)
	if err != nil || c.Crate.Argv != nil {
		t.Errorf("metadata that repeats itself: %v, %v", c, err)
	}
}

// TestUncached checks that crates are excluded by their own name and by their
// package's.
func TestUncached(t *testing.T) {
	f := WithRules(Rules{Uncached: []string{"sql-x"}})
	for _, c := range []struct {
		crate, pkg string
		cached     bool
	}{{"sql_x", "", false}, {"build_script_build", "sql-x", false}, {"sql", "sql", true}} {
		one := call("--crate-name", c.crate, "--crate-type", "lib", "x.rs")
		one.Env = toolchains.Environ{"CARGO_PKG_NAME=" + c.pkg}
		_, err := f.Parse(one, host())
		if reason, _, _ := toolchains.ReasonOf(err); (reason == ReasonUncached) == c.cached {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestTargetFile checks that the description of a target is not searched for, and that
// Apple's systems count.
func TestTargetFile(t *testing.T) {
	c := call(strings.Fields("--crate-name x --crate-type lib --target y x.rs")...)
	if _, err := New().Parse(c, host()); err != nil {
		t.Error(err)
	}
	c.Env = toolchains.Environ{"RUST_TARGET_PATH=/x"}
	_, err := New().Parse(c, host())
	if reason, _, _ := toolchains.ReasonOf(err); reason != ReasonTargetFile {
		t.Error(err)
	}
	got, err := New().Parse(call(strings.Fields("--crate-name x --crate-type lib --target aarch64-apple-darwin x.rs")...), host())
	if err != nil || !slices.Contains(got.Env, "MACOSX_DEPLOYMENT_TARGET") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestLinkArguments checks what of the linker's arguments is read and searched.
func TestLinkArguments(t *testing.T) {
	c, err := New().Parse(call("--crate-name", "x", "--crate-type", "bin", "x.rs", "-Clink-arg=-Wl,--version-script=v,-T", "-Clink-arg=-Wl,t",
		"-Clink-args=y.o -Le", "-Clink-args=-Xlinker --library-path -Xlinker f", "-Clink-arg=-fuse-ld=gold"), host())
	if err != nil {
		t.Fatal(err)
	}
	if files, dirs := c.InputFiles, c.Crate.LinkDirs; !slices.Equal(files, []string{"y.o", "v", "t"}) || !slices.Equal(dirs, []string{"e", "f"}) || c.Crate.FuseLd != "-fuse-ld=gold" {
		t.Errorf("files %q, folders %q, linker %q", files, dirs, c.Crate.FuseLd)
	}
}

// TestNative checks that code for the processor at hand is marked, as it may be by the
// description of a target.
func TestNative(t *testing.T) {
	for _, arg := range []string{"-Ctarget-cpu=native", "-Ztune-cpu=native", "-Ctarget_cpu=native", "--target=x.json"} {
		c, err := New().Parse(call("--crate-name", "x", "--crate-type", "lib", arg, "x.rs"), host())
		if err != nil || !c.Crate.Native {
			t.Errorf("%s: %+v, %v", arg, c, err)
		}
	}
}

// TestClippy checks that the path of rustc that cargo gives to clippy-driver is no
// source.
func TestClippy(t *testing.T) {
	c := call("/tc/bin/rustc", "--crate-name", "x", "--crate-type", "lib", "--emit=metadata", "src/lib.rs")
	c.Program = "/tc/bin/clippy-driver"
	got, err := New().Parse(c, host())
	if err != nil || got.Source != "src/lib.rs" || !got.Crate.Clippy || !slices.Contains(got.Env, "CLIPPY_ARGS") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestIncrementalPath checks that the directory is no part of the key, and that
// there is one is.
func TestIncrementalPath(t *testing.T) {
	c, err := New().Parse(call("--crate-name", "x", "--crate-type", "lib", "--emit=metadata", "-C", "incremental=/i", "x.rs"), host())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(c.Args, func(a toolchains.Arg) bool { return a.Class.Has(argtable.Output) })
	if a := c.Args[i]; a.Option != "-Cincremental=" || a.Value != "/i" {
		t.Errorf("%+v", a)
	}
}

func TestReasons(t *testing.T) {
	list := Reasons()
	if !slices.IsSortedFunc(list, func(a, b Reason) int { return strings.Compare(a.Name, b.Name) }) {
		t.Error("not sorted")
	}
}
