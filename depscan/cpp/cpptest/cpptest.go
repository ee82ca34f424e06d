// Package cpptest compares depscan/cpp with real compilers. It makes Compiles
// of plain command lines, without a family's tables, asks compilers for facts,
// and takes the list of files that a compile reads from the compiler itself.
// Only tests use it.
package cpptest

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// separate returns the options whose value is the next word.
func separate() []string {
	return []string{
		"-o", "-x", "-MF", "-MT", "-MQ", "-include", "-imacros", "-isystem", "-iquote", "-idirafter",
		"-iprefix", "-iwithprefix", "-iwithprefixbefore", "-isysroot", "--sysroot", "-iframework", "-Xclang", "-arch",
		"-Xpreprocessor", "-include-pch",
	}
}

// joinable returns the options that may have it in the same word.
func joinable() []string {
	return []string{
		"-I", "-D", "-U", "-F", "-A", "-isystem", "-iquote", "-idirafter", "-include", "-imacros",
		"-iprefix", "-iwithprefixbefore", "-iwithprefix", "-isysroot", "-x", "-Wp,",
	}
}

// Compile makes a Compile of a command line that has one source. env is added
// to an empty environment.
func Compile(dir string, env []string, argv ...string) *toolchains.Compile {
	call := &toolchains.Call{Program: argv[0], Argv: argv, Dir: dir, Env: env}
	if isMicrosoft(argv[0]) {
		return microsoft(call)
	}
	base := filepath.Base(argv[0])
	c := &toolchains.Compile{Call: call, Toolchain: &toolchains.Toolchain{
		Family: "gcc", Program: argv[0], CPlusPlus: strings.Contains(base, "++"),
	}}
	if strings.Contains(base, "clang") {
		c.Toolchain.Family = "clang"
	}
	lang := ""
	for i := 1; i < len(argv); i++ {
		a := parse(argv, &i)
		c.Args = append(c.Args, a)
		switch a.Option {
		case "":
			c.Source = a.Value
		case "-x":
			lang = a.Value
		}
	}
	c.Language = language(c, lang)
	return c
}

func parse(argv []string, i *int) toolchains.Arg {
	w := argv[*i]
	switch {
	case w == "-" || !strings.HasPrefix(w, "-"):
		return toolchains.Arg{Value: w, Form: argtable.Joined, Class: argtable.Source}
	case slices.Contains(separate(), w), slices.Contains(joinable(), w):
		*i++
		return toolchains.Arg{Option: w, Value: argv[*i], Form: argtable.Separate}
	}
	if opt, value, ok := strings.Cut(w, "="); ok && !strings.HasPrefix(w, "-D") && !strings.HasPrefix(w, "-I") && !strings.HasPrefix(w, "-Wp,") {
		return toolchains.Arg{Option: opt + "=", Value: value, Form: argtable.Joined}
	}
	for _, o := range joinable() {
		if strings.HasPrefix(w, o) {
			return toolchains.Arg{Option: o, Value: w[len(o):], Form: argtable.Joined}
		}
	}
	return toolchains.Arg{Option: w, Form: argtable.Flag}
}

func language(c *toolchains.Compile, lang string) string {
	if lang != "" {
		return lang
	}
	switch filepath.Ext(c.Source) {
	case ".S":
		return "assembler-with-cpp"
	case ".cc", ".cpp", ".cxx", ".C":
		return "c++"
	case ".hpp":
		return "c++-header"
	case ".i":
		return "cpp-output"
	case ".m":
		return "objective-c"
	}
	if c.Toolchain.CPlusPlus {
		return "c++"
	}
	return "c"
}

// A Compiler answers by starting the compiler. The zero value is ready.
type Compiler struct {
	mu    sync.Mutex
	facts map[digest.Digest]*toolchains.Facts
	// Starts counts the processes.
	Starts int
}

// flags are the arguments of c that choose a class of Facts.
func flags(c *toolchains.Compile) []string {
	if c.Microsoft != nil {
		return microsoftFlags(c)
	}
	out := []string{"-x", strings.TrimSuffix(c.Language, "-header")}
	for i := range c.Args {
		a := &c.Args[i]
		switch strings.TrimRight(a.Option, "=") {
		case "", "-x", "-o", "-c", "-S", "-E", "-MD", "-MMD", "-MF", "-MT", "-MQ", "-MP", "-MM", "-M",
			"-I", "-iquote", "-isystem", "-idirafter", "-include", "-imacros", "-D", "-U", "-F", "-iframework", "-Wp,",
			"-iprefix", "-iwithprefix", "-iwithprefixbefore", "-I-":
			continue
		}
		out = append(out, a.Words()...)
	}
	return out
}

// class names the compiler, its flags and its directory.
func class(c *toolchains.Compile) digest.Digest {
	b := digest.NewBuilder("cpptest")
	b.String(c.Call.Program)
	b.Strings(flags(c))
	b.String(c.Call.Dir)
	if c.Microsoft != nil {
		b.Strings(microsoftEnv(c))
	}
	return b.Sum()
}

func (k *Compiler) run(ctx context.Context, c *toolchains.Compile, stdin string, args ...string) (string, string, error) {
	k.Starts++
	cmd := exec.CommandContext(ctx, c.Call.Program, append(flags(c), args...)...)
	cmd.Dir = c.Call.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	if c.Microsoft != nil {
		cmd.Env = append(cmd.Env, microsoftEnv(c)...)
	}
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if err != nil {
		err = fmt.Errorf("run %s: %w: %s", c.Call.Program, err, errs.String())
	}
	return out.String(), errs.String(), err
}

// Facts asks for predefined macros and directories in one process.
func (k *Compiler) Facts(ctx context.Context, c *toolchains.Compile) (*toolchains.Facts, error) {
	key := class(c)
	k.mu.Lock()
	defer k.mu.Unlock()
	if f := k.facts[key]; f != nil {
		return f, nil
	}
	questions := []string{"-E", "-v", "-dD", "-"}
	if c.Microsoft != nil {
		questions[2] = "-clang:-dD"
	}
	out, errs, err := k.run(ctx, c, "", questions...)
	if err != nil {
		return nil, err
	}
	f := parseFacts(out, errs)
	if k.facts == nil {
		k.facts = make(map[digest.Digest]*toolchains.Facts)
	}
	k.facts[key] = f
	return f, nil
}

func parseFacts(out, errs string) *toolchains.Facts {
	f := &toolchains.Facts{Predefined: []byte(out)}
	in := false
	for line := range strings.SplitSeq(errs, "\n") {
		switch {
		case strings.HasPrefix(line, "#include <...>"):
			in = true
		case strings.HasPrefix(line, "End of search list"):
			in = false
		case in && strings.HasSuffix(line, " (framework directory)"):
			f.FrameworkDirs = append(f.FrameworkDirs, strings.TrimSpace(strings.TrimSuffix(line, " (framework directory)")))
		case in:
			f.AngleDirs = append(f.AngleDirs, strings.TrimSpace(line))
		case strings.HasPrefix(line, "ignoring nonexistent directory"):
			f.AbsentDirs = append(f.AbsentDirs, strings.Trim(line[len("ignoring nonexistent directory"):], " \""))
		}
	}
	for line := range strings.SplitSeq(out, "\n") { // # 1 "/usr/include/stdc-predef.h" 1 3 4
		_, rest, _ := strings.Cut(line, `"`)
		name, flags, ok := strings.Cut(rest, `"`)
		if strings.HasPrefix(line, "# ") && ok && strings.HasPrefix(flags, " 1") && name[0] == '/' {
			f.Implicit = append(f.Implicit, name)
		}
	}
	return f
}

// expansion are the arguments that expand a text from standard input.
func expansion(c *toolchains.Compile) []string {
	if c.Microsoft != nil {
		return []string{"/EP", "-"}
	}
	return []string{"-E", "-P", "-"}
}

// Answers asks all questions in one process.
func (k *Compiler) Answers(ctx context.Context, c *toolchains.Compile, questions []string) (map[string]int64, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var b strings.Builder
	for i, q := range questions {
		fmt.Fprintf(&b, "\nrexq%d %s\n", i, q)
	}
	out, _, err := k.run(ctx, c, b.String(), expansion(c)...)
	if err != nil {
		return asConditions(ctx, k, c, questions)
	}
	got := make(map[string]int64)
	for line := range strings.SplitSeq(out, "\n") {
		var i int
		var n int64
		if _, err := fmt.Sscanf(strings.TrimRight(line, "L"), "rexq%d %d", &i, &n); err == nil {
			got[questions[i]] = n
		}
	}
	if len(got) < len(questions) {
		return asConditions(ctx, k, c, questions)
	}
	return got, nil
}

// asConditions asks in #ifs, for compilers that know the questions only there.
func asConditions(ctx context.Context, k *Compiler, c *toolchains.Compile, questions []string) (map[string]int64, error) {
	var b strings.Builder
	for i, q := range questions {
		fmt.Fprintf(&b, "#if %s == 0\nrexq%d 0\n", q, i)
		for _, n := range []int{1, 200809, 201304, 201309, 201310, 201411, 201603, 201703, 201803, 201806, 201811, 201904, 201907, 201910, 202002, 202003, 202106, 202202, 202207} {
			fmt.Fprintf(&b, "#elif %s == %d\nrexq%d %d\n", q, n, i, n)
		}
		b.WriteString("#endif\n")
	}
	out, _, err := k.run(ctx, c, b.String(), expansion(c)...)
	if err != nil {
		return nil, err
	}
	got := make(map[string]int64)
	for line := range strings.SplitSeq(out, "\n") {
		var i int
		var n int64
		if _, err := fmt.Sscanf(line, "rexq%d %d", &i, &n); err == nil {
			got[questions[i]] = n
		}
	}
	return got, nil
}

// ReadBy runs c's compiler with -E -MD and returns the files of its dep-file,
// each once, as spelled.
func ReadBy(ctx context.Context, c *toolchains.Compile, system bool) ([]string, error) {
	if c.Microsoft != nil {
		r, err := ReadByMicrosoft(ctx, c)
		if err != nil {
			return nil, err
		}
		return r.Listed, nil
	}
	tmp, err := os.CreateTemp("", "cpptest-*.d")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	tmp.Close()
	md := "-MD"
	if !system {
		md = "-MMD"
	}
	var args []string
	for i := range c.Args {
		switch a := &c.Args[i]; a.Option {
		case "-o", "-c", "-S", "-MD", "-MMD", "-MF", "-MT", "-MQ", "-MP":
		default:
			args = append(args, a.Words()...)
		}
	}
	args = append(args, "-w", "-E", md, "-MF", tmp.Name(), "-MT", "x", "-o", os.DevNull)
	cmd := exec.CommandContext(ctx, c.Call.Program, args...)
	cmd.Dir = c.Call.Dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, c.Call.Env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("run %s: %w: %.300s", c.Call.Program, err, out)
	}
	dep, err := os.ReadFile(tmp.Name())
	return Prerequisites(string(dep)), err
}

// Prerequisites returns the prerequisites of the one rule in dep, each once.
func Prerequisites(dep string) []string {
	dep = strings.ReplaceAll(dep, "\\\n", " ")
	_, dep, _ = strings.Cut(dep, ":")
	dep, _, _ = strings.Cut(dep, "\n")
	var out []string
	seen := make(map[string]bool)
	var word strings.Builder
	flush := func() {
		if w := word.String(); w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
		word.Reset()
	}
	for i := 0; i < len(dep); i++ {
		switch c := dep[i]; {
		case c == ' ':
			flush()
		case c == '\\' && i+1 < len(dep) && (dep[i+1] == ' ' || dep[i+1] == '#'), c == '$' && i+1 < len(dep) && dep[i+1] == '$':
			i++
			word.WriteByte(dep[i])
		default:
			word.WriteByte(c)
		}
	}
	flush()
	return out
}
