package clienttest

import (
	"context"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/bazelbuild/remote-apis/build/bazel/semver"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Quirks are what real servers do apart from each other. Each names a server
// that was seen to do so. False is what Buildbarn does.
type Quirks struct {
	// Capabilities.
	NoCapabilities bool  // GetCapabilities is UNIMPLEMENTED
	NoExecution    bool  // cache only: bazel-remote, elan
	NoCache        bool  // workers only: mettle
	Zstd           bool  // zstd in ByteStream and in both batch calls: bazel-remote
	BLAKE3         bool  // lists it, and takes it: Buildbarn
	NoSHA256       bool  // does not list it
	LyingFunctions bool  // lists BLAKE3 and rejects it: elan, of SHA1
	MaxBatch       int64 // max_batch_total_size_bytes: just, 3145728

	// CAS.
	StrictInstance   bool // only "": casd
	BatchFailsWhole  bool // one wrong hash fails the whole BatchUpdate: just
	ExistingUnsized  bool // committed_size is −1 where a zstd blob exists: bazel-remote
	Split, Splice    bool // SplitBlob and SpliceBlob: bazel-remote has the latter
	ChunkMappings    bool // Split and Splice are by the calls of REv2.13
	FastCDC          bool // cuts by FastCDC, not by RepMaxCDC
	LyingChunks      bool // says Split and Splice and has neither
	WrongChunks      bool // takes and gives blobs for chunks that make others
	LowerMessageSize int  // a message limit below the usual 4 MiB, not advertised

	// ActionCache.
	ReadOnly  bool // UNIMPLEMENTED, update_enabled false: just
	DeniesAC  bool // update_enabled false, yet it works: elan
	Unchecked bool // serves results whose blobs are gone: elan
	Inlines   bool // honours inline_*: bazel-remote
	Stamps    bool // changes what it stores: bazel-remote

	// Execution.
	Confined           bool       // commands see nothing but the InputRoot, at a place of its own, /proc and /dev/null
	Chroot             bool       // the InputRoot is the root of the commands' file system, with /proc and /dev/null: Buildbarn, if told
	RootProperty       string     // the property that names a Directory which is below the InputRoot in that: chrootRootDigest of buildbox
	Windows            bool       // refuses what could not be on Windows: names, case, links; see checkWindows
	Platform           []string   // NAME=VALUE that must be sent, and nothing else
	RootOutputs        bool       // output_paths are relative to the input root: mettle
	OldOutputs         bool       // honours output_files if output_paths is empty: just
	ZeroTimeout        bool       // an unset timeout is 0 s: mettle
	IgnoresTimeout     bool       // just; casd below a second
	NeedsFolders       bool       // makes no working directory: casd
	NeedsTargets       bool       // targets of symbolic links must be blobs: just
	TreesOnly          bool       // knows no output_directory_format: casd, just, mettle
	NoCancel           bool       // CancelOperation is UNIMPLEMENTED: just
	ReadsCache         bool       // Execute looks into the ActionCache: mettle, casd, just
	IgnoresSkip        bool       // even with skip_cache_lookup: just
	CachesFailures     bool       // casd
	ShellSignals       bool       // killed by n is exit 128+n, not −1: casd, just
	MissingInput       codes.Code // of a missing input blob; 0 for FAILED_PRECONDITION
	MissingInResponse  bool       // … inside ExecuteResponse, not ending the stream: casd
	NoMetadata         bool       // Operation.metadata is absent: casd
	ForgetsOperations  bool       // WaitExecution knows no finished operation
	NoWorkerMetadata   bool       // just
	EmptyStreamDigests bool       // stdout_digest of no bytes is the empty blob's, not nil: mettle, casd
}

type capabilities struct {
	repb.UnimplementedCapabilitiesServer
	quirks Quirks
}

// GetCapabilities implements repb.CapabilitiesServer.
func (c capabilities) GetCapabilities(context.Context, *repb.GetCapabilitiesRequest) (*repb.ServerCapabilities, error) {
	q := c.quirks
	if q.NoCapabilities {
		return nil, status.Error(codes.Unimplemented, "unknown method")
	}
	out := &repb.ServerCapabilities{
		DeprecatedApiVersion: &semver.SemVer{Major: 2, Minor: 2},
		LowApiVersion:        &semver.SemVer{Major: 2, Minor: 3},
		HighApiVersion:       &semver.SemVer{Major: 2, Minor: 12},
	}
	if q.ChunkMappings {
		out.HighApiVersion.Minor = 13
	}
	if !q.NoCache {
		out.CacheCapabilities = q.cache()
	}
	if !q.NoExecution {
		out.ExecutionCapabilities = &repb.ExecutionCapabilities{
			ExecEnabled: true, DigestFunction: repb.DigestFunction_SHA256, DigestFunctions: q.functions(),
		}
	}
	return out, nil
}

func (q *Quirks) functions() []repb.DigestFunction_Value {
	out := []repb.DigestFunction_Value{repb.DigestFunction_SHA1}
	if !q.NoSHA256 {
		out = append(out, repb.DigestFunction_SHA256)
	}
	if q.BLAKE3 || q.LyingFunctions {
		out = append(out, repb.DigestFunction_BLAKE3)
	}
	return out
}

func (q *Quirks) cache() *repb.CacheCapabilities {
	out := &repb.CacheCapabilities{
		DigestFunctions:               q.functions(),
		ActionCacheUpdateCapabilities: &repb.ActionCacheUpdateCapabilities{UpdateEnabled: !q.ReadOnly && !q.DeniesAC},
		MaxBatchTotalSizeBytes:        q.MaxBatch,
		SymlinkAbsolutePathStrategy:   repb.SymlinkAbsolutePathStrategy_ALLOWED,
	}
	out.SplitBlobSupport, out.SpliceBlobSupport = q.Split || q.LyingChunks, q.Splice || q.LyingChunks
	if q.FastCDC {
		out.FastCdc_2020Params = &repb.FastCdc2020Params{AvgChunkSizeBytes: chunkAverage}
	} else if q.Split {
		out.RepMaxCdcParams = &repb.RepMaxCdcParams{MinChunkSizeBytes: chunkLeast, HorizonSizeBytes: chunkHorizon}
	}
	if q.Zstd {
		out.SupportedCompressors = []repb.Compressor_Value{repb.Compressor_ZSTD}
		out.SupportedBatchUpdateCompressors = out.SupportedCompressors
	}
	return out
}
