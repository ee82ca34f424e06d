package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/toolchains"
)

// flushLimit bounds what a build waits for at its end.
const flushLimit = 10 * time.Second

func (a *app) execCommand() *cli.Command {
	return &cli.Command{
		Name: "exec", Usage: "run a build with its compilers cached", ArgsUsage: "[--] COMMAND ARGUMENTS...",
		Description: "The command sees a PATH on which every compiler is rexwrap, and the variables\n" +
			"by which CMake and cargo take a launcher. Nothing else changes, and its exit\n" +
			"status is passed on. Three lines at the end say what the cache has done.\n\n" +
			"rexwrap exec -- make -j8\nrexwrap exec -- sh -c './configure && make'\nrexwrap exec -- cmake -B build -G Ninja",
		SkipFlagParsing: true,
		Action: func(c *cli.Context) error {
			args := c.Args().Slice()
			if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
				return a.dispatch(c.Context, []string{"help", "exec"})
			}
			if len(args) > 0 && args[0] == "--" {
				args = args[1:]
			} else if len(args) > 0 && strings.HasPrefix(args[0], "-") {
				return usagef("exec has no options; before the command stands --, as in: rexwrap exec -- make -j8")
			}
			if len(args) == 0 {
				return usagef("exec needs a command: rexwrap exec -- make -j8")
			}
			return a.exec(c.Context, args)
		},
	}
}

func (a *app) exec(ctx context.Context, argv []string) error {
	build := newBuildID()
	env, err := a.buildEnv(build)
	if err != nil {
		return err
	}
	code, err := runBuild(argv, env)
	if err != nil {
		return a.notStarted(argv[0], err)
	}
	a.summary(ctx, build)
	return ended(code)
}

func newBuildID() string {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	return "b" + hex.EncodeToString(id[:])
}

// buildEnv is the environment of the build: compilers found by name are
// rexwrap, and so are the launchers of CMake and cargo. A RUSTC_WRAPPER that the
// user has set stays.
func (a *app) buildEnv(build string) (toolchains.Environ, error) {
	folder, err := a.masquerade(a.linksBase())
	if err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	rexwrap := a.rexwrap()
	set := []string{
		"REXWRAP_BUILD=" + build,
		"PATH=" + folder + string(os.PathListSeparator) + a.env.Value("PATH"),
		"CMAKE_C_COMPILER_LAUNCHER=" + rexwrap,
		"CMAKE_CXX_COMPILER_LAUNCHER=" + rexwrap,
	}
	if a.env.Value("RUSTC_WRAPPER") == "" {
		set = append(set, "RUSTC_WRAPPER="+rexwrap)
	}
	return a.env.With(set...), nil
}

// linksBase is the folder of masquerade folders: in the cache directory, whose
// life they share.
func (a *app) linksBase() string {
	if _, cacheDir := a.whereabouts(); cacheDir != "" {
		return cacheDir
	}
	return os.TempDir()
}

// notStarted answers as a shell does when a command cannot be run.
func (a *app) notStarted(name string, err error) error {
	code := 126
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		code, err = 127, errors.New("not found")
	}
	a.stderr.printf("rexwrap: exec: %s: %v\n", name, err)
	return exitError(code)
}

// summary says on stderr what became of the build's compiles.
func (a *app) summary(ctx context.Context, build string) {
	ctx, cancel := context.WithTimeout(ctx, flushLimit)
	defer cancel()
	client := a.running()
	if _, err := client.Flush(ctx); err != nil {
		if errors.Is(err, admin.ErrNoServer) {
			a.stderr.printf("rexwrap: no compile reached the cache; does the build call its compilers by name?\n")
			return
		}
		a.stderr.printf("rexwrap: the build is done, but the server does not answer: %v\n", err)
		return
	}
	b, err := client.ExplainBuild(ctx, &admin.ExplainBuildRequest{Build: build})
	switch {
	case errors.Is(err, admin.ErrNotFound):
		a.stderr.printf("rexwrap: no compile reached the cache; does the build call its compilers by name?\n")
	case err != nil:
		a.stderr.printf("rexwrap: no summary: %v\n", err)
	default:
		for _, text := range summaryLines(b) {
			a.stderr.printf("rexwrap: %s\n", cutEnd(text, maxColumns-len("rexwrap: ")))
		}
	}
}

// summaryLines are the three lines at the end of a build.
func summaryLines(b *journal.BuildReport) []string {
	compiles := b.Hits + b.Misses
	var first strings.Builder
	first.WriteString(fmt.Sprintf("%s: %s", plural(compiles, "compile"), plural(b.Hits, "hit")))
	if compiles > 0 {
		first.WriteString(fmt.Sprintf(" (%d %%)", 100*b.Hits/compiles))
	}
	first.WriteString(", " + plural(b.Misses, "miss"))
	for _, other := range []struct {
		n    int64
		what string
	}{{b.SteppedAside, "stepped aside"}, {b.FellBack, "fell back"}, {b.Errors, "failed"}} {
		if other.n > 0 {
			first.WriteString(fmt.Sprintf(", %d %s", other.n, other.what))
		}
	}
	return []string{first.String(), missLine(b), fmt.Sprintf("%s of compiling avoided; see rexwrap explain --build %s",
		duration(b.TimeAvoided), b.Build)}
}

func missLine(b *journal.BuildReport) string {
	if b.Misses == 0 {
		return "no misses"
	}
	counts := map[string]int64{}
	for _, g := range b.Groups {
		counts[g.Cause] += g.Count
	}
	var parts []string
	for _, cause := range ranked(counts) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[cause], label(cause)))
	}
	line := "misses: " + strings.Join(parts, ", ")
	culprits := slices.DeleteFunc(slices.Clone(b.Groups), func(g journal.MissGroup) bool { return g.Culprit == "" })
	if len(culprits) > 0 {
		worst := slices.MaxFunc(culprits, func(x, y journal.MissGroup) int { return cmp.Compare(x.Seconds, y.Seconds) })
		line += " (" + filepath.Base(worst.Culprit) + ")"
	}
	return line
}
