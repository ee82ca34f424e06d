package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver"
	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
)

func (a *app) sessionCommand() *cli.Command {
	return &cli.Command{
		Name: "session", Usage: "look after program databases of cl.exe",
		Description: "With /Zi compiles share a program database, which the server writes. A session\n" +
			"is the time during which it has one open.",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "show the databases that are open",
				Flags: []cli.Flag{jsonFlag()}, Before: noArguments, Action: a.sessionList,
			},
			{
				Name: "seal", Usage: "close databases, all or those at or below paths", ArgsUsage: "[PATH...]",
				Flags: []cli.Flag{jsonFlag()}, Action: a.sessionSeal,
			},
			{
				Name: "verify", Usage: "check every record of a database", ArgsUsage: "FILE...",
				Flags: []cli.Flag{jsonFlag()}, Action: a.sessionVerify,
			},
		},
	}
}

func (a *app) sessionList(c *cli.Context) error {
	list, err := a.running().SessionList(c.Context)
	if errors.Is(err, admin.ErrNoServer) {
		list, err = &admin.SessionList{Sessions: []admin.Session{}, Objects: map[string]int64{}}, nil
	}
	if err != nil {
		return err
	}
	return a.answer(c, list, func() {
		for _, s := range list.Sessions {
			a.stdout.printf("%s\n  %s, %d types and items, age %d, %s since it was opened\n",
				s.Path, size(s.Bytes), s.Types+s.Items, s.Age, plural(int64(s.Members), "compile"))
		}
		if len(list.Sessions) == 0 {
			a.stdout.printf("no program database is open\n")
		}
		for _, name := range ranked(list.Objects) {
			a.stdout.line(0, label(name)+":", fmt.Sprintf("%8d", list.Objects[name]))
		}
	})
}

func (a *app) sessionSeal(c *cli.Context) error {
	req := &admin.SealRequest{}
	for _, path := range c.Args().Slice() {
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.dir, path)
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		req.Paths = append(req.Paths, filepath.Clean(path))
	}
	sealed, err := a.running().SessionSeal(c.Context, req)
	if errors.Is(err, admin.ErrNoServer) {
		sealed, err = &admin.Sealed{}, nil
	}
	if err != nil {
		return err
	}
	return a.answer(c, sealed, func() { a.stdout.printf("%s closed\n", plural(int64(sealed.Sessions), "database")) })
}

func (a *app) sessionVerify(c *cli.Context) error {
	if c.NArg() == 0 {
		return usagef("session verify needs a file")
	}
	list := []admin.Session{}
	for _, path := range c.Args().Slice() {
		if !filepath.IsAbs(path) {
			path = filepath.Join(a.dir, path)
		}
		status, err := pdbsession.Verify(path)
		if errors.Is(err, os.ErrNotExist) {
			return admin.Errorf(admin.ErrNotFound, "%s does not exist", path)
		}
		if err != nil {
			return err
		}
		status.Path = path
		list = append(list, localserver.SessionOf(&status))
	}
	return a.answer(c, list, func() {
		for _, s := range list {
			a.stdout.printf("%s: %d types, %d items, age %d, %s\n", s.Path, s.Types, s.Items, s.Age, size(s.Bytes))
		}
	})
}
