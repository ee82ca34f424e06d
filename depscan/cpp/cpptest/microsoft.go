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

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// microsoftJoined returns the options of clang-cl that have a value, those that may have it
// in the next word first, of two with one beginning the longer one first.
func microsoftJoined() (either, joined []string) {
	return []string{"external:I", "imsvc", "FI", "I", "D", "U"}, []string{"external:env:", "external:", "std:", "Zc:", "Fo", "W"}
}

// isMicrosoft reports whether a program is clang-cl.
func isMicrosoft(program string) bool { return strings.HasPrefix(filepath.Base(program), "clang-cl") }

// microsoft makes a Compile of a command line of clang-cl.
func microsoft(call *toolchains.Call) *toolchains.Compile {
	c := &toolchains.Compile{
		Call: call, Language: "c", Microsoft: &toolchains.Microsoft{},
		Toolchain: &toolchains.Toolchain{Family: toolchains.FamilyClangCL, Program: call.Program},
	}
	for i := 1; i < len(call.Argv); i++ {
		a := parseMicrosoft(call.Argv, &i)
		c.Args = append(c.Args, a)
		switch name := strings.TrimLeft(a.Option, "-/"); {
		case a.Option == "":
			c.Source = a.Value
		case strings.HasPrefix(name, "showIncludes"):
			c.Microsoft.Includes, c.Microsoft.UserIncludes = true, name != "showIncludes"
		}
	}
	forced := func(option string) bool {
		return slices.ContainsFunc(c.Args, func(a toolchains.Arg) bool { return a.Option == option })
	}
	if forced("/TP") || filepath.Ext(c.Source) != ".c" && !forced("/TC") {
		c.Language = "c++"
	}
	return c
}

func parseMicrosoft(argv []string, i *int) toolchains.Arg {
	w := argv[*i]
	if w == "-" || w[0] != '-' && w[0] != '/' {
		return toolchains.Arg{Value: w, Form: argtable.Joined, Class: argtable.Source}
	}
	either, joined := microsoftJoined()
	if slices.Contains(either, w[1:]) {
		*i++
		return toolchains.Arg{Option: w, Value: argv[*i], Form: argtable.Separate}
	}
	for _, name := range slices.Concat(either, joined) {
		if strings.HasPrefix(w[1:], name) && (name != "W" || w[0] == '-') {
			return toolchains.Arg{Option: w[:1+len(name)], Value: w[1+len(name):], Form: argtable.Joined}
		}
	}
	return toolchains.Arg{Option: w, Form: argtable.Flag}
}

// microsoftFlags are the arguments of c that choose a class of Facts.
func microsoftFlags(c *toolchains.Compile) []string {
	out := []string{"/TC"}
	if c.Language == "c++" {
		out[0] = "/TP"
	}
	for i := range c.Args {
		a := &c.Args[i]
		if a.Option == "" {
			continue
		}
		switch a.Option[1:] {
		case "c", "Fo", "I", "external:I", "D", "U", "FI", "showIncludes", "showIncludes:user", "TC", "TP":
		default:
			out = append(out, a.Words()...)
		}
	}
	return out
}

// microsoftEnv is the environment of c without what no Facts depend on.
func microsoftEnv(c *toolchains.Compile) []string {
	return slices.DeleteFunc(slices.Clone([]string(c.Call.Env)), func(kv string) bool {
		name, _, _ := strings.Cut(kv, "=")
		return name == "CPATH" || name == "C_INCLUDE_PATH" || name == "CPLUS_INCLUDE_PATH"
	})
}

// A Reading is what clang-cl tells of the files of a compile.
type Reading struct {
	// Listed is its dep-file's list; Noted are the headers of /showIncludes, as it
	// repeats them.
	Listed, Noted []string
}

// Headers returns Noted sorted, without the source and as Listed spells them.
func (r *Reading) Headers(source string) []string {
	var names []string
	for _, name := range r.Noted {
		for strings.HasPrefix(name, "./") {
			name = strings.TrimLeft(name[2:], "/")
		}
		if name != source {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// ReadByMicrosoft runs the preprocessor of c, a compile of clang-cl.
func ReadByMicrosoft(ctx context.Context, c *toolchains.Compile) (*Reading, error) {
	tmp, err := os.CreateTemp("", "cpptest-*.d")
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name())
	tmp.Close()
	noted, err := preprocess(ctx, c, "/showIncludes", "-clang:-MD", "-clang:-MF"+tmp.Name(), "-clang:-MTx")
	if err == nil && c.Microsoft.UserIncludes { // -MD would change it
		noted, err = preprocess(ctx, c, "/showIncludes:user")
	}
	if err != nil {
		return nil, err
	}
	dep, err := os.ReadFile(tmp.Name())
	return &Reading{Listed: Prerequisites(string(dep)), Noted: noted}, err
}

// preprocess runs the preprocessor of c and returns the headers that it names.
func preprocess(ctx context.Context, c *toolchains.Compile, args ...string) ([]string, error) {
	args = append(args, "/EP")
	for i := range c.Args {
		if a := &c.Args[i]; a.Option == "" || a.Option[1:] != "c" && a.Option[1:] != "Fo" && !strings.HasPrefix(a.Option[1:], "showIncludes") {
			args = append(args, a.Words()...)
		}
	}
	cmd := exec.CommandContext(ctx, c.Call.Program, args...)
	cmd.Dir = c.Call.Dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}, c.Call.Env...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("run %s: %w: %.300s", c.Call.Program, err, errs.String())
	}
	return notedIncludes(errs.String()), nil
}

func notedIncludes(text string) (names []string) {
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(line, "Note: including file:"); ok {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
