package cas

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"github.com/klauspost/compress/zstd"
)

var errCompressor = errors.New("server used a compressor that it was not asked for")

// maxWindow is what zstd needs at its highest usual levels (zstd(1), --ultra).
const maxWindow = 128 << 20

func newEncoder(w io.Writer) (*zstd.Encoder, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true))
}

func newDecoder(r io.Reader) (*zstd.Decoder, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

// compress returns data compressed, or data itself where that cannot be.
func compress(data []byte) []byte {
	w, err := newEncoder(nil)
	if err != nil {
		return data
	}
	return w.EncodeAll(data, nil)
}

// decompress returns what data holds, unless it is more than size bytes: a
// server cannot fill the memory with a small answer.
func decompress(c repb.Compressor_Value, data []byte, size int64) ([]byte, error) {
	if c != repb.Compressor_ZSTD {
		return nil, fmt.Errorf("%w: %s", errCompressor, c)
	}
	r, err := newDecoder(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(io.LimitReader(r, size+1))
}
