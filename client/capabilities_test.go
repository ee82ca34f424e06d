package client

import (
	"errors"
	"testing"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/bazelbuild/remote-apis/build/bazel/semver"
	"github.com/google/go-cmp/cmp"

	"github.com/rexwrap/rexwrap/client/digest"
)

func TestReadCapabilities(t *testing.T) {
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
		if diff := cmp.Diff(&test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
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
