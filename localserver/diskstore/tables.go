package diskstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables verifies the checksums of every table of the badger in dir. badger
// itself does so too late: a damaged table ends the process from a goroutine of
// badger's, which nobody can catch.
func checkTables(dir string, opts badger.Options) error {
	f, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // badger begins anew
	}
	if err != nil {
		return err
	}
	defer f.Close()
	manifest, _, err := badger.ReplayManifestFile(f, opts.ExternalMagicVersion, opts)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamaged, err)
	}
	for id := range manifest.Tables {
		if err := checkTable(table.NewFilename(id, dir)); err != nil {
			return err
		}
	}
	return nil
}

// checkTable verifies one table (badger v4, package table):
//
//	table = { block } index length(index) checksum length(checksum) ;
//	block = entries offsets count checksum length(checksum) ;
//
// length and count are u32, big endian; the index is the flatbuffer TableIndex, a
// checksum the protobuf Checksum of all before it in the block, or of the index.
func checkTable(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	damaged := fmt.Errorf("%w: table %s", errDamaged, filepath.Base(path))
	rest, sum, ok := cutTail(data)
	if !ok {
		return damaged
	}
	_, index, ok := cutTail(rest)
	if !ok || !summed(index, sum) {
		return damaged
	}
	root := fb.GetRootAsTableIndex(index, 0)
	var at fb.BlockOffset
	for i := range root.OffsetsLength() {
		if !root.Offsets(&at, i) || uint64(at.Offset())+uint64(at.Len()) > uint64(len(rest)) {
			return damaged
		}
		block := data[at.Offset():][:at.Len()]
		body, sum, ok := cutTail(block)
		if !ok || !summed(body, sum) {
			return damaged
		}
	}
	return nil
}

// cutTail splits what its own length follows off the end of b.
func cutTail(b []byte) (before, tail []byte, ok bool) {
	if len(b) < 4 {
		return nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b[len(b)-4:]))
	b = b[:len(b)-4]
	if n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:len(b)-int(n)], b[len(b)-int(n):], true
}

// summed reports whether data has the encoded checksum.
func summed(data, sum []byte) bool {
	var want pb.Checksum
	if len(sum) == 0 || proto.Unmarshal(sum, &want) != nil || want.Algo > pb.Checksum_XXHash64 {
		return false
	}
	return y.VerifyChecksum(data, &want) == nil
}
