package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/localserver/admin"
)

// A progress is a bar on a terminal for what takes longer than a second.
type progress struct {
	p       *printer
	what    string
	started time.Time
	drawn   time.Time
	now     func() time.Time
}

func (a *app) progress(what string) *progress {
	return &progress{p: a.stderr, what: what, started: time.Now(), now: time.Now}
}

// report draws the bar anew, at most ten times a second.
func (b *progress) report(at *admin.Progress) error {
	now := b.now()
	if !b.p.terminal || now.Sub(b.started) < time.Second || now.Sub(b.drawn) < time.Second/10 {
		return nil
	}
	b.drawn = now
	b.p.printf("\r%s\x1b[K", b.text(at))
	return nil
}

func (b *progress) text(at *admin.Progress) string {
	if at.Total <= 0 {
		return fmt.Sprintf("%s: %d", b.what, at.Done)
	}
	const width = 30
	done := int(min(at.Done, at.Total) * width / at.Total)
	return fmt.Sprintf("%s [%s%s] %3d%%", b.what, strings.Repeat("=", done), strings.Repeat(" ", width-done),
		min(at.Done, at.Total)*100/at.Total)
}

// end takes the bar off the screen.
func (b *progress) end() {
	if !b.drawn.IsZero() {
		b.p.printf("\r\x1b[K")
	}
}
