package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrUnderWay is returned while a Parcel is being uploaded.
var ErrUnderWay = errors.New("upload is under way")

// A Parcel is a set of blobs that many Actions need and that is too large to be
// waited for: a toolchain.
type Parcel struct {
	ID    digest.Digest // of the set
	Name  string        // for people
	Blobs []cas.Blob
}

func (p *Parcel) holds(d digest.Digest) bool {
	return slices.ContainsFunc(p.Blobs, func(b cas.Blob) bool { return b.Digest == d })
}

func (p *Parcel) digests() []digest.Digest {
	out := make([]digest.Digest, len(p.Blobs))
	for i := range p.Blobs {
		out[i] = p.Blobs[i].Digest
	}
	return out
}

// parcels are those that were uploaded. They are safe for concurrent use.
type parcels struct {
	mu   sync.Mutex
	byID map[digest.Digest]*delivery
}

// A delivery is the upload of one Parcel.
type delivery struct {
	name        string
	begun       time.Time
	total, sent atomic.Int64
	asked       chan struct{} // closed when it is known what the CAS lacks
	done        bool          // guarded by parcels.mu, like what follows
	err         error
	at          time.Time // of the end
}

const (
	// parcelAge is how long a Parcel is taken to be in the CAS. Should a blob
	// of it be gone, Actions fail for want of it and bring it back.
	parcelAge = time.Hour
	// parcelRetry is how long a failed upload is not tried again.
	parcelRetry = 20 * time.Second
)

// Deliver returns nil where p is in the CAS. Else it uploads p in the background
// and returns ErrUnderWay until that is done, or why it failed. It waits, not for
// long, until the CAS has said what it lacks: often another machine has sent all.
func (r *Remote) Deliver(ctx context.Context, p *Parcel) error {
	d, err := r.delivery(p)
	if d == nil {
		return err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-d.asked:
	case <-timer.C:
	case <-ctx.Done():
	}
	r.parcels.mu.Lock()
	defer r.parcels.mu.Unlock()
	if !d.done {
		return ErrUnderWay
	}
	return d.err
}

// delivery returns the upload of p that is under way, or what is known of p's
// last one.
func (r *Remote) delivery(p *Parcel) (*delivery, error) {
	r.parcels.mu.Lock()
	defer r.parcels.mu.Unlock()
	d := r.parcels.byID[p.ID]
	switch {
	case d == nil:
	case !d.done:
		return d, nil
	case d.err == nil && time.Since(d.at) < parcelAge:
		return nil, nil
	case d.err != nil && time.Since(d.at) < parcelRetry:
		return nil, d.err
	}
	d = &delivery{name: p.Name, begun: time.Now(), asked: make(chan struct{})}
	if !r.uploads.add(func(ctx context.Context) error { return r.deliver(ctx, p, d) }) {
		return nil, ErrUnderWay // too many others wait
	}
	if r.parcels.byID == nil {
		r.parcels.byID = make(map[digest.Digest]*delivery)
	}
	r.parcels.byID[p.ID] = d
	return d, nil
}

// forget makes p be delivered anew, unless that is under way.
func (p *parcels) forget(lost *Parcel) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d := p.byID[lost.ID]; d != nil && d.done {
		delete(p.byID, lost.ID)
	}
}

func (r *Remote) deliver(ctx context.Context, p *Parcel, d *delivery) error {
	missing, err := r.missing(ctx, p)
	if err != nil || len(missing) == 0 {
		r.parcels.end(d, err)
		close(d.asked)
		return err
	}
	for i := range missing {
		d.total.Add(missing[i].Digest.Size)
		missing[i] = d.counted(missing[i])
	}
	close(d.asked)
	err = r.store.Upload(ctx, missing...)
	r.parcels.end(d, err)
	return err
}

func (p *parcels) end(d *delivery, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d.done, d.err, d.at = true, err, time.Now()
}

// missing returns those blobs of p that the CAS lacks.
func (r *Remote) missing(ctx context.Context, p *Parcel) ([]cas.Blob, error) {
	byDigest := make(map[digest.Digest]cas.Blob, len(p.Blobs))
	digests := make([]digest.Digest, 0, len(p.Blobs))
	for _, b := range p.Blobs {
		if _, twice := byDigest[b.Digest]; !twice {
			byDigest[b.Digest] = b
			digests = append(digests, b.Digest)
		}
	}
	lacking, err := r.store.Missing(ctx, digests)
	if err != nil {
		return nil, err
	}
	out := make([]cas.Blob, len(lacking))
	for i, d := range lacking {
		out[i] = byDigest[d]
	}
	return out, nil
}

// counted is b with what is read of it noted in d.
func (d *delivery) counted(b cas.Blob) cas.Blob {
	return cas.Blob{Digest: b.Digest, Open: func() (io.ReadCloser, error) {
		f, err := b.Open()
		return &countedReader{f, d}, err
	}}
}

type countedReader struct {
	io.ReadCloser
	d *delivery
}

// Read implements io.Reader.
func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.d.sent.Add(int64(n))
	return n, err
}

// progress describes uploads under way and those that failed, one line each.
func (p *parcels) progress(address string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for _, d := range p.byID {
		switch total := d.total.Load(); {
		case d.done && d.err != nil:
			out = append(out, fmt.Sprintf("%s: toolchain %s could not be uploaded: %v", address, d.name, d.err))
		case !d.done && total > 0:
			sent, seconds := min(d.sent.Load(), total), time.Since(d.begun).Seconds()
			out = append(out, fmt.Sprintf("%s: toolchain %s is being uploaded: %d of %d MB, %.0f MB/s; compiles run here meanwhile",
				address, d.name, sent>>20, total>>20, float64(sent>>20)/max(seconds, 0.001)))
		}
	}
	return out
}
