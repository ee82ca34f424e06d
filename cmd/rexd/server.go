package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rexwrap/rexwrap/localserver/admin"
)

// startLimit and stopLimit bound how long a verb waits for a server to come or
// to go; poll is how often it looks.
const (
	startLimit = 10 * time.Second
	stopLimit  = 30 * time.Second
	poll       = 5 * time.Millisecond
)

func (a *app) serverCommand() *cli.Command {
	verb := func(name, usage string, hidden bool, action cli.ActionFunc) *cli.Command {
		return &cli.Command{Name: name, Usage: usage, Hidden: hidden, Before: noArguments, Action: action}
	}
	status := verb("status", "show the server that is running", false, a.serverStatus)
	status.Flags = []cli.Flag{jsonFlag()}
	return &cli.Command{
		Name: "server", Usage: "start, stop or look at the server",
		Description: "The first compile starts a server, and it ends by itself when it has been idle\n" +
			"for long. After stop the cache folder can be archived and used elsewhere.\n\n" +
			"rexwrap server status\nrexwrap server stop",
		Subcommands: []*cli.Command{
			verb("start", "start it in the background", false, a.serverStart),
			verb("stop", "let it finish its work and end", false, a.serverStop),
			status,
			verb("run", "run it in the foreground", false, a.serverRun),
			verb("spawn", "start it and do not wait, as the wrapper does", true, func(*cli.Context) error { return a.spawn() }),
		},
	}
}

func (a *app) serverRun(c *cli.Context) error {
	ctx, cancel := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer cancel()
	room := make([]byte, heapRoom)
	defer runtime.KeepAlive(room)
	return a.serve(ctx)
}

// heapRoom is never written to, and so takes no memory: it counts as live, so that
// the collector lets a small heap grow by this much before it runs. A server that
// begins would else collect for a third of the time in which it scans its first
// files.
const heapRoom = 32 << 20

func (a *app) serverStart(c *cli.Context) error {
	if s, err := a.running().Status(c.Context); err == nil {
		a.stdout.printf("a server is running already, process %d\n", s.PID)
		return nil
	}
	s, err := a.client().Status(c.Context)
	if err != nil {
		return err
	}
	a.stdout.printf("started, process %d\n", s.PID)
	return nil
}

// serverStop returns when the server's process is gone, so that its cache
// directory is closed.
func (a *app) serverStop(c *cli.Context) error {
	client := a.running()
	s, err := client.Status(c.Context)
	if errors.Is(err, admin.ErrNoServer) {
		a.stdout.printf("no server is running\n")
		return nil
	}
	if err != nil {
		return err
	}
	if err := client.Stop(c.Context); err != nil {
		return err
	}
	err = await(c.Context, stopLimit, func() bool { return !alive(s.PID) })
	if err != nil {
		return fmt.Errorf("process %d has not ended: %w", s.PID, err)
	}
	a.stdout.printf("stopped\n")
	return nil
}

func (a *app) serverStatus(c *cli.Context) error {
	s, err := a.running().Status(c.Context)
	if err != nil {
		return err
	}
	return a.answer(c, s, func() { a.stdout.status(s) })
}

func (p *printer) status(s *admin.Status) {
	for _, w := range s.Warnings {
		p.printf("%s %s\n", p.yellow("warning:"), w)
	}
	p.line(0, "Process:", fmt.Sprint(s.PID))
	p.line(0, "Version:", s.Version)
	p.line(0, "Up for:", duration(s.Uptime))
	p.line(0, "Memory:", size(s.RSS))
	p.line(0, "Compiles under way:", fmt.Sprint(s.Running))
	if s.IdleExit > 0 {
		p.line(0, "Ends when idle for:", duration(s.IdleExit))
	}
	p.line(0, "Cache folder:", s.CacheDir)
	p.line(1, "Size:", sizeOfLimit(s.CacheSize, s.CacheLimit))
	if s.CacheProblem != "" {
		p.line(1, "Problem:", p.red(s.CacheProblem))
	}
	p.line(0, "Socket:", s.Socket)
}

// await calls done until it returns true or limit is over.
func await(ctx context.Context, limit time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("gave up after %s", limit))
	defer cancel()
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
