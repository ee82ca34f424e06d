package client

import (
	"errors"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/bazelbuild/remote-apis/build/bazel/semver"
	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/chunking"
	"github.com/rexwrap/rexwrap/client/digest"
)

func TestReadCapabilities(t *testing.T) {
	fast, err := chunking.NewFastCDC(1<<19, 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		in   *repb.ServerCapabilities
		want Capabilities
	}{
		"nothing stated": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{}},
			Capabilities{Cache: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.SHA256}},
		},
		"smaller batches, larger are not believed": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{MaxBatchTotalSizeBytes: 1000}},
			Capabilities{Cache: true, MaxBatch: 1000, Functions: []digest.Function{digest.SHA256}},
		},
		"elan's batches": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{MaxBatchTotalSizeBytes: 400 << 20}},
			Capabilities{Cache: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.SHA256}},
		},
		"compressors apart": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{SupportedCompressors: []repb.Compressor_Value{repb.Compressor_ZSTD}}},
			Capabilities{Cache: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.SHA256}, StreamZstd: true},
		},
		"chunks by either function": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{
				SplitBlobSupport:   true,
				FastCdc_2020Params: &repb.FastCdc2020Params{AvgChunkSizeBytes: 1 << 19},
				RepMaxCdcParams:    &repb.RepMaxCdcParams{MinChunkSizeBytes: 1 << 18},
			}},
			Capabilities{Cache: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.SHA256}, Split: true, Chunking: fast},
		},
		"parameters out of range": {
			&repb.ServerCapabilities{CacheCapabilities: &repb.CacheCapabilities{
				SpliceBlobSupport:  true,
				FastCdc_2020Params: &repb.FastCdc2020Params{AvgChunkSizeBytes: 1 << 29},
				RepMaxCdcParams:    &repb.RepMaxCdcParams{MinChunkSizeBytes: 1 << 18, HorizonSizeBytes: 1 << 21},
			}},
			Capabilities{Cache: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.SHA256}, Splice: true, Chunking: chunking.Default()},
		},
		"workers only": {
			&repb.ServerCapabilities{ExecutionCapabilities: &repb.ExecutionCapabilities{ExecEnabled: true, DigestFunction: repb.DigestFunction_BLAKE3}},
			Capabilities{Execution: true, MaxBatch: maxBatch, Functions: []digest.Function{digest.BLAKE3}},
		},
		"execution is off": {
			&repb.ServerCapabilities{ExecutionCapabilities: &repb.ExecutionCapabilities{}},
			Capabilities{MaxBatch: maxBatch},
		},
	} {
		got, err := readCapabilities(test.in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		test.want.Low, test.want.High = "unknown", "unknown"
		if diff := cmp.Diff(&test.want, got, cmp.AllowUnexported(chunking.Function{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestChunkMappingsAreOfVersion13(t *testing.T) {
	for minor, want := range map[int32]bool{12: false, 13: true, 14: true} {
		caps, err := readCapabilities(&repb.ServerCapabilities{HighApiVersion: &semver.SemVer{Major: 2, Minor: minor}})
		if err != nil || caps.ChunkMappings != want {
			t.Errorf("2.%d: %+v, %v", minor, caps, err)
		}
	}
}

func TestIncompatibleServers(t *testing.T) {
	for name, in := range map[string]*repb.ServerCapabilities{
		"REAPI 1":    {HighApiVersion: &semver.SemVer{Major: 1, Minor: 9}},
		"REAPI 3":    {LowApiVersion: &semver.SemVer{Major: 3}, HighApiVersion: &semver.SemVer{Major: 3, Minor: 1}},
		"no SHA-256": {CacheCapabilities: &repb.CacheCapabilities{DigestFunctions: []repb.DigestFunction_Value{repb.DigestFunction_SHA1}}},
	} {
		if caps, err := readCapabilities(in); !errors.Is(err, ErrIncompatible) {
			t.Errorf("%s: %v, %v", name, caps, err)
		}
	}
}
