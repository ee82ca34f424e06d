package cas

import (
	"errors"
	"fmt"
	"io"
	"sync"

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

// A codec compresses the small blobs of batches. Encoders and decoders are dear
// to make, so there is one of each, made when it is first used. It is safe for
// concurrent use.
type codec struct {
	encoder func() (*zstd.Encoder, error)
	decoder func() (*zstd.Decoder, error)
}

func newCodec() *codec {
	return &codec{
		encoder: sync.OnceValues(func() (*zstd.Encoder, error) { return newEncoder(nil) }),
		// A server cannot fill the memory with a small answer.
		decoder: sync.OnceValues(func() (*zstd.Decoder, error) {
			return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(streamFrom))
		}),
	}
}

// compress returns data compressed, or data itself where that cannot be.
func (c *codec) compress(data []byte) []byte {
	w, err := c.encoder()
	if err != nil {
		return data
	}
	return w.EncodeAll(data, nil)
}

func (c *codec) decompress(by repb.Compressor_Value, data []byte) ([]byte, error) {
	if by != repb.Compressor_ZSTD {
		return nil, fmt.Errorf("%w: %s", errCompressor, by)
	}
	r, err := c.decoder()
	if err != nil {
		return nil, err
	}
	return r.DecodeAll(data, nil)
}
