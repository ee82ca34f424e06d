package cas

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash"
	"io"

	"google.golang.org/grpc"

	"github.com/rexwrap/rexwrap/client"
	"github.com/rexwrap/rexwrap/client/bytestream"
	"github.com/rexwrap/rexwrap/client/digest"
)

// sendChunk is how much of a blob goes into one message of a write: less than
// a message may hold, enough that messages do not count.
const sendChunk = 512 << 10

// resource returns the name of a blob for ByteStream, in REv2's grammar:
//
//	name = [instance "/"] ["uploads/" uuid "/"] kind "/" [function "/"] hash "/" size
//	kind = "blobs" | "compressed-blobs/zstd"
//
// The function is never written for SHA-256, which all servers reject, and
// always for BLAKE3.
func (r *Remote) resource(d digest.Digest, upload string, zstd bool) string {
	name := r.conn.Instance()
	if name != "" {
		name += "/"
	}
	if upload != "" {
		name += "uploads/" + upload + "/"
	}
	if zstd {
		name += "compressed-blobs/zstd/"
	} else {
		name += "blobs/"
	}
	if r.function == digest.BLAKE3 {
		name += "blake3/"
	}
	return name + d.String()
}

// A download is a blob on its way in, over as many streams as it takes.
type download struct {
	digest digest.Digest
	into   io.Writer
	hash   hash.Hash
	got    int64 // bytes written to into, from which a broken stream is resumed
}

// Write implements io.Writer.
func (w *download) Write(p []byte) (int, error) {
	if w.got+int64(len(p)) > w.digest.Size {
		return 0, fmt.Errorf("%w: %s is longer", ErrCorrupt, w.digest)
	}
	n, err := w.into.Write(p)
	_, _ = w.hash.Write(p[:n]) // a hash never fails
	w.got += int64(n)
	if err != nil {
		return n, fmt.Errorf("write blob: %w", err)
	}
	return n, nil
}

// check returns why what was written is not the blob, or nil.
func (w *download) check() error {
	switch {
	case w.got < w.digest.Size:
		return fmt.Errorf("%w: %s is shorter", ErrCorrupt, w.digest)
	case [digest.Size]byte(w.hash.Sum(nil)) != w.digest.Hash:
		return fmt.Errorf("%w: %s", ErrCorrupt, w.digest)
	}
	return nil
}

func (r *Remote) newDownload(d digest.Digest, into io.Writer) *download {
	return &download{digest: d, into: into, hash: r.function.NewHash()}
}

// readStream fetches a blob by ByteStream.
func (r *Remote) readStream(ctx context.Context, caps *client.Capabilities, d digest.Digest, into io.Writer) error {
	return r.readRest(ctx, caps, r.newDownload(d, into))
}

// readRest fetches what w lacks of its blob. A stream that broke is resumed,
// without compression: not all servers resume a compressed one.
func (r *Remote) readRest(ctx context.Context, caps *client.Capabilities, w *download) error {
	err := r.conn.Retry(ctx, func(ctx context.Context) error {
		return r.readFrom(ctx, w, caps.StreamZstd && w.got == 0)
	})
	switch {
	case errors.Is(err, client.ErrNotFound):
		return &MissingError{[]digest.Digest{w.digest}}
	case err != nil:
		return fmt.Errorf("read %s: %w", w.digest, err)
	default:
		return w.check()
	}
}

// readFrom reads from where w is to the end. read_limit is never used: half of
// the servers reject or ignore it.
func (r *Remote) readFrom(ctx context.Context, w *download, zstd bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s, err := bytestream.Read(ctx, r.conn, &bytestream.ReadRequest{ResourceName: r.resource(w.digest, "", zstd), Offset: w.got})
	if err != nil {
		return err
	}
	from := &messages{stream: s}
	if !zstd {
		_, err = io.Copy(w, from)
		return err
	}
	decoder, err := newDecoder(from)
	if err != nil {
		return err
	}
	defer decoder.Close()
	if _, err = io.Copy(w, decoder); err != nil && from.err == nil && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("%w: %w", ErrCorrupt, err) // no zstd
	}
	return err
}

// messages reads the data of a stream's messages.
type messages struct {
	stream grpc.ServerStreamingClient[bytestream.ReadResponse]
	rest   []byte
	err    error // the stream's, other than io.EOF
}

// Read implements io.Reader.
func (m *messages) Read(p []byte) (int, error) {
	for len(m.rest) == 0 {
		msg, err := m.stream.Recv()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				m.err = err
			}
			return 0, err
		}
		m.rest = msg.Data
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// writeStream uploads a blob by ByteStream. A stream that broke is begun anew:
// half of the servers do not say how far it came.
func (r *Remote) writeStream(ctx context.Context, caps *client.Capabilities, b Blob) error {
	err := r.conn.Retry(ctx, func(ctx context.Context) error { return r.writeOnce(ctx, b, caps.StreamZstd) })
	if err != nil {
		return fmt.Errorf("upload %s: %w", b.Digest, err)
	}
	return nil
}

func (r *Remote) writeOnce(ctx context.Context, b Blob, zstd bool) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	src, err := b.Open()
	if err != nil {
		return fmt.Errorf("open blob to upload: %w", err)
	}
	defer func() { _ = src.Close() }() // only read from
	s, err := bytestream.Write(ctx, r.conn)
	if err != nil {
		return err
	}
	u := &upload{stream: s, name: r.resource(b.Digest, uuid(), zstd), buf: make([]byte, 0, sendChunk)}
	err = r.copyTo(u, src, b.Digest, zstd)
	if err != nil && !errors.Is(err, errAnswered) {
		return err
	}
	answer, err := s.CloseAndRecv()
	if err != nil {
		return err
	}
	return u.check(answer.CommittedSize, b.Digest.Size, zstd)
}

// copyTo sends src, and finishes the write only if it is what d names.
func (r *Remote) copyTo(u *upload, src io.Reader, d digest.Digest, zstd bool) error {
	h := r.function.NewHash()
	var dst io.Writer = u
	finish := func() error { return nil }
	if zstd {
		encoder, err := newEncoder(u)
		if err != nil {
			return err
		}
		dst, finish = encoder, encoder.Close
	}
	n, err := io.Copy(io.MultiWriter(dst, h), io.LimitReader(src, d.Size+1))
	if err == nil {
		err = finish()
	}
	if err != nil {
		return err
	}
	if n != d.Size || [digest.Size]byte(h.Sum(nil)) != d.Hash {
		return ErrChanged
	}
	return u.flush(true)
}

// errAnswered says that the server answered before it had the whole blob.
var errAnswered = errors.New("server has answered")

// An upload is the writing side of a stream.
type upload struct {
	stream   grpc.ClientStreamingClient[bytestream.WriteRequest, bytestream.WriteResponse]
	name     string
	buf      []byte
	sent     int64 // bytes on the wire
	finished bool
}

// Write implements io.Writer.
func (u *upload) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if len(u.buf) == cap(u.buf) {
			if err := u.flush(false); err != nil {
				return written, err
			}
		}
		n := copy(u.buf[len(u.buf):cap(u.buf)], p)
		u.buf = u.buf[:len(u.buf)+n]
		p = p[n:]
		written += n
	}
	return written, nil
}

func (u *upload) flush(finish bool) error {
	req := &bytestream.WriteRequest{Offset: u.sent, Finish: finish, Data: u.buf}
	if u.sent == 0 {
		req.ResourceName = u.name
	}
	if err := u.stream.Send(req); errors.Is(err, io.EOF) {
		return errAnswered
	} else if err != nil {
		return err
	}
	u.sent += int64(len(u.buf))
	u.buf, u.finished = u.buf[:0], finish
	return nil
}

var errCommitted = errors.New("server did not take the whole blob")

// check judges committed_size. It is the blob's size, or the bytes on the wire
// of a compressed write; of a compressed one of a blob that was there, −1
// (bazel-remote).
func (u *upload) check(committed, size int64, zstd bool) error {
	if committed == size || (zstd && (committed == -1 || (u.finished && committed == u.sent))) {
		return nil
	}
	return fmt.Errorf("%w: committed %d of %d bytes", errCommitted, committed, size)
}

// uuid returns a random UUID (RFC 9562, version 4).
func uuid() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
