package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
	"github.com/rexwrap/rexwrap/localserver/config"
)

func (a *app) cacheCommand() *cli.Command {
	verb := func(name, usage string, action cli.ActionFunc, flags ...cli.Flag) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, Before: noArguments, Action: action, Flags: append(flags, jsonFlag())}
	}
	return &cli.Command{
		Name: "cache", Usage: "look after the cache",
		Description: "rexwrap cache size\nrexwrap cache evict --older-than 14d\nrexwrap cache evict --to 2GiB",
		Subcommands: []*cli.Command{
			verb("size", "show how large it is", a.cacheSize),
			verb("clear", "remove every entry", a.cacheClear),
			verb("verify", "read every entry and drop the corrupt ones", a.cacheVerify),
			verb("evict", "remove what was not used for long", a.cacheEvict,
				&cli.StringFlag{Name: "older-than", Usage: "not used for so long: 14d, 12h"},
				&cli.StringFlag{Name: "to", Usage: "the least recently used, down to a size: 2GiB"}),
			verb("flush", "wait until all is on disk and uploaded", a.cacheFlush),
		},
	}
}

// answer writes v as JSON, or as say does for people.
func (a *app) answer(c *cli.Context, v any, say func()) error {
	if c.Bool("json") {
		return a.stdout.json(v)
	}
	say()
	return nil
}

func (a *app) cacheSize(c *cli.Context) error {
	s, err := a.client().CacheSize(c.Context)
	if err != nil {
		return err
	}
	return a.answer(c, s, func() {
		a.stdout.line(0, "Size:", sizeOfLimit(s.Bytes, s.Limit))
		a.stdout.line(1, "Index:", fmt.Sprintf("%8s", size(s.Index)))
		a.stdout.line(0, "Results:", fmt.Sprintf("%8d", s.Entries))
		a.stdout.line(0, "Files:", fmt.Sprintf("%8d", s.Blobs))
		a.stdout.line(0, "Folder:", s.Dir)
	})
}

func (a *app) cacheClear(c *cli.Context) error {
	bar := a.progress("clearing")
	r, err := a.client().CacheClear(c.Context, bar.report)
	bar.end()
	return a.removed(c, r, err)
}

func (a *app) cacheEvict(c *cli.Context) error {
	req, err := evictRequest(c)
	if err != nil {
		return err
	}
	bar := a.progress("evicting")
	r, err := a.client().CacheEvict(c.Context, req, bar.report)
	bar.end()
	return a.removed(c, r, err)
}

func evictRequest(c *cli.Context) (*admin.EvictRequest, error) {
	older, to := c.String("older-than"), c.String("to")
	switch {
	case (older == "") == (to == ""):
		return nil, usagef("cache evict needs --older-than or --to")
	case older != "":
		d, err := config.ParseDuration(older)
		if err != nil || d == 0 {
			return nil, usagef("cache evict: --older-than must be a duration like 12h or 14d")
		}
		return &admin.EvictRequest{OlderThan: d.Seconds()}, nil
	default:
		n, err := config.ParseSize(to)
		if err != nil {
			return nil, usagef("cache evict: --to %v", err)
		}
		return &admin.EvictRequest{ToBytes: &n}, nil
	}
}

func (a *app) removed(c *cli.Context, r *admin.Removed, err error) error {
	if err != nil {
		return err
	}
	return a.answer(c, r, func() {
		a.stdout.printf("removed %s, %s\n", plural(r.Entries, "result"), size(max(0, r.Bytes)))
	})
}

func (a *app) cacheVerify(c *cli.Context) error {
	bar := a.progress("verifying")
	v, err := a.client().CacheVerify(c.Context, bar.report)
	bar.end()
	if err != nil {
		return err
	}
	return a.answer(c, v, func() {
		a.stdout.printf("%s checked, %s, %d corrupt and dropped\n", plural(v.Checked, "file"), size(v.Bytes), v.Corrupt)
	})
}

func (a *app) cacheFlush(c *cli.Context) error {
	bar := a.progress("flushing")
	f, err := a.client().CacheFlush(c.Context, bar.report)
	bar.end()
	if err != nil {
		return err
	}
	if err := a.answer(c, f, func() {}); err != nil || f.Pending == 0 {
		return err
	}
	return fmt.Errorf("%s could not be written", plural(f.Pending, "result"))
}
