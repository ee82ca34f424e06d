package remote

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/localserver/config"
)

// Options are what a Pool is made of.
type Options struct {
	Version string // of rexwrap, told to servers
	Log     zerolog.Logger
	// Near keeps chunks of large blobs; nil keeps none.
	Near Keeper
}

// A Pool holds the Remotes of all settings that calls have come with. It is
// safe for concurrent use.
type Pool struct {
	o       Options
	session string // invocation id of calls that belong to no build

	mu      sync.Mutex
	remotes map[identity]*Remote
	broken  map[identity]broken
}

// identity is what of the settings makes a Remote another one.
type identity struct {
	blobs, actions, workers string // addresses
	instance, headers       string
	tls                     config.TLS
	helper                  string
	readOnly, upload        bool
	jobs                    int
}

// broken says why settings have no Remote.
type broken struct {
	err error
	at  time.Time
}

// brokenAge is how long settings that cannot be dialled are not tried again:
// most often a certificate's file is missing.
const brokenAge = 10 * time.Second

// NewPool returns a Pool without any Remote.
func NewPool(o Options) *Pool {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	return &Pool{
		o: o, session: hex.EncodeToString(id[:]),
		remotes: make(map[identity]*Remote), broken: make(map[identity]broken),
	}
}

// identityOf returns who s asks for, the zero identity for nobody. An address
// that is not set is another one's: that of the CAS most often serves both.
func identityOf(s *config.Settings) identity {
	if s.Remote == "" && s.CAS == "" && s.ActionCache == "" {
		return identity{}
	}
	var headers strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		fmt.Fprintf(&headers, "%q=%q ", name, s.Headers[name])
	}
	return identity{
		blobs: cmp.Or(s.CAS, s.Remote, s.ActionCache), actions: cmp.Or(s.ActionCache, s.Remote, s.CAS), workers: s.Remote,
		instance: s.Instance, headers: headers.String(), tls: s.TLS, helper: s.CredentialHelper,
		readOnly: s.ReadOnly, upload: s.RemoteUpload, jobs: s.RemoteJobs,
	}
}

// Of returns the Remote that s asks for, nil where it asks for none or for one
// that cannot be dialled: Warnings then says why.
func (p *Pool) Of(s *config.Settings) *Remote {
	id := identityOf(s)
	if id == (identity{}) {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.remotes[id]; r != nil {
		return r
	}
	if b, ok := p.broken[id]; ok && time.Since(b.at) < brokenAge {
		return nil
	}
	r, err := p.dial(id, s)
	if err != nil {
		p.broken[id] = broken{err, time.Now()}
		p.o.Log.Warn().Err(err).Msg("remote is not usable")
		return nil
	}
	delete(p.broken, id)
	p.remotes[id] = r
	return r
}

func (p *Pool) dial(id identity, s *config.Settings) (*Remote, error) {
	r := newRemote(id, p.o.Log, p.o.Near)
	o := client.Options{
		Instance: s.Instance, Headers: s.Headers, CallTimeout: callTimeout, Notify: r.notices.add,
		TLS: client.TLS{CA: s.TLS.CA, Cert: s.TLS.Cert, Key: s.TLS.Key, ServerName: s.TLS.ServerName},
		Metadata: client.Metadata{
			ToolName: "rexwrap", ToolVersion: p.o.Version, InvocationID: p.session, CorrelatedID: p.session,
		},
	}
	if s.CredentialHelper != "" {
		o.Helper = client.NewHelper(s.CredentialHelper)
	}
	if err := r.connect(o); err != nil {
		return nil, errors.Join(err, r.close(context.Background()))
	}
	return r, nil
}

// Flush waits until what was to be uploaded is, or ctx is done, and returns
// how many results are not.
func (p *Pool) Flush(ctx context.Context) (pending int) {
	for _, r := range p.all() {
		pending += r.uploads.flush(ctx)
	}
	return pending
}

// Close ends uploads that are not done when ctx is, and all connections.
func (p *Pool) Close(ctx context.Context) error {
	var errs []error
	for _, r := range p.all() {
		errs = append(errs, r.close(ctx))
	}
	return errors.Join(errs...)
}

func (p *Pool) all() []*Remote {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.remotes))
}

// Warnings are what users should know of their remotes, one line each.
func (p *Pool) Warnings() []string {
	var out []string
	for _, r := range p.all() {
		out = append(out, r.notices.list()...)
		out = append(out, r.parcels.progress(r.id.blobs)...)
	}
	p.mu.Lock()
	for _, b := range p.broken {
		out = append(out, "remote: "+b.err.Error())
	}
	p.mu.Unlock()
	slices.Sort(out)
	return slices.Compact(out)
}
