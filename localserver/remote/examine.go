package remote

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/checkup"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/parity"
)

// ErrNone says that settings ask for no remote.
var ErrNone = errors.New("no remote is set")

// Examine connects to the remote that s asks for as a server would, and reports
// what works and what does not: see checkup. An error means that it could not
// begin: ErrNone, or settings that cannot be dialled by.
func Examine(ctx context.Context, s *config.Settings, o Options, report func(checkup.Finding)) error {
	id := identityOf(s)
	if id == (identity{}) {
		return ErrNone
	}
	r, err := NewPool(o).dial(id, s)
	if err != nil {
		return err
	}
	checkup.Examine(ctx, checkup.Remote{
		CAS: r.blobs, ActionCache: r.actions, Execution: r.workers,
		Platform: platform(s), ReadOnly: s.ReadOnly || !s.RemoteUpload, Now: time.Now,
	}, report)
	_ = r.close(ctx) // all has been reported
	return nil
}

// Compare asks a worker of the remote that s asks for what it has of files. Errors
// are those of Examine and of parity.Parity.Compare, and ErrNoWorkers.
func Compare(ctx context.Context, s *config.Settings, o Options, files []parity.File) (*parity.Comparison, error) {
	id := identityOf(s)
	if id == (identity{}) {
		return nil, ErrNone
	}
	r, err := NewPool(o).dial(id, s)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.close(ctx) }() // nothing was uploaded behind its back
	if r.parity == nil {
		return nil, ErrNoWorkers
	}
	return r.parity.Compare(ctx, platform(s), files)
}

// platform returns the setting in the protocol's form, sorted by name.
func platform(s *config.Settings) []action.Property {
	out := make([]action.Property, 0, len(s.Platform))
	for name, value := range s.Platform {
		out = append(out, action.Property{Name: name, Value: value})
	}
	slices.SortFunc(out, func(a, b action.Property) int { return strings.Compare(a.Name, b.Name) })
	return out
}
