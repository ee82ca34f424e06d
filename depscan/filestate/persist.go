package filestate

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A snapshot is
//
//	snapshot = magic machine { 0x01 entry } 0x00 sum ;
//	magic    = "rexwrap filestate 1" 0x0a ;      (* the format's version *)
//	machine  = 32 bytes ;                        (* SHA-256 of the machine id *)
//	entry    = shared length suffix volume ino size mtime ctime day hash ;
//	shared   = uvarint ;                         (* bytes in common with the path before *)
//	length   = uvarint ; suffix = bytes ;        (* the rest of the path *)
//	volume   = 16 bytes ;                        (* volumeID *)
//	ino      = uvarint ; size = uvarint ;
//	mtime    = varint ; ctime = varint ;         (* nanoseconds since 1970 *)
//	day      = uvarint ;                         (* last used, in days since 1970 *)
//	hash     = 32 bytes ;                        (* SHA-256 of the content *)
//	sum      = 32 bytes ;                        (* SHA-256 of all before *)
//
// Entries are sorted by path. Only files on ext4, xfs, btrfs and zfs are in it:
// their identity survives a restart. It is f_fsid of statfs(2) where that is made
// from the UUID (ext4: its halves xored; btrfs: the same with the subvolume's
// number; zfs: the data set's GUID), and the UUID itself for xfs. f_fsid of ext4
// has 64 bits; that a key of another file system agrees in it, and in inode, size
// and two times in nanoseconds, is not to be feared.
const snapshotMagic = "rexwrap filestate 1\n"

// ErrSnapshot is wrapped by Load's errors for what is no snapshot of this version
// and machine.
var ErrSnapshot = errors.New("no usable snapshot")

const (
	// maxPath bounds the paths of a snapshot, in bytes.
	maxPath = 1 << 14
	// maxIdle is the number of days that an unused entry is carried along.
	maxIdle = 30
)

// restored holds the entries of a loaded snapshot.
type restored struct {
	mu      sync.RWMutex
	entries map[string]entry
}

type entry struct {
	key    key // dev is 0
	volume volumeID
	digest digest.Digest
	day    uint64
}

func (r *restored) get(path string) (entry, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.entries[path]
	return e, ok
}

// Snapshot writes what may be remembered across restarts to w. On a machine
// without an id that is nothing.
func (s *State) Snapshot(w io.Writer) error {
	machine, err := s.machine()
	if err != nil {
		return err
	}
	entries := s.lasting()
	paths := make([]string, 0, len(entries))
	for p := range entries {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	out := bufio.NewWriterSize(w, 64<<10)
	sum := sha256.New()
	enc := encoder{w: io.MultiWriter(out, sum)}
	enc.bytes([]byte(snapshotMagic))
	enc.bytes(machine[:])
	for _, p := range paths {
		enc.entry(p, entries[p])
	}
	enc.bytes([]byte{0})
	enc.w = out
	enc.bytes(sum.Sum(nil))
	return cmp.Or(enc.err, out.Flush())
}

// lasting returns what can be believed after a restart.
func (s *State) lasting() map[string]entry {
	now := s.source.now()
	day := uint64(max(0, now.real) / int64(24*time.Hour))
	out := map[string]entry{}
	s.restored.mu.RLock()
	for p, e := range s.restored.entries {
		if e.day+maxIdle >= day {
			out[p] = e
		}
	}
	s.restored.mu.RUnlock()
	s.files.each(func(n *node) {
		o := n.seen.Load()
		if o == nil || o.class != local || o.safe == never || o.key.ctime+o.key.gap() >= now.real || len(n.path) > maxPath {
			return
		}
		vol := s.volumes.of(s.source, n.path, o.key.dev, now)
		if vol.id == (volumeID{}) {
			return
		}
		e := entry{key: o.key, volume: vol.id, digest: o.content.digest, day: day}
		e.key.dev = 0
		out[n.name()] = e
	})
	return out
}

// encoder writes a snapshot.
type encoder struct {
	w    io.Writer
	err  error
	buf  []byte
	last string
}

func (enc *encoder) bytes(b []byte) {
	if enc.err == nil {
		_, enc.err = enc.w.Write(b)
	}
}

func (enc *encoder) entry(path string, e entry) {
	shared := 0
	for shared < min(len(path), len(enc.last)) && path[shared] == enc.last[shared] {
		shared++
	}
	enc.last = path
	b := append(enc.buf[:0], 1)
	b = binary.AppendUvarint(b, uint64(shared))
	b = binary.AppendUvarint(b, uint64(len(path)-shared))
	b = append(b, path[shared:]...)
	b = append(b, e.volume[:]...)
	b = binary.AppendUvarint(b, e.key.ino)
	b = binary.AppendUvarint(b, uint64(e.key.size))
	b = binary.AppendVarint(b, e.key.mtime)
	b = binary.AppendVarint(b, e.key.ctime)
	b = binary.AppendUvarint(b, e.day)
	b = append(b, e.digest.Hash[:]...)
	enc.bytes(b)
	enc.buf = b
}

// Load takes over what Snapshot wrote. A snapshot that is damaged, of another
// version or of another machine is an error that wraps ErrSnapshot and adds
// nothing; what is remembered already is kept in any case.
func (s *State) Load(r io.Reader) error {
	machine, err := s.machine()
	if err != nil {
		return err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read snapshot: %w", err)
	}
	entries, err := decode(data, machine, s.opts.Limit)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	s.restored.mu.Lock()
	defer s.restored.mu.Unlock()
	s.restored.entries = entries
	return nil
}

func decode(data []byte, machine [sha256.Size]byte, limit int) (map[string]entry, error) {
	body, ok := bytes.CutPrefix(data, []byte(snapshotMagic))
	if !ok || len(body) < 2*sha256.Size {
		return nil, errors.New("unknown format")
	}
	if !bytes.HasPrefix(body, machine[:]) {
		return nil, errors.New("from another machine")
	}
	end := len(data) - sha256.Size
	if sum := sha256.Sum256(data[:end]); !bytes.Equal(sum[:], data[end:]) {
		return nil, errors.New("damaged")
	}
	dec := decoder{rest: body[sha256.Size : len(body)-sha256.Size]}
	entries := map[string]entry{}
	for dec.bytes(1)[0] == 1 && len(entries) < limit {
		path, e := dec.entry()
		if dec.short {
			return nil, errors.New("cut short")
		}
		entries[path] = e
	}
	return entries, nil
}

// decoder reads the entries of a snapshot.
type decoder struct {
	rest []byte
	path []byte
	// short is set when more was wanted than there is.
	short bool
}

func (dec *decoder) entry() (string, entry) {
	shared, length := dec.uvarint(), dec.uvarint()
	if shared > uint64(len(dec.path)) || length > maxPath {
		dec.short = true
		return "", entry{}
	}
	dec.path = append(dec.path[:shared], dec.bytes(int(length))...)
	var e entry
	copy(e.volume[:], dec.bytes(len(e.volume)))
	e.key.ino, e.key.size = dec.uvarint(), int64(dec.uvarint())
	e.key.mtime, e.key.ctime = dec.varint(), dec.varint()
	e.day = dec.uvarint()
	e.digest.Size = e.key.size
	copy(e.digest.Hash[:], dec.bytes(digest.Size))
	return string(dec.path), e
}

// bytes returns the next n bytes, zero bytes where there are fewer.
func (dec *decoder) bytes(n int) []byte {
	if n > len(dec.rest) {
		dec.short, dec.rest = true, nil
		return make([]byte, n)
	}
	b := dec.rest[:n]
	dec.rest = dec.rest[n:]
	return b
}

func (dec *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(dec.rest)
	dec.bytes(max(n, 1))
	return v
}

func (dec *decoder) varint() int64 {
	v, n := binary.Varint(dec.rest)
	dec.bytes(max(n, 1))
	return v
}

// machine returns the hash of this machine's id, which is itself not to be shown
// (machine-id(5)).
func (s *State) machine() ([sha256.Size]byte, error) {
	id, err := os.ReadFile(s.machineID)
	if err != nil {
		return [sha256.Size]byte{}, fmt.Errorf("read machine id: %w", err)
	}
	if id = bytes.TrimSpace(id); len(id) < 32 {
		return [sha256.Size]byte{}, errors.New("machine has no id")
	}
	return sha256.Sum256(append([]byte("rexwrap filestate "), id...)), nil
}
