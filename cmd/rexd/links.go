package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/urfave/cli/v2"
)

func (a *app) linksCommand() *cli.Command {
	return &cli.Command{
		Name: "links", Usage: "make a folder of links that stand for the compilers", ArgsUsage: "DIR",
		Description: "For every compiler on PATH a link of its name to rexwrap. With the folder first\n" +
			"on PATH, a build that calls its compilers by name needs no other change.\n\n" +
			"rexwrap links ~/.local/lib/rexwrap\nexport PATH=~/.local/lib/rexwrap:$PATH",
		Flags:  []cli.Flag{jsonFlag()},
		Before: func(c *cli.Context) error { return atMost(c, 1) },
		Action: func(c *cli.Context) error {
			if c.NArg() == 0 {
				return usagef("links needs a folder: rexwrap links ~/.local/lib/rexwrap")
			}
			return a.links(c, c.Args().First())
		},
	}
}

// linksReport is `links --json`.
type linksReport struct {
	Dir   string   `json:"dir"`
	Links []string `json:"links"`
}

func (a *app) links(c *cli.Context, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	names, err := a.makeLinks(dir)
	if err != nil {
		return err
	}
	return a.answer(c, &linksReport{dir, names}, func() {
		for _, text := range wrap(strings.Join(names, " "), maxColumns) {
			a.stdout.printf("%s\n", text)
		}
		a.stdout.printf("%s in %s; now put it first on PATH\n", plural(int64(len(names)), "link"), dir)
	})
}

var errNoCompiler = errors.New("no compiler is on PATH")

// makeLinks makes dir hold a link to rexwrap for each compiler of PATH. Files
// of dir that are not ours stay.
func (a *app) makeLinks(dir string) ([]string, error) {
	target := a.rexwrap()
	if target == "" {
		return nil, errors.New("rexwrap is neither beside rexd nor on PATH")
	}
	names := newSearch(a.env.Value("PATH"), target).compilers()
	if len(names) == 0 {
		return nil, errNoCompiler
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := link(target, filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	if runtime.GOOS == "windows" { // where a copy does not know of what it is one
		if err := linkServer(dir); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// linkServer puts this program beside the copies of rexwrap, which look for it
// there.
func linkServer(dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return link(self, filepath.Join(dir, "rexd.exe"))
}

// link makes path a link to target, or, where links are a privilege, another name
// or a copy of it. An existing link is replaced at once; anything else is left
// alone.
func link(target, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink == 0 && runtime.GOOS != "windows":
		return fmt.Errorf("%s is there already and is no link", path)
	default:
		if old, err := os.Readlink(path); err == nil && old == target || runtime.GOOS == "windows" && sameProgram(path, target) {
			return nil
		}
	}
	tmp := fmt.Sprintf("%s.%d", path, os.Getpid())
	switch {
	case runtime.GOOS != "windows":
		err = os.Symlink(target, tmp)
	case os.Link(target, tmp) != nil:
		err = copyFile(target, tmp)
	default:
		err = nil
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp)
	}
	return err
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}

// masquerade returns a folder below base that holds a link for each compiler of
// PATH. It is named for what it holds and never removed: build systems remember
// the compilers that they found.
func (a *app) masquerade(base string) (string, error) {
	target := a.rexwrap()
	names := newSearch(a.env.Value("PATH"), target).compilers()
	sum := sha256.Sum256([]byte(target + "\x00" + strings.Join(names, "\x00")))
	dir := filepath.Join(base, "links-"+hex.EncodeToString(sum[:6]))
	_, err := a.makeLinks(dir)
	return dir, err
}
