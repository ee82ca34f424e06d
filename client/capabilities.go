package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/bazelbuild/remote-apis/build/bazel/semver"

	"github.com/rexwrap/rexwrap/client/chunking"
	"github.com/rexwrap/rexwrap/client/digest"
)

// ErrIncompatible is wrapped by errors about servers that rexwrap cannot use.
var ErrIncompatible = errors.New("server is incompatible")

// Capabilities is what one address offers. A remote that keeps its CAS and its
// workers at two addresses sends half of it from each: elan has no Execution,
// mettle no Cache.
type Capabilities struct {
	Low, High string // versions of the API

	Cache     bool // has a CAS or an ActionCache
	Execution bool // executes actions

	// Functions are the digest functions of the cache that rexwrap computes,
	// SHA256 first if it is among them. elan lists functions that it rejects:
	// any but SHA256 needs a probe before it is trusted.
	Functions []digest.Function

	MaxBatch         int64 // bytes of blobs per batch call, never 0
	MaxBlob          int64 // bytes per blob, 0 for no limit
	StreamZstd       bool  // ByteStream reads and writes zstd
	BatchZstd        bool  // BatchUpdateBlobs takes zstd
	Split, Splice    bool  // chunked download, upload; each by itself a hint
	ChunkMappings    bool  // … by the calls of REv2.13
	AbsoluteSymlinks bool  // may stand in an InputRoot

	// Chunking is the function that the server cuts by, or the zero Function.
	// FastCDC comes first, since Bazel takes it where there are two.
	Chunking chunking.Function

	// ActionCacheUpdate says that results may be stored: a hint, since elan
	// says no and does it.
	ActionCacheUpdate bool
}

// Messages of gRPC have at most 4 MiB, which is the real limit of servers that
// state none. Digests and framing take their part.
const maxBatch = 3 << 20

// apiMajor is the version that rexwrap speaks. It needs no more than 2.0 has;
// what came with later minor versions is used where it is offered.
const apiMajor = 2

// mappingsMinor is the version in which GetChunkMapping and
// RegisterChunkMapping took the place of SplitBlob and SpliceBlob.
const mappingsMinor = 13

// capabilityAge is how long an answer is believed.
const capabilityAge = 10 * time.Minute

// offer remembers the Capabilities of a Conn.
type offer struct {
	asking chan struct{} // holds one token while the server is asked
	last   atomic.Pointer[answer]
}

type answer struct {
	caps *Capabilities
	at   time.Time
}

func (o *offer) known() *Capabilities {
	if a := o.last.Load(); a != nil && time.Since(a.at) < capabilityAge {
		return a.caps
	}
	return nil
}

// Capabilities returns what the server offers. It asks once in ten minutes;
// callers share the answer, which they must not change. Where GetCapabilities
// is not implemented the answer is what any cache can do, and that results may
// be stored.
func (c *Conn) Capabilities(ctx context.Context) (*Capabilities, error) {
	if caps := c.offer.known(); caps != nil {
		return caps, nil
	}
	// While one caller finds out whether a dead remote is back, the others
	// must not wait for it.
	if err := c.breaker.refuses(); err != nil {
		return nil, fmt.Errorf("ask for capabilities: %w", err)
	}
	select {
	case c.offer.asking <- struct{}{}:
		defer func() { <-c.offer.asking }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if caps := c.offer.known(); caps != nil {
		return caps, nil
	}
	caps, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	c.offer.last.Store(&answer{caps, time.Now()})
	return caps, nil
}

func (c *Conn) ask(ctx context.Context) (*Capabilities, error) {
	msg, err := repb.NewCapabilitiesClient(c).GetCapabilities(ctx, &repb.GetCapabilitiesRequest{InstanceName: c.instance})
	switch {
	case errors.Is(err, ErrUnimplemented):
		msg = &repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{
			ActionCacheUpdateCapabilities: &repb.ActionCacheUpdateCapabilities{UpdateEnabled: true},
		}}
	case err != nil:
		return nil, fmt.Errorf("ask for capabilities: %w", err)
	}
	caps, err := readCapabilities(msg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.address, err)
	}
	return caps, nil
}

func readCapabilities(msg *repb.ServerCapabilities) (*Capabilities, error) {
	caps := &Capabilities{Low: version(msg.GetLowApiVersion()), High: version(msg.GetHighApiVersion()), MaxBatch: maxBatch}
	if low, high := msg.GetLowApiVersion(), msg.GetHighApiVersion(); high != nil && (high.Major < apiMajor || low.GetMajor() > apiMajor) {
		return nil, fmt.Errorf("%w: it speaks REAPI %s to %s", ErrIncompatible, caps.Low, caps.High)
	}
	caps.ChunkMappings = msg.GetHighApiVersion().GetMajor() == apiMajor && msg.GetHighApiVersion().GetMinor() >= mappingsMinor
	caps.readExecution(msg.GetExecutionCapabilities())
	if cache := msg.GetCacheCapabilities(); cache != nil {
		if err := caps.readCache(cache); err != nil {
			return nil, err
		}
	}
	return caps, nil
}

func (caps *Capabilities) readExecution(msg *repb.ExecutionCapabilities) {
	caps.Execution = msg.GetExecEnabled()
	if caps.Functions == nil && caps.Execution {
		all := msg.GetDigestFunctions()
		if len(all) == 0 && msg.GetDigestFunction() != repb.DigestFunction_UNKNOWN {
			all = []repb.DigestFunction_Value{msg.GetDigestFunction()}
		}
		caps.Functions = functions(all)
	}
}

func (caps *Capabilities) readCache(msg *repb.CacheCapabilities) error {
	caps.Cache = true
	caps.Functions = functions(msg.GetDigestFunctions())
	if len(caps.Functions) == 0 {
		return fmt.Errorf("%w: it has neither SHA256 nor BLAKE3", ErrIncompatible)
	}
	if n := msg.GetMaxBatchTotalSizeBytes(); n > 0 {
		caps.MaxBatch = min(n, maxBatch)
	}
	caps.MaxBlob = max(msg.GetMaxCasBlobSizeBytes(), 0)
	caps.StreamZstd = slices.Contains(msg.GetSupportedCompressors(), repb.Compressor_ZSTD)
	caps.BatchZstd = slices.Contains(msg.GetSupportedBatchUpdateCompressors(), repb.Compressor_ZSTD)
	caps.Split, caps.Splice = msg.GetSplitBlobSupport(), msg.GetSpliceBlobSupport()
	caps.Chunking = chunkingOf(msg)
	caps.AbsoluteSymlinks = msg.GetSymlinkAbsolutePathStrategy() == repb.SymlinkAbsolutePathStrategy_ALLOWED
	caps.ActionCacheUpdate = msg.GetActionCacheUpdateCapabilities().GetUpdateEnabled()
	return nil
}

// chunkingOf ignores parameters that are out of range, as REv2 asks.
func chunkingOf(msg *repb.CacheCapabilities) chunking.Function {
	if p := msg.GetFastCdc_2020Params(); p != nil {
		if f, err := chunking.NewFastCDC(p.AvgChunkSizeBytes, p.Seed); err == nil {
			return f
		}
	}
	if p := msg.GetRepMaxCdcParams(); p != nil {
		if f, err := chunking.NewRepMaxCDC(p.MinChunkSizeBytes, p.HorizonSizeBytes); err == nil {
			return f
		}
	}
	return chunking.Function{}
}

// functions returns those of list that rexwrap computes. A server that lists
// nothing is one that has not thought of it, and SHA256 is what all have.
func functions(list []repb.DigestFunction_Value) []digest.Function {
	if len(list) == 0 {
		return []digest.Function{digest.SHA256}
	}
	var out []digest.Function
	if slices.Contains(list, repb.DigestFunction_SHA256) {
		out = append(out, digest.SHA256)
	}
	if slices.Contains(list, repb.DigestFunction_BLAKE3) {
		out = append(out, digest.BLAKE3)
	}
	return out
}

func version(v *semver.SemVer) string {
	if v == nil {
		return "unknown"
	}
	return fmt.Sprintf("%d.%d", v.Major, v.Minor)
}

// DigestFunction returns REv2's value for f, to be put into requests.
func DigestFunction(f digest.Function) repb.DigestFunction_Value {
	if f == digest.BLAKE3 {
		return repb.DigestFunction_BLAKE3
	}
	return repb.DigestFunction_SHA256
}
