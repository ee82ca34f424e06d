package diskstore

import (
	"encoding/binary"
	"encoding/json"
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

// maxUnclean is the number of unclean ends in a row after which no table is
// believed to be sound.
const maxUnclean = 2

// A seal says which tables of an index were found, or written, sound, so that
// opening need not read them all. It is the JSON file v1/checked.
type seal struct {
	// Unclean counts the times that the index was opened since it was last
	// closed in order or found sound as a whole. A table that was damaged
	// without a trace may have ended them.
	Unclean int `json:"unclean"`
	// Tables maps file names to what stamp says of them.
	Tables map[string]string `json:"tables"`
}

func (l layout) sealPath() string { return filepath.Join(l.root, "checked") }

// seal returns the seal that was stored, an empty one where there is none.
func (l layout) seal() seal {
	var s seal
	b, err := os.ReadFile(l.sealPath())
	if err != nil || json.Unmarshal(b, &s) != nil || s.Unclean < 0 {
		return seal{}
	}
	return s
}

// setSeal seals all tables of the index in dir. Where that fails, the next Open
// reads them.
func (l layout) setSeal(dir string, unclean int) error {
	s := seal{unclean, tables(dir)}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	path := l.sealPath()
	if err := os.WriteFile(path+".tmp", b, 0o600); err != nil {
		return typed(err)
	}
	return typed(rename(path+".tmp", path))
}

// tables returns the stamps of the tables in dir.
func tables(dir string) map[string]string {
	paths, _ := filepath.Glob(filepath.Join(dir, "*.sst")) // the pattern is good
	all := make(map[string]string, len(paths))
	for _, p := range paths {
		if fi, err := os.Stat(p); err == nil {
			all[filepath.Base(p)] = stamp(fi)
		}
	}
	return all
}

func stamp(fi fs.FileInfo) string { return fmt.Sprint(fi.Size(), " ", fi.ModTime().UnixNano()) }

// checkTables verifies the checksums of the tables of the badger in dir, but for
// those sealed. badger itself does so too late: a damaged table ends the process
// from a goroutine of badger's, which nobody can catch.
func checkTables(dir string, opts badger.Options, sealed map[string]string) error {
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
		path := table.NewFilename(id, dir)
		if fi, err := os.Stat(path); err == nil && sealed[filepath.Base(path)] == stamp(fi) {
			continue
		}
		if err := checkTable(path); err != nil {
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
