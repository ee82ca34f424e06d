//go:build linux

package rust

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A change is made between two compiles of one call. The second one must then be
// what the bare compiler makes of the changed state, and a hit only where hit says
// so.
type change struct {
	name  string
	files string // in txtar form
	prep  string // compiles before the first one, a line each, with the bare compiler
	args  string // of the compile
	env   []string
	// then are the arguments of the second compile where they are others, and
	// thenEnv its variables.
	then    string
	thenEnv []string
	begin   func(s *site) // beside writing files
	change  func(s *site)
	hit     bool
	never   bool // the first compile is no entry either
	differs bool // the bare compiler makes other bytes each time
}

const (
	emitLib  = " --crate-type lib --emit=dep-info,metadata,link --error-format=json --json=diagnostic-rendered-ansi,artifacts --out-dir o -L dependency=o"
	emitBin  = " --crate-type bin --emit=dep-info,link --error-format=json --json=artifacts --out-dir o -L dependency=o"
	emitLibP = " --crate-type lib --emit=dep-info,metadata,link --error-format=json --json=diagnostic-rendered-ansi,artifacts --out-dir p -L dependency=p"
	onlyLib  = "-- x.rs --\npub fn f() -> u8 { 1 }\nfn unused() {}\n"
	macros   = `
-- m.rs --
extern crate proc_macro;
use proc_macro::TokenStream;
#[proc_macro] pub fn who(_: TokenStream) -> TokenStream {
    format!("{:?}", std::env::var("WHO").ok()).replace("\"", "'").replace("Some('", "Some(\"").replace("')", "\")").parse().unwrap()
}
#[proc_macro] pub fn file(_: TokenStream) -> TokenStream {
    format!("{:?}", std::fs::read_to_string("who.txt").unwrap_or_default()).parse().unwrap()
}
#[proc_macro] pub fn count(_: TokenStream) -> TokenStream {
    format!("{}usize", std::fs::read_dir("data").unwrap().count()).parse().unwrap()
}
fn beside(name: &str) -> std::path::PathBuf {
    let mut dir = std::env::current_dir().unwrap().into_os_string();
    dir.push("-beside");
    std::path::Path::new(&dir).join(name)
}
#[proc_macro] pub fn far_file(_: TokenStream) -> TokenStream {
    format!("{:?}", std::fs::read_to_string(beside("who.txt")).unwrap_or_default()).parse().unwrap()
}
#[proc_macro] pub fn far_count(_: TokenStream) -> TokenStream {
    format!("{}usize", std::fs::read_dir(beside("data")).map_or(0, |d| d.count())).parse().unwrap()
}
#[proc_macro] pub fn far_is(_: TokenStream) -> TokenStream {
    format!("{}", beside("who.txt").exists()).parse().unwrap()
}
#[proc_macro] pub fn far_real(_: TokenStream) -> TokenStream {
    let path = std::fs::canonicalize(beside("link")).unwrap();
    format!("{:?}", path.file_name().unwrap()).parse().unwrap()
}
#[proc_macro] pub fn far_time(_: TokenStream) -> TokenStream {
    let time = std::fs::metadata(beside("who.txt")).unwrap().modified().unwrap();
    format!("{}u64", time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).parse().unwrap()
}
#[proc_macro] pub fn program(_: TokenStream) -> TokenStream {
    let said = std::process::Command::new("/bin/echo").arg("1u8").output().unwrap().stdout;
    String::from_utf8(said).unwrap().parse().unwrap()
}
#[proc_macro] pub fn network(_: TokenStream) -> TokenStream {
    format!("{}", std::net::TcpStream::connect("127.0.0.1:1").is_ok()).parse().unwrap()
}
#[proc_macro] pub fn processor(_: TokenStream) -> TokenStream {
    format!("{}usize", std::fs::read_to_string("/proc/cpuinfo").unwrap().len()).parse().unwrap()
}
#[proc_macro] pub fn random(_: TokenStream) -> TokenStream {
    use std::io::Read;
    let mut byte = [0u8];
    std::fs::File::open("/dev/urandom").unwrap().read_exact(&mut byte).unwrap();
    "1u8".parse().unwrap() // for the bytes to be comparable
}
#[proc_macro] pub fn writes(_: TokenStream) -> TokenStream {
    std::fs::write("written", "x").unwrap();
    "1u8".parse().unwrap()
}
`
	nativeLib  = "-- n.c --\nint n(void) { return 1; }\n-- x.rs --\nextern \"C\" { fn n() -> i32; }\npub fn f() -> i32 { unsafe { n() } }\n"
	nativeMain = "-- n.c --\nint n(void) { return 1; }\n-- x.rs --\nextern \"C\" { fn n() -> i32; }\nfn main() { std::process::exit(unsafe { n() }) }\n"
	// deafLinker is one that does not know the option by which others list files.
	deafLinker = `#include <string.h>
#include <unistd.h>
int main(int n, char **v)
{
	for (int i = 1; i < n; i++)
		if (strncmp(v[i], "--dependency-file", 17) == 0 || strcmp(v[i], "--help") == 0)
			return 1;
	return execv("/usr/bin/ld.bfd", v);
}
`
	buildMacros = "--crate-name m m.rs --crate-type proc-macro --emit=link --out-dir o -Cextra-filename=-00000000000000aa --extern proc_macro"
	withMacros  = " --extern m=" + macroLibrary
	// macroLibrary is what buildMacros makes.
	macroLibrary = "o/libm-00000000000000aa.so"
)

// besideWrites writes a file that is not of the package.
func besideWrites(name, text string) func(*site) {
	return func(s *site) { s.write("../"+filepath.Base(s.dir)+"-beside/"+name, text) }
}

// besideLinks makes a symbolic link there, or another one.
func besideLinks(target, name string) func(*site) {
	return func(s *site) {
		s.remove("../" + filepath.Base(s.dir) + "-beside/" + name)
		if err := os.Symlink(target, s.dir+"-beside/"+name); err != nil {
			s.t.Fatal(err)
		}
	}
}

// besideTouched gives a file there another modification time.
func besideTouched(name string) func(*site) {
	return func(s *site) {
		at := time.Date(2020, 2, 2, 2, 2, 2, 0, time.UTC)
		if err := os.Chtimes(s.dir+"-beside/"+name, at, at); err != nil {
			s.t.Fatal(err)
		}
	}
}

// both does one thing after the other.
func both(a, b func(*site)) func(*site) { return func(s *site) { a(s); b(s) } }

// macroUse is a source that uses a macro.
func macroUse(constant string) string {
	return macros + "-- x.rs --\npub const W: " + constant + "!();\n"
}

func writes(name, text string) func(*site) { return func(s *site) { s.write(name, text) } }

func changes() []change {
	return []change{
		{name: "nothing", files: onlyLib, args: "--crate-name x x.rs" + emitLib, hit: true},
		{
			name: "source", files: onlyLib, args: "--crate-name x x.rs" + emitLib,
			change: writes("x.rs", "pub fn f() -> u8 { 2 }\n"),
		},
		{
			name: "out-dir", files: onlyLib + "-- p/x --\n", args: "--crate-name x x.rs" + emitLib,
			then: "--crate-name x x.rs" + strings.Replace(emitLib, "--out-dir o", "--out-dir p", 1), hit: true,
		},
		{
			name:  "another target directory",
			files: "-- a.rs --\npub fn a() -> u8 { 1 }\n-- b.rs --\npub use a::a;\n-- x.rs --\npub use b::a;\nfn unused() {}\n-- p/CACHEDIR.TAG --\n",
			prep: "--crate-name a a.rs -Cextra-filename=-00000000000000aa" + emitLib +
				"\n--crate-name b b.rs -Cextra-filename=-00000000000000bb --extern a=o/liba-00000000000000aa.rmeta" + emitLib +
				"\n--crate-name a a.rs -Cextra-filename=-00000000000000aa" + emitLibP +
				"\n--crate-name b b.rs -Cextra-filename=-00000000000000bb --extern a=p/liba-00000000000000aa.rmeta" + emitLibP,
			args: "--crate-name x x.rs --extern b=o/libb-00000000000000bb.rmeta" + emitLib,
			then: "--crate-name x x.rs --extern b=p/libb-00000000000000bb.rmeta" + emitLibP, hit: true,
		},
		{
			name: "cap-lints", files: onlyLib, args: "--crate-name x x.rs" + emitLib,
			then: "--crate-name x x.rs --cap-lints allow" + emitLib,
		},
		{
			name: "denied warnings", files: onlyLib, args: "--crate-name x x.rs" + emitLib,
			then: "--crate-name x x.rs -D warnings" + emitLib,
		},
		{
			name: "words that concatenate alike", files: onlyLib, args: "--crate-name x x.rs --cfg ab --cfg c" + emitLib,
			then: "--crate-name x x.rs --cfg a --cfg bc" + emitLib,
		},
		{
			name: "optimisation", files: onlyLib, args: "--crate-name x x.rs" + emitLib, then: "--crate-name x x.rs -O" + emitLib,
		},
		{
			name: "macro reads a variable", files: macros + "-- x.rs --\npub const W: Option<&str> = m::who!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, env: []string{"WHO=a"}, thenEnv: []string{"WHO=b"},
		},
		{
			name: "macro reads a variable that was unset", files: macros + "-- x.rs --\npub const W: Option<&str> = m::who!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, thenEnv: []string{"WHO=b"},
		},
		{
			name: "variables of the shell beside a macro", files: macros + "-- x.rs --\npub const W: Option<&str> = m::who!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, thenEnv: []string{"SHLVL=7", "OLDPWD=/", "CARGO_MAKEFLAGS=-j9"}, hit: true,
		},
		{
			name: "macro reads a file", files: macros + "-- who.txt --\na\n-- x.rs --\npub const W: &str = m::file!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, change: writes("who.txt", "b\n"),
		},
		{
			name: "macro reads a file that comes", files: macros + "-- x.rs --\npub const W: &str = m::file!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, change: writes("who.txt", "b\n"),
		},
		{
			name: "macro lists a folder", files: macros + "-- data/a --\n-- x.rs --\npub const W: usize = m::count!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, change: writes("data/b", ""),
		},
		{
			name: "macro reads a file elsewhere", files: macroUse("&str = m::far_file"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("who.txt", "a\n"), change: besideWrites("who.txt", "b\n"),
		},
		{
			name: "macro reads a file elsewhere that comes", files: macroUse("&str = m::far_file"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, change: besideWrites("who.txt", "b\n"),
		},
		{
			name: "macro asks for a file elsewhere that comes", files: macroUse("bool = m::far_is"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("x", ""), change: besideWrites("who.txt", "b\n"),
		},
		{
			name: "macro asks for a file elsewhere, and a folder comes", files: macroUse("bool = m::far_is"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("x", ""), change: besideWrites("who.txt/x", ""),
		},
		{
			name: "macro takes the time of a file elsewhere", files: macros + "-- x.rs --\npub static W: u64 = m::far_time!();\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("who.txt", "a\n"), change: besideTouched("who.txt"),
		},
		{
			name: "macro reads a file elsewhere, whose time changes", files: macroUse("&str = m::far_file"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("who.txt", "a\n"), change: besideTouched("who.txt"), hit: true,
		},
		{
			name: "macro reads a link elsewhere", files: macroUse("&str = m::far_real"), prep: buildMacros,
			args:  "--crate-name x x.rs" + emitLib + withMacros,
			begin: both(both(besideWrites("a", ""), besideWrites("b", "")), besideLinks("a", "link")), change: besideLinks("b", "link"),
		},
		{
			name: "macro lists a folder elsewhere", files: macroUse("usize = m::far_count"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("data/a", ""), change: besideWrites("data/b", ""),
		},
		{
			name: "macro lists a folder elsewhere whose file changes", files: macroUse("usize = m::far_count"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, begin: besideWrites("data/a", ""), change: besideWrites("data/a", "b"), hit: true,
		},
		{
			name: "a file of the package that no macro reads", files: macroUse("usize = m::far_count"), prep: buildMacros,
			args: "--crate-name x x.rs" + emitLib + withMacros, change: writes("README", "b"), hit: true,
		},
		{name: "macro starts a program", files: macroUse("u8 = m::program"), prep: buildMacros, args: "--crate-name x x.rs" + emitLib + withMacros, never: true},
		{name: "macro connects", files: macroUse("bool = m::network"), prep: buildMacros, args: "--crate-name x x.rs" + emitLib + withMacros, never: true},
		{name: "macro looks at the processor", files: macroUse("usize = m::processor"), prep: buildMacros, args: "--crate-name x x.rs" + emitLib + withMacros, never: true},
		{name: "macro draws lots", files: macroUse("u8 = m::random"), prep: buildMacros, args: "--crate-name x x.rs" + emitLib + withMacros, never: true},
		{name: "macro writes a file", files: macroUse("u8 = m::writes"), prep: buildMacros, args: "--crate-name x x.rs" + emitLib + withMacros, never: true},
		{
			name: "macro reads a file, and a linker runs", files: macros + "-- x.rs --\nconst W: &str = m::far_file!();\nfn main() { print!(\"{}\", W) }\n", prep: buildMacros,
			args: "--crate-name x x.rs" + emitBin + withMacros, begin: besideWrites("who.txt", "a\n"), change: besideWrites("who.txt", "b\n"),
		},
		{
			name:  "a macro of a crate that this crate does not name",
			files: macros + "-- y.rs --\npub use m::who;\n-- x.rs --\npub const W: Option<&str> = y::who!();\n",
			prep:  buildMacros + "\n--crate-name y y.rs -Cextra-filename=-00000000000000bb" + emitLib + withMacros,
			args:  "--crate-name x x.rs --extern y=o/liby-00000000000000bb.rmeta" + emitLib, env: []string{"WHO=a"}, thenEnv: []string{"WHO=b"},
		},
		{
			name: "env! changes", files: "-- x.rs --\npub const D: &str = env!(\"OUT_DIR\");\n", args: "--crate-name x x.rs" + emitLib,
			env: []string{"OUT_DIR=/a"}, thenEnv: []string{"OUT_DIR=/b"},
		},
		{
			name: "option_env! is set", files: "-- x.rs --\npub const D: Option<&str> = option_env!(\"MAYBE\");\n", args: "--crate-name x x.rs" + emitLib,
			thenEnv: []string{"MAYBE=1"},
		},
		{
			name: "option_env! is set to nothing", files: "-- x.rs --\npub const D: Option<&str> = option_env!(\"MAYBE\");\n", args: "--crate-name x x.rs" + emitLib,
			thenEnv: []string{"MAYBE="},
		},
		{
			name: "a value of several lines", files: "-- x.rs --\npub const D: &str = env!(\"LINES_OF\");\n", args: "--crate-name x x.rs" + emitLib,
			env: []string{"LINES_OF=a\nb\\n\rc"}, hit: true,
		},
		{
			name: "a variable that nobody asks for", files: onlyLib, args: "--crate-name x x.rs" + emitLib,
			env: []string{"OTHER=1"}, thenEnv: []string{"OTHER=2"}, hit: true,
		},
		{
			name: "an included file", files: "-- x.rs --\npub const T: &str = include_str!(\"t\");\n-- t --\na\n", args: "--crate-name x x.rs" + emitLib,
			change: writes("t", "b\n"),
		},
		{
			name: "a module gets a second file", files: "-- x.rs --\npub mod a;\n-- a.rs --\n", args: "--crate-name x x.rs" + emitLib,
			change: writes("a/mod.rs", ""),
		},
		{
			name: "an indirect crate", files: "-- a.rs --\npub fn a() -> u8 { 1 }\n-- b.rs --\npub use a::a;\n-- x.rs --\nfn main() { std::process::exit(b::a() as i32) }\n",
			prep: "--crate-name a a.rs -Cextra-filename=-00000000000000aa" + emitLib +
				"\n--crate-name b b.rs -Cextra-filename=-00000000000000bb --extern a=o/liba-00000000000000aa.rmeta" + emitLib,
			args: "--crate-name x x.rs --extern b=o/libb-00000000000000bb.rlib" + emitBin,
			change: func(s *site) {
				s.write("a.rs", "pub fn a() -> u8 { 2 }\n")
				s.compile("--crate-name a a.rs -Cextra-filename=-00000000000000aa" + emitLib)
				s.compile("--crate-name b b.rs -Cextra-filename=-00000000000000bb --extern a=o/liba-00000000000000aa.rmeta" + emitLib)
			},
		},
		{
			name: "a static library", files: "-- n.c --\nint n(void) { return 1; }\n-- x.rs --\nextern \"C\" { fn n() -> i32; }\npub fn f() -> i32 { unsafe { n() } }\n",
			args: "--crate-name x x.rs -L native=o -l static=n" + emitLib,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 2; }\n")
				s.archive()
			},
		},
		{
			name: "a library in front of the one that is linked", files: "-- e/x --\n-- n.c --\nint n(void) { return 1; }\n-- x.rs --\nextern \"C\" { fn n() -> i32; }\nfn main() { std::process::exit(unsafe { n() }) }\n",
			args: "--crate-name x x.rs -L native=e -L native=o -l n" + emitBin,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 3; }\n")
				s.archiveIn("e")
			},
		},
		{
			name: "a shared library beside the archive that is linked", files: nativeMain, args: "--crate-name x x.rs -L native=o -l n" + emitBin,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 3; }\n")
				s.command("cc", "-shared", "-fPIC", "n.c", "-o", "o/libn.so")
			},
		},
		{
			name: "a library in front, in a folder that only the linker is told", files: "-- e/x --\n" + nativeMain,
			args: "--crate-name x x.rs -C link-args=-Le -C link-arg=-Lo -C link-arg=-ln" + emitBin,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 3; }\n")
				s.archiveIn("e")
			},
		},
		{
			name: "a static library behind another file of its name", files: "-- e/n --\n" + nativeLib,
			args: "--crate-name x x.rs -L native=e -L native=o -l static=n" + emitLib,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 2; }\n")
				s.archive()
			},
		},
		{
			name: "a static library that is named by its file", files: nativeLib + "-- o/liblibn.a.a --\n", env: []string{"RUSTC_BOOTSTRAP=1"},
			args: "--crate-name x x.rs -Zunstable-options -L native=o -l static:+verbatim=libn.a" + emitLib,
			change: func(s *site) {
				s.write("n.c", "int n(void) { return 2; }\n")
				s.archive()
			},
		},
		{
			name:  "a static library that an attribute names, beside one of the arguments",
			files: "-- k.c --\nint k(void) { return 1; }\n" + nativeLib + "#[link(name = \"k\", kind = \"static\")] extern \"C\" { pub fn k() -> i32; }\n",
			args:  "--crate-name x x.rs -L native=o -l static=n" + emitLib, never: true,
			begin: func(s *site) {
				s.command("cc", "-fPIC", "-c", "k.c", "-o", "k.o")
				s.command("ar", "crsD", "o/libk.a", "k.o")
			},
		},
		{
			name:  "a crate in two folders, of which the source knows the name",
			files: "-- e/CACHEDIR.TAG --\n-- a.rs --\npub fn a() -> u8 { 1 }\n-- x.rs --\nextern crate a;\npub fn f() -> u8 { a::a() }\n",
			prep:  "--crate-name a a.rs" + emitLib, args: "--crate-name x x.rs -L e -L o" + emitLib,
			change: func(s *site) {
				s.write("a.rs", "pub fn a() -> u8 { 2 }\n")
				s.compile("--crate-name a a.rs" + strings.ReplaceAll(emitLib, " o", " e"))
			},
		},
		{
			name:  "an included file in a folder that only one of the calls searches",
			files: "-- g/y.rs --\npub const Y: u8 = 1;\n-- h/y.rs --\npub const Y: u8 = 1;\n-- x.rs --\ninclude!(\"g/y.rs\");\n",
			args:  "--crate-name x x.rs -L native=g" + emitLib, then: "--crate-name x x.rs -L native=h" + emitLib,
			change: writes("g/y.rs", "pub const Y: u8 = 2;\n"),
		},
		{
			name: "a file that the assembler includes", files: "-- t --\na\n-- x.rs --\nstd::arch::global_asm!(\".section .rodata\", \".incbin \\\"t\\\"\", \".text\");\n",
			args: "--crate-name x x.rs" + emitLib, never: true,
		},
		{
			name: "a script for the linker", files: "-- v --\n{ f; };\n-- x.rs --\nfn main() {}\n", args: "--crate-name x x.rs -C link-arg=-Wl,--dynamic-list=v" + emitBin,
			change: writes("v", "{ g; };\n"),
		},
		{
			name: "a linker that lists nothing", files: "-- x.rs --\nfn main() {}\n-- l.c --\n" + deafLinker,
			args: "--crate-name x x.rs -C link-arg=-fuse-ld=lld" + emitBin, env: []string{"COMPILER_PATH=e"}, never: true,
			begin: func(s *site) {
				s.write("e/x", "")
				s.command("cc", "l.c", "-o", "e/ld.lld")
			},
		},
		{
			name: "a source behind the end of options", files: "-- x.rs --\nfn main() {}\n", args: "--crate-name x" + emitBin + " -- x.rs", hit: true,
		},
		{
			name: "link arguments", files: "-- x.rs --\nfn main() {}\n", args: "--crate-name x x.rs" + emitBin,
			then: "--crate-name x x.rs -C link-arg=-Wl,--build-id=sha1" + emitBin,
		},
		{
			name: "another linker", files: "-- x.rs --\nfn main() {}\n", args: "--crate-name x x.rs" + emitBin,
			then: "--crate-name x x.rs -C linker=clang" + emitBin,
		},
		{
			name: "incremental compiles that are dropped", files: onlyLib, args: "--crate-name x x.rs -C incremental=i" + emitLib,
			env: []string{"REXWRAP_RUST_INCREMENTAL=drop"}, then: "--crate-name x x.rs" + emitLib, hit: true, differs: true,
		},
		{
			name: "a crate that is not to be cached", files: onlyLib, args: "--crate-name x x.rs" + emitLib,
			env: []string{"REXWRAP_RUST_UNCACHED=y,x"}, never: true,
		},
		{
			name: "code for this processor", files: onlyLib, args: "--crate-name x x.rs -C target-cpu=native" + emitLib,
			hit: true,
		},
		{
			name: "code for another processor", files: onlyLib, args: "--crate-name x x.rs -C target-cpu=native" + emitLib,
			then: "--crate-name x x.rs" + emitLib,
		},
		{name: "code that is made incrementally", files: onlyLib, args: "--crate-name x x.rs -C incremental=i" + emitLib, never: true},
		{ // of rustc 1.63 they differ from run to run
			name: "metadata that is made incrementally", files: onlyLib,
			args: "--crate-name x x.rs -C incremental=i --crate-type lib --emit=dep-info --out-dir o", never: true,
		},
		{
			name: "split debug information", files: onlyLib, args: "--crate-name x x.rs -g -Zunstable-options -Csplit-debuginfo=unpacked" + emitLib,
			env: []string{"RUSTC_BOOTSTRAP=1"}, never: true, differs: true,
		},
		{
			name: "a link that fails", files: "-- x.rs --\nextern \"C\" { fn nope(); }\nfn main() { unsafe { nope() } }\n",
			args: "--crate-name x x.rs -Ccodegen-units=1" + emitBin, never: true, differs: true,
		},
		{name: "a compile that fails", files: "-- x.rs --\npub fn f() -> NoSuchType {}\n", args: "--crate-name x x.rs" + emitLib, never: true},
		{
			name: "a name of the caller's own", files: onlyLib, args: "--crate-name x x.rs -o o/libx.y --crate-type lib --emit=dep-info=o/x.e,link",
			hit: true,
		},
		{
			name: "another name of the caller's own", files: onlyLib, args: "--crate-name x x.rs --crate-type lib --emit=dep-info=o/x.e,link=o/libx.y",
			then: "--crate-name x x.rs --crate-type lib --emit=dep-info=o/x.e,link=o/libx.z",
		},
		{
			name: "a program with a name of the caller's own", files: "-- x.rs --\nfn main() {}\n",
			args: "--crate-name x x.rs --crate-type bin -o o/x.y --emit=dep-info=o/x.d,link", hit: true,
		},
	}
}

// compile runs the bare compiler, which must succeed.
func (s *site) compile(args string) {
	s.t.Helper()
	if r := s.run(s.bare(), append([]string{rustc, "--edition=2018"}, strings.Fields(args)...)...); r.Status != 0 {
		s.t.Fatalf("%s: %s\n%s", args, r.Ended(), r.Stderr)
	}
}

// library returns the library of macros, made once.
func (s *site) library() string {
	s.t.Helper()
	path := filepath.Join(s.dir, macroLibrary)
	if _, err := os.Stat(path); err != nil {
		for _, f := range txtar.Parse([]byte(strings.TrimPrefix(macros, "\n"))).Files {
			s.write(f.Name, string(f.Data))
		}
		s.compile(buildMacros)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// archive makes o/libn.a of n.c.
func (s *site) archive() { s.archiveIn("o") }

func (s *site) archiveIn(dir string) {
	s.t.Helper()
	s.command("cc", "-fPIC", "-c", "n.c", "-o", "n.o")
	s.command("ar", "crsD", dir+"/libn.a", "n.o")
}

// command runs one that must succeed.
func (s *site) command(argv ...string) {
	s.t.Helper()
	if r := s.run(s.bare(), argv...); r.Status != 0 {
		s.t.Fatalf("%q: %s\n%s", argv, r.Ended(), r.Stderr)
	}
}

// outcome is all that a compile leaves.
type outcome struct {
	ended, stdout, stderr string
	files                 []string
}

// call compiles into empty folders, bare or through rexwrap.
func (s *site) call(env []string, args string, through ...string) outcome {
	s.t.Helper()
	argv := slices.Concat(through, []string{rustc, "--edition=2018"}, strings.Fields(args))
	s.remove("i")
	for _, pattern := range []string{"[op]/libx.*", "[op]/x", "[op]/x.*"} {
		made, err := filepath.Glob(filepath.Join(s.dir, pattern))
		if err != nil {
			s.t.Fatal(err)
		}
		for _, path := range made {
			if err := os.Remove(path); err != nil {
				s.t.Fatal(err)
			}
		}
	}
	r := s.run(env, argv...)
	// Folders for temporary files have names of their own each time.
	stderr := regexp.MustCompile(`/rustc[A-Za-z0-9]{6}/`).ReplaceAllString(string(r.Stderr), "/rustc/")
	return outcome{r.Ended(), string(r.Stdout), stderr, append(s.artefacts("o"), s.artefactsIf("p")...)}
}

func (s *site) artefactsIf(dir string) []string {
	if match, err := filepath.Glob(filepath.Join(s.dir, dir)); err != nil || len(match) == 0 {
		return nil
	}
	return s.artefacts(dir)
}

// check compares an outcome with the bare compiler's.
func (s *site) check(step string, want, got outcome) {
	s.t.Helper()
	if want.ended != got.ended || want.stdout != got.stdout || want.stderr != got.stderr {
		s.t.Errorf("%s: got %s\n%s%s\nwant %s\n%s%s", step, got.ended, got.stdout, got.stderr, want.ended, want.stdout, want.stderr)
	}
	for _, line := range differences(want.files, got.files) {
		s.t.Errorf("%s: %s", step, line)
	}
}

// TestListRefused has a linker fail that was asked for a list of its files, though it
// says that it can make one: what is built is what would be without.
func TestListRefused(t *testing.T) {
	text := strings.NewReplacer(`strcmp(v[i], "--help") == 0`, `0`, "return 1;", `return dprintf(2, "cannot write %s\n", v[i]), 1;`).Replace(deafLinker)
	s := newSite(t, &txtar.Archive{Files: []txtar.File{
		{Name: "l.c", Data: []byte("#include <stdio.h>\n" + text)}, {Name: "e/x"}, {Name: "o/x.d"}, {Name: "x.rs", Data: []byte("fn main() {}\n")},
	}})
	s.command("cc", "l.c", "-o", "e/ld.lld")
	s.start()
	env, args := "COMPILER_PATH=e", "--crate-name x x.rs -C link-arg=-fuse-ld=lld"+emitBin
	want, got := s.call(s.bare(env), args), s.call(s.wrapped(env), args, filepath.Join(bin, "rexwrap"))
	if got.ended != want.ended || !slices.Equal(got.files, want.files) {
		t.Errorf("%s\n%s\n%q, want %q", got.ended, got.stderr, got.files, want.files)
	}
}

// TestChanges holds what must not go unnoticed, and what should.
func TestChanges(t *testing.T) {
	t.Parallel()
	all := newSite(t, &txtar.Archive{Files: []txtar.File{{Name: "o/CACHEDIR.TAG"}}})
	for i, c := range changes() {
		if !rig.Part(3).Takes(i) {
			continue
		}
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			s := all.beside(t, strconv.Itoa(i), txtar.Parse([]byte(strings.TrimPrefix(c.files, "\n")+"-- o/CACHEDIR.TAG --\n")))
			if strings.Contains(c.files, "-- n.c --") {
				s.archive()
			}
			if c.begin != nil {
				c.begin(s)
			}
			for line := range strings.Lines(c.prep) {
				if strings.TrimSpace(line) == buildMacros {
					s.write(macroLibrary, all.library())
					continue
				}
				s.compile(line)
			}
			if err := rig.Age(s.dir); err != nil {
				t.Fatal(err)
			}
			wrapper := filepath.Join(bin, "rexwrap")
			step := func(name string, env []string, args string) {
				t.Helper()
				want, got := s.call(s.bare(env...), args), s.call(s.wrapped(env...), args, wrapper)
				if c.differs {
					want.files, got.files = nil, nil
				}
				s.check(name, want, got)
			}
			step("first", c.env, c.args)
			before := s.stats()
			step("again", c.env, c.args)
			if hits := s.hits(before); (hits == 1) == c.never {
				t.Errorf("the same again: %d hits: %+v", hits, s.stats().Sub(before))
			}
			if c.change != nil {
				c.change(s)
			}
			args, env := c.args, c.env
			if c.then != "" {
				args = c.then
			}
			if c.thenEnv != nil {
				env = c.thenEnv
			}
			before = s.stats()
			step("changed", env, args)
			if hits := s.hits(before); (hits == 1) != c.hit {
				t.Errorf("changed: %d hits, want hit %v", hits, c.hit)
			}
		})
	}
}
