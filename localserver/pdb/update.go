package pdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// A Container is an MSF that is written to. Its streams change by Updates.
type Container struct {
	MSF
	file File
	// taken are the blocks that the superblock in force, or one that a
	// failed commit may have written, refers to.
	taken bitmap
	// next is where the search for a free block goes on.
	next uint32
	// ragged is set while the file may end elsewhere than behind its last
	// block, as a write that was cut short leaves it. Some readers refuse
	// such files.
	ragged bool
	// Durable makes commits wait until the disk has what they wrote.
	Durable bool
}

// ErrFull is returned where a container would outgrow its format.
var ErrFull = errors.New("container is full")

// NewContainer returns an empty container with n streams, none of which exists. Nothing
// is written before the first commit.
func NewContainer(file File, n int) *Container {
	c := &Container{MSF: MSF{file: file, size: blockSize, freeMap: 2, blocks: 3}, file: file}
	c.streams = make([]stream, n)
	for i := range c.streams {
		c.streams[i].length = nilStream
	}
	c.taken.add(0)
	return c
}

// OpenContainer opens the container in file for changes.
func OpenContainer(file File) (*Container, error) {
	m, err := ReadMSF(file)
	if err != nil {
		return nil, err
	}
	c := &Container{MSF: *m, file: file, ragged: true}
	c.taken, err = m.used()
	return c, err
}

// Move goes on in another file that holds the same bytes.
func (c *Container) Move(file File) { c.MSF.file, c.file = file, file }

// An Update is a set of changes that come into force together.
type Update struct {
	c       *Container
	streams []stream
	taken   bitmap
	fresh   bitmap // blocks allocated by this update
	blocks  uint32
	err     error
}

// Begin starts an Update. One that is not committed leaves no trace.
func (c *Container) Begin() *Update {
	return &Update{c: c, streams: slices.Clone(c.streams), taken: c.taken.clone(), blocks: c.blocks}
}

// Write replaces the bytes of a stream from offset at, which is at most its length, by
// data; the stream grows where data goes beyond its end. The first error stays and is
// returned by Commit.
func (u *Update) Write(number int, at int64, data []byte) {
	if u.err == nil {
		u.err = u.write(&u.streams[number], at, data)
	}
}

// Truncate shortens a stream to length, or makes an empty one.
func (u *Update) Truncate(number int, length int64) {
	s := &u.streams[number]
	if u.err == nil && (s.length == nilStream || length < int64(s.length)) {
		s.length = uint32(length)
		s.blocks = s.blocks[:u.c.blocksFor(s.length)]
	}
}

func (u *Update) write(s *stream, at int64, data []byte) error {
	if s.length == nilStream {
		s.length = 0
	}
	if at > int64(s.length) || at+int64(len(data)) > maxStream {
		return fmt.Errorf("write %d bytes at %d of %d: %w", len(data), at, s.length, ErrFull)
	}
	if !s.owned {
		s.blocks, s.owned = slices.Clone(s.blocks), true
	}
	for len(data) > 0 {
		n, err := u.writeSome(s, at, data)
		if err != nil {
			return err
		}
		at, data = at+int64(n), data[n:]
		s.length = max(s.length, uint32(at))
	}
	return nil
}

// writeSome writes the start of data, up to the end of a block or of a run of new
// blocks, and returns how much that was.
func (u *Update) writeSome(s *stream, at int64, data []byte) (int, error) {
	size := int(u.c.size)
	i, within := int(at)/size, int(at)%size
	if i == len(s.blocks) && len(data) >= 2*size {
		return u.writeRun(s, data)
	}
	block := make([]byte, size)
	if err := u.load(s, i, block); err != nil {
		return 0, err
	}
	n := copy(block[within:], data)
	return n, u.place(s, i, block)
}

// writeRun appends whole blocks to s, as many as lie side by side.
func (u *Update) writeRun(s *stream, data []byte) (int, error) {
	size := int(u.c.size)
	var first uint32
	n := 0
	for ; (n+1)*size <= len(data); n++ {
		b, err := u.allocate()
		if err != nil {
			return 0, err
		}
		if n == 0 {
			first = b
		} else if b != first+uint32(n) {
			u.release(b)
			break
		}
		s.blocks = append(s.blocks, b)
	}
	return n * size, u.put(first, data[:n*size])
}

// load reads block i of s, or zeroes where there is none.
func (u *Update) load(s *stream, i int, block []byte) error {
	clear(block)
	if i >= len(s.blocks) {
		return nil
	}
	return u.c.read(block, s.blocks[i:i+1], 0)
}

// place writes block i of s, into a free place unless it is the update's own already.
func (u *Update) place(s *stream, i int, block []byte) error {
	if i < len(s.blocks) && u.fresh.has(s.blocks[i]) {
		return u.put(s.blocks[i], block)
	}
	b, err := u.allocate()
	if err != nil {
		return err
	}
	if i < len(s.blocks) {
		s.blocks[i] = b
	} else {
		s.blocks = append(s.blocks, b)
	}
	return u.put(b, block)
}

func (u *Update) put(number uint32, data []byte) error {
	if _, err := u.c.file.WriteAt(data, int64(number)*int64(u.c.size)); err != nil {
		return fmt.Errorf("write block %d: %w", number, err)
	}
	return nil
}

// allocate takes a free block: one that was freed before, else a new one at the end.
func (u *Update) allocate() (uint32, error) {
	c := u.c
	for ; c.next < u.blocks; c.next++ {
		if !c.isMapBlock(c.next) && !u.taken.has(c.next) {
			return u.take(c.next), nil
		}
	}
	for c.isMapBlock(u.blocks) {
		u.blocks++
	}
	if u.blocks >= maxBlocks {
		return 0, ErrFull
	}
	u.blocks++
	return u.take(u.blocks - 1), nil
}

func (u *Update) take(b uint32) uint32 {
	u.taken.add(b)
	u.fresh.add(b)
	return b
}

func (u *Update) release(b uint32) {
	u.taken.remove(b)
	u.fresh.remove(b)
	u.c.next = min(u.c.next, b)
}

// Commit brings the update into force: changed blocks, directory and free map are
// written before the superblock that refers to them, and nothing that the old one
// refers to is written at all. A process killed within Commit leaves the old content
// or the new. With Durable that holds for a loss of power as well; without it such a
// loss can leave anything, as with files that compilers write.
//
// After an error the container is as before and can be updated again; readers of the
// file see the old content or, where writing the superblock itself failed, one of both.
func (u *Update) Commit() error {
	err := u.err
	var directory *stream
	if err == nil {
		directory, err = u.writeDirectory()
	}
	if err == nil {
		err = u.publish(directory)
	}
	if err != nil {
		u.c.ragged = true
		_ = u.trim() // else the next commit does
	}
	u.c.next = 0
	return err
}

// trim cuts or extends the file to whole blocks, no less than any superblock counts.
func (u *Update) trim() error {
	if !u.c.ragged {
		return nil
	}
	if err := u.c.file.Truncate(int64(u.blocks) * int64(u.c.size)); err != nil {
		return fmt.Errorf("set file size: %w", err)
	}
	u.c.ragged = false
	return nil
}

// writeDirectory returns the directory as if it were a stream; the last of its blocks
// is the list of the others.
func (u *Update) writeDirectory() (*stream, error) {
	data := binary.LittleEndian.AppendUint32(nil, uint32(len(u.streams)))
	for _, s := range u.streams {
		data = binary.LittleEndian.AppendUint32(data, s.length)
	}
	for _, s := range u.streams {
		data = appendNumbers(data, s.blocks)
	}
	directory := &stream{owned: true}
	if err := u.write(directory, 0, data); err != nil {
		return nil, err
	}
	list := make([]byte, 0, u.c.size)
	list = appendNumbers(list, directory.blocks)
	if len(list) > int(u.c.size) {
		return nil, ErrFull
	}
	if err := u.place(directory, len(directory.blocks), list[:u.c.size]); err != nil {
		return nil, err
	}
	return directory, nil
}

// publish makes the MSF with this directory the one in force.
func (u *Update) publish(directory *stream) error {
	next := u.c.MSF
	for i := range u.streams {
		u.streams[i].owned = false
	}
	next.streams, next.blocks, next.directory, next.freeMap = u.streams, u.blocks, directory.blocks, 3-u.c.freeMap
	set, err := next.used()
	if err != nil {
		return err
	}
	if err := u.writeFreeMap(&next, set); err != nil {
		return err
	}
	if err := u.trim(); err != nil {
		return err
	}
	if err := u.sync(); err != nil {
		return err
	}
	u.c.taken.join(set) // whichever superblock holds when the next lines fail
	u.c.blocks = u.blocks
	head := append(make([]byte, 0, superblockSize), msfMagic...)
	list := next.directory[len(next.directory)-1]
	head = appendNumbers(head, []uint32{next.size, next.freeMap, next.blocks, directory.length, 0, list})
	if _, err := u.c.file.WriteAt(head, 0); err != nil {
		return fmt.Errorf("write superblock: %w", err)
	}
	if err := u.sync(); err != nil {
		return err
	}
	u.c.MSF, u.c.taken = next, set
	return nil
}

func (u *Update) sync() error {
	if !u.c.Durable {
		return nil
	}
	return u.c.file.Sync()
}

// writeFreeMap writes the blocks of next's free map: the nth covers the nth 8 × size
// blocks of the file and lies in the nth size blocks. The seven of eight that would
// cover nothing stay as they are.
func (u *Update) writeFreeMap(next *MSF, set bitmap) error {
	block := make([]byte, next.size)
	covers := next.size * 8
	for n := uint32(0); n*covers < next.blocks; n++ {
		for i := range block {
			block[i] = 0xFF
		}
		for b := n * covers; b < min((n+1)*covers, next.blocks); b++ {
			if set.has(b) || next.isMapBlock(b) {
				block[b%covers/8] &^= 1 << (b % 8)
			}
		}
		if err := u.put(n*next.size+next.freeMap, block); err != nil {
			return err
		}
	}
	return nil
}
