package diskstore

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/rexwrap/rexwrap/client/digest"
)

// wholeMax is the largest blob that is handled in memory as a whole.
const wholeMax = 4 << 20

// PutBlob stores data. The digest is returned even where storing fails.
func (s *Store) PutBlob(data []byte) (digest.Digest, error) { return s.putBlob(data, false) }

// putBlob is PutBlob, or stores data where it is not evicted.
func (s *Store) putBlob(data []byte, pinned bool) (digest.Digest, error) {
	d := digest.Of(data)
	key := blobKey(d.Hash, pinned)
	if len(data) <= InlineMax {
		if _, err := s.record(key); err == nil {
			return d, nil
		}
		if err := s.writable(); err != nil {
			return d, err
		}
		r := s.pack(data)
		return d, s.enter(key, &r)
	}
	return d, s.store(key, int64(len(data)), func() (*record, error) {
		return s.writeBlob(d, data)
	})
}

func blobKey(hash [digest.Size]byte, pinned bool) string {
	if pinned {
		return string(kindPinned) + string(hash[:])
	}
	return string(kindBlob) + string(hash[:])
}

func hashOf(key string) [digest.Size]byte { return [digest.Size]byte([]byte(key[1:])) }

// store makes the entry of key by write, unless it is there. Two at once write
// once.
func (s *Store) store(key string, size int64, write func() (*record, error)) error {
	for {
		if s.present(key) {
			return nil
		}
		if err := s.writable(); err != nil {
			return err
		}
		s.mu.Lock()
		other, busy := s.storing[key[1:]]
		if !busy {
			s.storing[key[1:]] = make(chan struct{})
			s.mu.Unlock()
			break
		}
		s.mu.Unlock()
		<-other
	}
	defer s.release(key[1:])
	size = (size + 2*4096 - 1) &^ 4095
	if err := s.reserve(size); err != nil {
		return err
	}
	r, err := write()
	if err == nil {
		err = s.enter(key, r)
	}
	s.mu.Lock()
	s.reserved -= size
	s.mu.Unlock()
	if err = typed(err); errors.Is(err, ErrFull) || errors.Is(err, ErrReadOnly) {
		s.report(err)
	}
	return err
}

// present reports whether key has an entry, and its file if it is one.
func (s *Store) present(key string) bool {
	r, err := s.record(key)
	if err != nil {
		return false
	}
	if r.onFile() {
		if _, err := os.Stat(s.layout.blob(hashOf(key), r.form)); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				s.drop(key)
			}
			return false
		}
	}
	s.touch(key, &r)
	return true
}

// writeBlob writes the file of a blob.
func (s *Store) writeBlob(d digest.Digest, data []byte) (*record, error) {
	r := &record{form: formFile, size: d.Size, check: xxhash.Sum64(data)}
	if s.packs(d.Size) {
		if z := s.pack(data); z.form == formZstd {
			r.form, data = formFileZstd, z.data
		}
	}
	err := s.writeFile(d, r, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
	return r, err
}

// plainMin is the size in bytes from which on a blob is kept as it is while there
// is room: to compress the programs and libraries of a build, which are written
// faster than anything else, would cost a tenth of it and more.
const plainMin = 256 << 10

// plainMax is the size in bytes up to which nothing is won: a file takes a block,
// and to decompress it takes longer than to read it.
const plainMax = 4 << 10

// packs reports whether a blob's file is to be compressed.
func (s *Store) packs(size int64) bool {
	return !s.cloned && size > plainMax && (size < plainMin || s.used()+size > s.limit.Load()/2)
}

// writeFile makes a blob's file by fill and sets r.cost.
func (s *Store) writeFile(d digest.Digest, r *record, fill func(*os.File) error) error {
	path := s.layout.blob(d.Hash, r.form)
	f, err := createTemp(path)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		var fi fs.FileInfo
		if fi, err = f.Stat(); err == nil {
			r.cost = max(blocks(fi), (fi.Size()+4095)&^4095)
		}
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // else the sweep does
	}
	return err
}

// createTemp makes the file that is to be renamed to path.
func createTemp(path string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_CREATE | os.O_TRUNC
	f, err := os.OpenFile(path+".tmp", flags, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		if err := dirOf(path); err != nil {
			return nil, err
		}
		f, err = os.OpenFile(path+".tmp", flags, 0o600)
	}
	return f, err
}

// PutBlobFile stores what f holds from its beginning. f's offset is left
// undefined.
func (s *Store) PutBlobFile(f *os.File) (digest.Digest, error) {
	fi, err := f.Stat()
	if err != nil {
		return digest.Digest{}, err
	}
	if fi.Size() <= wholeMax {
		data := make([]byte, fi.Size())
		if _, err := io.ReadFull(io.NewSectionReader(f, 0, fi.Size()), data); err != nil {
			return digest.Digest{}, fmt.Errorf("read %s: %w", f.Name(), err)
		}
		return s.PutBlob(data)
	}
	if !s.cloned && !s.packs(fi.Size()) && s.writable() == nil {
		return s.spool(f, fi.Size())
	}
	d, err := digest.Read(io.NewSectionReader(f, 0, fi.Size()), make([]byte, 256<<10))
	if err != nil {
		return digest.Digest{}, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return d, s.store(blobKey(d.Hash, false), d.Size, func() (*record, error) {
		return s.writeLarge(d, f)
	})
}

// spool stores what src holds as it is, reading it once: the blob's name is known
// when it has been written under another one.
func (s *Store) spool(src *os.File, size int64) (digest.Digest, error) {
	var nonce digest.Digest
	_, _ = rand.Read(nonce.Hash[:]) // never fails
	defer s.hold(nonce.Hash)()
	if err := s.reserve(size); err != nil {
		return digest.Digest{}, err
	}
	var d digest.Digest
	r := &record{form: formFile, size: size}
	check := xxhash.New()
	err := s.writeFile(nonce, r, func(dst *os.File) error {
		var err error
		from := io.TeeReader(io.NewSectionReader(src, 0, size), io.MultiWriter(check, dst))
		if d, err = digest.Read(from, make([]byte, 256<<10)); err == nil && d.Size != size {
			err = errMoving
		}
		return err
	})
	s.mu.Lock()
	s.reserved -= size
	s.mu.Unlock()
	if err != nil {
		return digest.Digest{}, typed(err)
	}
	r.check = check.Sum64()
	spooled := s.layout.blob(nonce.Hash, formFile)
	err = s.store(blobKey(d.Hash, false), size, func() (*record, error) {
		path := s.layout.blob(d.Hash, formFile)
		if err := dirOf(path); err != nil {
			return nil, err
		}
		return r, rename(spooled, path)
	})
	_ = os.Remove(spooled) // it is there where the blob was before
	return d, err
}

// hold keeps the sweep from the files of hash until release is called.
func (s *Store) hold(hash [digest.Size]byte) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.storing[string(hash[:])] = make(chan struct{})
	return func() { s.release(string(hash[:])) }
}

// release ends what storing holds of a hash.
func (s *Store) release(hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.storing[hash])
	delete(s.storing, hash)
}

// errMoving is the error for a file that changes while it is stored.
var errMoving = errors.New("file changes while it is stored")

// writeLarge writes the file of a blob that src holds.
func (s *Store) writeLarge(d digest.Digest, src *os.File) (*record, error) {
	r := &record{form: formFileZstd, size: d.Size}
	if s.cloned {
		r.form = formFile
	}
	check := xxhash.New()
	err := s.writeFile(d, r, func(dst *os.File) error {
		var seen digest.Digest
		var err error
		buf := make([]byte, 256<<10)
		from := io.TeeReader(io.NewSectionReader(src, 0, d.Size), check)
		switch {
		case s.cloned && clone(dst, src) == nil:
			seen, err = digest.Read(io.TeeReader(dst, check), buf)
		case s.cloned:
			seen, err = digest.Read(io.TeeReader(from, dst), buf)
		default:
			seen, err = s.deflate(dst, from, buf)
		}
		if err == nil && seen != d {
			err = errMoving
		}
		return err
	})
	r.check = check.Sum64()
	return r, err
}

// deflate writes src to dst as a zstd frame and returns src's digest.
func (s *Store) deflate(dst io.Writer, src io.Reader, buf []byte) (digest.Digest, error) {
	z, err := zstd.NewWriter(dst, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return digest.Digest{}, err
	}
	d, err := digest.Read(io.TeeReader(src, z), buf)
	if e := z.Close(); err == nil {
		err = e
	}
	return d, err
}

// HasBlob reports whether the index knows d, and marks it as used.
func (s *Store) HasBlob(d digest.Digest) bool {
	key := blobKey(d.Hash, false)
	r, err := s.record(key)
	if err != nil || r.size != d.Size {
		return false
	}
	s.touch(key, &r)
	return true
}

// Blob returns the bytes of d, verified, or ErrNotFound.
func (s *Store) Blob(d digest.Digest) ([]byte, error) {
	return s.blob(blobKey(d.Hash, false), d.Size)
}

func (s *Store) blob(key string, size int64) ([]byte, error) {
	r, err := s.record(key)
	if err != nil || r.size != size {
		return nil, ErrNotFound
	}
	var data []byte
	if r.onFile() {
		data, err = s.readFile(key, &r)
	} else if data, err = s.unpack(key, &r); err != nil {
		s.corrupted(key, &r)
	}
	if err != nil {
		return nil, ErrNotFound
	}
	s.touch(key, &r)
	return data, nil
}

// corrupted drops a blob whose bytes are not what they were.
func (s *Store) corrupted(key string, r *record) {
	s.corrupt.Add(1)
	s.opts.Log.Warn().Str("blob", digest.Digest{Hash: hashOf(key)}.Hex()).Msg("damaged blob dropped")
	s.drop(key)
}

// openFile opens the file of a blob. One that is gone is dropped.
func (s *Store) openFile(key string, r *record) (*os.File, error) {
	f, err := os.Open(s.layout.blob(hashOf(key), r.form))
	if errors.Is(err, fs.ErrNotExist) {
		s.drop(key)
	}
	return f, err
}

// readFile returns the bytes of a blob on file.
func (s *Store) readFile(key string, r *record) ([]byte, error) {
	f, err := s.openFile(key, r)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data := make([]byte, fi.Size())
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	if r.form == formFileZstd {
		data, err = s.inflate(data, r.size)
	}
	if err != nil || int64(len(data)) != r.size || xxhash.Sum64(data) != r.check {
		s.corrupted(key, r)
		return nil, errRecord
	}
	return data, nil
}

// OpenBlob returns a reader of d, or ErrNotFound. Its last Read returns
// ErrNotFound in place of io.EOF where the bytes read do not have the digest d.
func (s *Store) OpenBlob(d digest.Digest) (io.ReadCloser, error) {
	key := blobKey(d.Hash, false)
	r, err := s.record(key)
	if err != nil || r.size != d.Size {
		return nil, ErrNotFound
	}
	if r.size <= wholeMax || !r.onFile() {
		data, err := s.Blob(d)
		if err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}
	f, err := s.openFile(key, &r)
	if err != nil {
		return nil, ErrNotFound
	}
	s.touch(key, &r)
	br := &blobReader{s: s, key: key, record: r, file: f, from: f, check: xxhash.New()}
	if r.form == formFileZstd {
		z, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
		if err != nil {
			f.Close()
			return nil, err
		}
		br.from, br.zip = z, z
	}
	return br, nil
}

// A blobReader reads a blob on file and compares its checksum.
type blobReader struct {
	s      *Store
	key    string
	record record
	file   *os.File
	from   io.Reader
	zip    *zstd.Decoder
	check  *xxhash.Digest
	n      int64
}

func (br *blobReader) Read(p []byte) (int, error) {
	n, err := br.from.Read(p)
	_, _ = br.check.Write(p[:n]) // a hash never fails
	br.n += int64(n)
	switch {
	case err == io.EOF && br.n == br.record.size && br.check.Sum64() == br.record.check:
		return n, io.EOF
	case err != nil:
		br.s.corrupted(br.key, &br.record)
		return n, ErrNotFound
	}
	return n, nil
}

func (br *blobReader) Close() error {
	if br.zip != nil {
		br.zip.Close()
	}
	return br.file.Close()
}

// CopyTo writes d to dst, an empty file open for writing, by reflink where the
// file system can and by copying where it cannot. On error, ErrNotFound for a
// blob that is absent or damaged, dst may hold a part.
func (s *Store) CopyTo(d digest.Digest, dst *os.File) error {
	key := blobKey(d.Hash, false)
	r, err := s.record(key)
	if err != nil || r.size != d.Size {
		return ErrNotFound
	}
	if r.form == formFile && s.cloned {
		if done, err := s.cloneTo(key, &r, dst); done {
			return err
		}
	}
	if r.size <= wholeMax || !r.onFile() {
		data, err := s.Blob(d)
		if err == nil {
			_, err = dst.Write(data)
		}
		return err
	}
	from, err := s.OpenBlob(d)
	if err != nil {
		return err
	}
	defer from.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{dst}, from, make([]byte, 256<<10))
	return err
}

// cloneTo makes dst share the blob's disk space and compares what dst holds then.
// done is false where the two are on different file systems.
func (s *Store) cloneTo(key string, r *record, dst *os.File) (done bool, err error) {
	src, err := s.openFile(key, r)
	if err != nil {
		return true, ErrNotFound
	}
	defer src.Close()
	if clone(dst, src) != nil {
		return false, nil
	}
	check := xxhash.New()
	n, err := io.CopyBuffer(check, struct{ io.Reader }{src}, make([]byte, 128<<10))
	if err != nil || n != r.size || check.Sum64() != r.check {
		s.corrupted(key, r)
		return true, ErrNotFound
	}
	s.touch(key, r)
	return true, nil
}

// parseName returns what a file below blobs is, by its name.
func parseName(name string) (hash [digest.Size]byte, f form, temp, ok bool) {
	name, temp = strings.CutSuffix(name, ".tmp")
	f = formFile
	if bare, zipped := strings.CutSuffix(name, ".zst"); zipped {
		name, f = bare, formFileZstd
	}
	d, err := digest.Parse(name + "/0")
	return d.Hash, f, temp, err == nil
}
