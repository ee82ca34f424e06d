package probe

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A class is everything that a compiler's facts depend on.
type class struct {
	key  digest.Digest
	argv []string // the driver and the flags of the class, the language last
	dir  string
	env  []string
	// microsoft is set for clang-cl, which has other names for what it is asked.
	microsoft bool
	// here is set where the facts depend on this machine's processor, so
	// that they are not kept.
	here bool
}

// ignored are the options that decide no fact: what the scanner applies itself,
// what only names or makes files, colours messages or goes to other programs. A
// word is ignored that is one of exact or begins with one of prefixes. Everything
// else counts, warnings too: -Wvla and -pedantic undefine __cpp_runtime_arrays,
// -Wno-deprecated undefines __DEPRECATED, and with
// -fno-asynchronous-unwind-tables, -g defines __GCC_HAVE_DWARF2_CFI_ASM.
type ignored struct{ exact, prefixes []string }

func ignoredOptions() ignored {
	return ignored{
		exact: []string{
			"-c", "-S", "-E", "-P", "-C", "-CC", "-H", "-Q", "-v", "-###", "-pipe", "-time", "-s", "-w", "--",
			"-aux-info", "-wrapper", "-Werror", "-Wno-error", "-no-integrated-cpp", "-include-pch", "-rdynamic",
			"--compile", "--assemble", "--preprocess", "--verbose", "--pipe",
		},
		prefixes: []string{
			"-o", "-x", "--output", "--language", "-M", "--dependencies", "--write-", "--user-dependencies", "-d", "--dump",
			"-save-temps", "--save-temps", "-Wno-error=", "-Wa,", "-Wl,", "-Wp,", "-Xlinker", "-Xassembler", "-Xpreprocessor",
			"-l", "-L", "--library-directory", "--for-linker", "--for-assembler",
			"-D", "--define-macro", "-U", "--undefine-macro", "-A",
			"-I", "--include-directory", "-iquote", "-isystem", "-idirafter", "-iwith", "-iprefix", "-include", "--include",
			"-imacros", "--imacros", "-iframework", "-F", "-cxx-isystem", "-c-isystem", "-objc", "-index-store",
			"-fdump-", "-fopt-info", "-ftime-", "-ftest-coverage", "-fprofile", "-fno-profile", "-fbranch-probabilities",
			"-frandom-seed", "-ffile-prefix-map", "-fdebug-prefix-map", "-fmacro-prefix-map", "-fcoverage-",
			"-fdebug-compilation-dir", "-ffile-compilation-dir", "-fdiagnostics", "-fno-diagnostics", "-fcolor", "-fno-color",
			"-fmessage-length", "-fcaret", "-fno-caret", "-fansi-escape", "-fshow-", "-fno-show-", "-fmax-errors",
			"-ferror-limit", "-fstack-usage", "-fcallgraph-info", "-fsave-optimization-record", "-foptimization-record",
			"-frecord-", "-fsyntax-only", "-fcompare-debug", "-fpch-", "-fno-pch-", "-fbuild-session", "-fcrash-diagnostics",
			"-fsanitize-ignorelist", "-fsanitize-blacklist", "-fdirectives-only", "-fpreprocessed", "-frewrite-",
			"-grecord-", "-gno-record-", "-gsplit-dwarf", "-gz", "--coverage", "-coverage",
		},
	}
}

// readVariables are the environment variables that a driver needs to be the one
// that was resolved, and those that choose a system root. CPATH and its like are
// left out on purpose.
func readVariables() []string {
	return []string{
		"PATH", "COMPILER_PATH", "GCC_EXEC_PREFIX", "LD_LIBRARY_PATH",
		"SDKROOT", "MACOSX_DEPLOYMENT_TARGET", "DEVELOPER_DIR",
	}
}

func (ig *ignored) classOf(c *toolchains.Compile) *class {
	if c.Microsoft != nil {
		return microsoftClass(c)
	}
	cl := &class{argv: []string{c.Toolchain.Program}, env: []string{"LC_ALL=C"}}
	for i := range c.Args {
		arg := &c.Args[i]
		words := ig.relevant(arg)
		if len(words) == 0 {
			continue
		}
		cl.argv = append(cl.argv, words...)
		cl.here = cl.here || toolchains.IsNative(words[0])
		if namesPath(arg) && !filepath.IsAbs(arg.Value) {
			cl.dir = c.Call.Dir
		}
	}
	cl.argv = append(cl.argv, "-x", language(c))
	for _, name := range readVariables() {
		if value, ok := c.Call.Env.Lookup(name); ok {
			cl.env = append(cl.env, name+"="+value)
		}
	}
	if relativeList(c.Call.Env.Value("COMPILER_PATH")) || relativeList(c.Call.Env.Value("GCC_EXEC_PREFIX")) {
		cl.dir = c.Call.Dir
	}
	cl.key = cl.digest(c.Toolchain)
	return cl
}

// digest leaves PATH out: what it leads to is in the toolchain's identity.
func (cl *class) digest(tc *toolchains.Toolchain) digest.Digest {
	b := digest.NewBuilder("toolchains/probe/class")
	b.Digest(tc.Digest)
	b.Strings(cl.argv)
	b.String(cl.dir)
	for _, kv := range cl.env {
		if !strings.HasPrefix(kv, "PATH=") {
			b.String(kv)
		}
	}
	return b.Sum()
}

// relevant returns the words of arg as the class takes them, none for an argument
// that decides nothing.
func (ig *ignored) relevant(arg *toolchains.Arg) []string {
	if arg.Option == "" {
		return nil
	}
	words := arg.Words()
	begins := func(prefix string) bool { return strings.HasPrefix(words[0], prefix) }
	if slices.Contains(ig.exact, words[0]) || slices.ContainsFunc(ig.prefixes, begins) {
		return nil
	}
	// An error for a warning would keep the compiler from answering.
	if warning, ok := strings.CutPrefix(words[0], "-Werror="); ok {
		return []string{"-W" + warning}
	}
	return words
}

// namesPath reports whether arg's value is a path that the facts depend on.
func namesPath(arg *toolchains.Arg) bool {
	if arg.Class.Has(argtable.Path | argtable.InputFile) {
		return true
	}
	switch strings.TrimSuffix(arg.Option, "=") {
	case "--sysroot", "-isysroot", "-B", "--prefix", "-specs", "--specs", "--gcc-toolchain", "-gcc-toolchain",
		"--gcc-install-dir", "-resource-dir", "--config":
		return true
	}
	return false
}

func relativeList(list string) bool {
	if list == "" {
		return false
	}
	return slices.ContainsFunc(filepath.SplitList(list), func(dir string) bool { return !filepath.IsAbs(dir) })
}

// language is the -x spelling under which an empty file gets the compile's facts:
// a header's are its language's.
func language(c *toolchains.Compile) string {
	return strings.TrimSuffix(c.Language, "-header")
}

// questions are the arguments that make the compiler tell its facts.
func (cl *class) questions() []string {
	if cl.microsoft {
		return []string{"-E", "-v", "-clang:-dD"}
	}
	return []string{"-E", "-v", "-dD"}
}

// expansion are the arguments that make it expand a text, without line markers.
func (cl *class) expansion() []string {
	if cl.microsoft {
		return []string{"/EP"}
	}
	return []string{"-E", "-P"}
}

// command is the process that asks something of the class.
func (cl *class) command(stdin []byte, args ...string) toolchains.Command {
	return toolchains.Command{
		Argv:  slices.Concat(cl.argv, args, []string{"-"}),
		Dir:   cl.dir,
		Env:   cl.env,
		Stdin: stdin,
	}
}
