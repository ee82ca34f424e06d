package pdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// MSF 7.00, a file of blocks that holds numbered streams. All numbers are
// little-endian.
//
//	file       = superblock free-map-1 free-map-2 block*
//	superblock = magic[32] size:u32 map:u32(1|2) blocks:u32 directory:u32 0:u32
//	             list:u32
//	directory  = streams:u32 length:u32{streams} (block:u32*){streams}
//
// size is that of a block. Of every size blocks those with the numbers 1 and 2 are
// kept for the two free maps, in which a set bit is a free block; map says which of
// the two holds. The directory has directory bytes, in the blocks whose numbers the
// block list holds. A length of FFFFFFFF is a stream that does not exist.
//
// A change never touches what the superblock in force refers to: changed blocks go
// to free ones, then the directory, then the free map not in force, and last the
// superblock, which is within one sector. A writer that is killed in between leaves
// the old content; see Update.Commit.
const (
	msfMagic       = "Microsoft C/C++ MSF 7.00\r\n\x1aDS\x00\x00\x00"
	superblockSize = 56
	blockSize      = 4096 // of files we make
	nilStream      = 0xFFFFFFFF

	// maxStream is what signed lengths can hold.
	maxStream = 1<<31 - 1
	// maxBlocks is what a directory that is listed in one block can hold,
	// and what all readers can number.
	maxBlocks = 1 << 20
)

// A File is what an MSF lies in. Sync makes what was written survive a loss of power.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
}

// An MSF is an open container. Blocks of it are read when they are asked for.
type MSF struct {
	file      io.ReaderAt
	size      uint32 // of a block
	blocks    uint32
	freeMap   uint32 // the one in force
	streams   []stream
	directory []uint32 // blocks of the directory and, last, their list
}

type stream struct {
	length uint32 // nilStream for none
	blocks []uint32
	owned  bool // blocks belongs to an Update and may be changed
}

// ReadMSF reads the directory of an MSF. Blocks that two streams claim are an error.
func ReadMSF(file io.ReaderAt) (*MSF, error) {
	head := make([]byte, superblockSize)
	if _, err := file.ReadAt(head, 0); err != nil {
		return nil, fmt.Errorf("read superblock: %w", orMalformed(err))
	}
	le := binary.LittleEndian
	m := &MSF{file: file, size: le.Uint32(head[32:]), freeMap: le.Uint32(head[36:]), blocks: le.Uint32(head[40:])}
	length := le.Uint32(head[44:])
	switch {
	case !bytes.HasPrefix(head, []byte(msfMagic)):
		return nil, malformed("superblock")
	case m.size != 512 && m.size != 1024 && m.size != 2048 && m.size != 4096:
		return nil, &UnsupportedError{What: "block size", Kind: m.size}
	case m.freeMap != 1 && m.freeMap != 2, m.blocks < 4, m.blocks > maxBlocks:
		return nil, malformed("superblock of %d blocks", m.blocks)
	}
	if _, err := file.ReadAt(head[:1], m.Bytes()-1); err != nil {
		return nil, fmt.Errorf("read %d blocks: %w", m.blocks, orMalformed(err))
	}
	directory, err := m.readDirectory(length, le.Uint32(head[52:]))
	if err != nil {
		return nil, err
	}
	if err := m.parseDirectory(directory); err != nil {
		return nil, err
	}
	_, err = m.used()
	return m, err
}

// orMalformed turns the end of a file that is too short into ErrMalformed.
func orMalformed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return malformed("file too short")
	}
	return err
}

// blocksFor is the number of blocks that length bytes take.
func (m *MSF) blocksFor(length uint32) uint32 {
	if length == nilStream {
		return 0
	}
	return uint32((uint64(length) + uint64(m.size) - 1) / uint64(m.size))
}

func (m *MSF) readDirectory(length, list uint32) ([]byte, error) {
	n := m.blocksFor(length)
	if n == 0 || n > m.size/4 || list >= m.blocks {
		return nil, malformed("directory of %d bytes", length)
	}
	numbers := make([]byte, n*4)
	if err := m.read(numbers, []uint32{list}, 0); err != nil {
		return nil, err
	}
	m.directory = append(m.numbers(numbers), list)
	directory := make([]byte, length)
	return directory, m.read(directory, m.directory[:n], 0)
}

func (m *MSF) numbers(data []byte) []uint32 {
	list := make([]uint32, len(data)/4)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(data[4*i:])
	}
	return list
}

func (m *MSF) parseDirectory(data []byte) error {
	all := m.numbers(data)
	if len(all) == 0 || uint64(all[0]) > uint64(len(all)-1) {
		return malformed("directory")
	}
	lengths, rest := all[1:1+all[0]], all[1+all[0]:]
	m.streams = make([]stream, len(lengths))
	for i, length := range lengths {
		n := m.blocksFor(length)
		if uint64(n) > uint64(len(rest)) {
			return malformed("directory entry %d", i)
		}
		m.streams[i] = stream{length: length, blocks: rest[:n:n]}
		rest = rest[n:]
	}
	return nil
}

// isMapBlock reports whether a block is kept for a free map.
func (m *MSF) isMapBlock(block uint32) bool { return block%m.size == 1 || block%m.size == 2 }

// used returns the set of blocks that are taken. A block that is taken twice, or that
// must not be, is an error.
func (m *MSF) used() (bitmap, error) {
	set := newBitmap(m.blocks)
	set.add(0)
	claim := func(list []uint32) error {
		for _, b := range list {
			if b >= m.blocks || m.isMapBlock(b) || set.has(b) {
				return malformed("block %d", b)
			}
			set.add(b)
		}
		return nil
	}
	if err := claim(m.directory); err != nil {
		return nil, err
	}
	for _, s := range m.streams {
		if err := claim(s.blocks); err != nil {
			return nil, err
		}
	}
	return set, nil
}

// Streams is the number of streams, those that do not exist included.
func (m *MSF) Streams() int { return len(m.streams) }

// Length is that of stream i, 0 where there is none.
func (m *MSF) Length(i int) int64 {
	if i < 0 || i >= len(m.streams) || m.streams[i].length == nilStream {
		return 0
	}
	return int64(m.streams[i].length)
}

// Bytes is the size of the file.
func (m *MSF) Bytes() int64 { return int64(m.blocks) * int64(m.size) }

// ReadStream fills data with the content of stream i from offset at on.
func (m *MSF) ReadStream(i int, data []byte, at int64) error {
	if at < 0 || at+int64(len(data)) > m.Length(i) {
		return malformed("stream %d ends before %d", i, at+int64(len(data)))
	}
	if len(data) == 0 {
		return nil
	}
	return m.read(data, m.streams[i].blocks, uint32(at))
}

// Stream returns the whole content of stream i.
func (m *MSF) Stream(i int) ([]byte, error) {
	data := make([]byte, m.Length(i))
	return data, m.ReadStream(i, data, 0)
}

// read reads from the bytes that blocks hold, neighbours at once.
func (m *MSF) read(data []byte, blocks []uint32, at uint32) error {
	first, within := at/m.size, at%m.size
	for blocks = blocks[first:]; len(data) > 0; within = 0 {
		run := 1
		for run < len(blocks) && blocks[run] == blocks[0]+uint32(run) {
			run++
		}
		n := min(len(data), run*int(m.size)-int(within))
		if got, err := m.file.ReadAt(data[:n], int64(blocks[0])*int64(m.size)+int64(within)); got < n {
			return fmt.Errorf("read block %d: %w", blocks[0], orMalformed(err))
		}
		data, blocks = data[n:], blocks[run:]
	}
	return nil
}

// A bitmap is a set of block numbers.
type bitmap []uint64

func newBitmap(n uint32) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i uint32) bool {
	return i/64 < uint32(len(b)) && b[i/64]&(1<<(i%64)) != 0
}

func (b bitmap) remove(i uint32) { b[i/64] &^= 1 << (i % 64) }

// join adds what is in other.
func (b *bitmap) join(other bitmap) {
	for len(*b) < len(other) {
		*b = append(*b, 0)
	}
	for i, word := range other {
		(*b)[i] |= word
	}
}

// add puts i in, making room for it.
func (b *bitmap) add(i uint32) {
	for i/64 >= uint32(len(*b)) {
		*b = append(*b, 0)
	}
	(*b)[i/64] |= 1 << (i % 64)
}

func (b bitmap) clone() bitmap { return slices.Clone(b) }
