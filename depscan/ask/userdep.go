package ask

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/depscan/depfile"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// userDep returns the text of the user's dep-file for a run whose own list is
// listed. g is what is known of these files, nil for nothing.
func (p *Plan) userDep(ctx context.Context, listed []string, g *gathering) []byte {
	names := listed
	if !p.c.Dep.System {
		names = p.userNames(ctx, listed, g)
	}
	f := &depfile.File{Targets: p.c.Dep.Targets, Prereqs: names}
	if p.c.Dep.Phony && len(names) > 1 {
		f.Phony = names[1:]
	}
	return p.style().Append(nil, f)
}

// style returns how the compiler writes dep-files.
func (p *Plan) style() depfile.Style {
	switch {
	case p.c.Toolchain.Family != "clang":
		return depfile.GCC
	case major(p.c.Toolchain.Version) <= 14:
		return depfile.Clang14
	}
	return depfile.Clang
}

// major returns the first number of a version, 0 for none.
func major(version string) int {
	first, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(first)
	return n
}

// userNames returns what -MMD would list. It is made of the full list, or asked
// for where that does not decide it. If neither is possible the list names headers
// too many, never too few.
func (p *Plan) userNames(ctx context.Context, listed []string, g *gathering) []string {
	var names []string
	if g != nil && g.searched {
		var sure bool
		if names, sure = g.tree.userNames(listed); sure {
			return names
		}
	}
	if asked, err := p.askUserNames(ctx); err == nil {
		return asked
	}
	if names == nil {
		return listed
	}
	return names
}

// askUserNames has the preprocessor make the user's list.
func (p *Plan) askUserNames(ctx context.Context) ([]string, error) {
	if p.asker.run == nil {
		return nil, errNoRunner
	}
	return preprocess(ctx, p.c, p.asker.run, "-MMD", p.list+".user")
}

// errNoRunner is why the preprocessor is not asked.
var errNoRunner = errors.New("no way to run the preprocessor")

// preprocess runs the preprocessor alone and returns the names that it lists with
// option (-MD or -MMD), its dep-file being own. -M and -MM would not do: they
// expand no text, and so miss the _Pragmas in it.
func preprocess(ctx context.Context, c *toolchains.Compile, run toolchains.Runner, option, own string) ([]string, error) {
	defer func() { _ = os.Remove(own) }() // it may not have come to exist
	argv := inserted(without(c, argtable.Dep|argtable.Output), "-E", option, "-MF", own, "-MT", "x", "-o", os.DevNull)
	argv[0] = c.Call.Program
	res, err := run(ctx, toolchains.Command{Argv: argv, Dir: c.Call.Dir, Env: c.Call.Env})
	if err != nil {
		return nil, fmt.Errorf("run the preprocessor: %w", err)
	}
	text, err := os.ReadFile(own)
	if err != nil {
		return nil, fmt.Errorf("read dep-file of the preprocessor (status %d): %w", res.Status, err)
	}
	f, _, ok := depfile.Match(c.Toolchain.Family, text, []string{"x"})
	if !ok {
		if f, err = depfile.Parse(text); err != nil {
			return nil, fmt.Errorf("dep-file of the preprocessor: %w", err)
		}
	}
	if res.Status != 0 && option == "-MD" {
		return nil, fmt.Errorf("preprocessor ended with status %d", res.Status)
	}
	return onlyFiles(f.Prereqs), nil
}
