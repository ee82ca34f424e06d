package diskstore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
	"github.com/rs/zerolog"
)

// An index is one open badger. It is safe for concurrent use. badger panics on
// some kinds of damage; that comes out as errDamaged.
type index struct {
	dir string
	db  *badger.DB
	// users are those who read or write now: close waits for them.
	users sync.WaitGroup
}

var errDamaged = errors.New("index is damaged")

// memTable is the size of badger's tables in memory, in bytes. Each has a log of
// up to twice the size on disk.
const memTable = 4 << 20

const (
	// minFresh and maxFresh are how many new tables there must and may be before
	// they are merged with the rest, and freshShare which share of all: a
	// look-up asks each of them, and to merge them rewrites all.
	minFresh, maxFresh = 5, 32
	freshShare         = 16
)

// tuned returns badger's options for a small index: everything in the LSM tree,
// nothing cached beside the page cache.
func tuned(dir string, readOnly bool, log zerolog.Logger) badger.Options {
	return badger.DefaultOptions(dir).
		WithReadOnly(readOnly).
		WithBypassLockGuard(true). // lockDir keeps others out
		WithLogger(logger{log}).
		WithMemTableSize(memTable).
		WithNumMemtables(2).
		WithValueThreshold(memTable / 8).
		WithValueLogFileSize(1 << 20).
		WithBaseTableSize(2 << 20).
		WithCompression(options.None).
		WithBlockCacheSize(0).
		WithIndexCacheSize(0).
		WithNumCompactors(0). // see compact
		WithNumLevelZeroTablesStall(2 * maxFresh).
		WithDetectConflicts(false).
		WithMetricsEnabled(false).
		WithSyncWrites(false)
}

// openIndex opens the badger in dir, or makes one. Tables that are sealed are not
// verified.
func openIndex(dir string, readOnly bool, sealed map[string]string, log zerolog.Logger) (x *index, err error) {
	defer recovered(&err)
	defer faulting()()
	opts := tuned(dir, readOnly, log)
	if err := checkTables(dir, opts, sealed); err != nil {
		return nil, err
	}
	db, err := badger.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("open index: %w", err)
	}
	return &index{dir: dir, db: db}, nil
}

// recovered turns a panic into errDamaged.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", errDamaged, p)
	}
}

// faulting makes reading a memory map that has lost its file a panic, in place of
// the end of the process, until the returned function is called.
func faulting() (restore func()) {
	old := debug.SetPanicOnFault(true)
	return func() { debug.SetPanicOnFault(old) }
}

// close waits for the users and closes badger, which writes what it holds in
// memory.
func (x *index) close() (err error) {
	defer recovered(&err)
	defer faulting()()
	x.users.Wait()
	return x.db.Close()
}

// get returns the value of key in memory of its own, or ErrNotFound.
func (x *index) get(key string) (value []byte, err error) {
	defer recovered(&err)
	defer faulting()()
	txn := x.db.NewTransaction(false)
	defer txn.Discard()
	item, err := txn.Get([]byte(key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return item.ValueCopy(nil)
}

// write stores a batch; nil values delete.
func (x *index) write(batch map[string][]byte) (err error) {
	defer recovered(&err)
	wb := x.db.NewWriteBatch()
	defer wb.Cancel()
	for k, v := range batch {
		if v == nil {
			err = wb.Delete([]byte(k))
		} else {
			err = wb.Set([]byte(k), v)
		}
		if err != nil {
			return err
		}
	}
	return wb.Flush()
}

// compact merges the new tables with the rest when there are enough of them.
// badger's own compactors look twenty times a second whether there is something to
// do, which costs more than all else that an idle server does.
func (x *index) compact() (err error) {
	defer recovered(&err)
	defer faulting()()
	levels := x.db.Levels()
	size := int64(0)
	for _, l := range levels {
		size += l.Size
	}
	fresh := levels[0]
	if fresh.NumTables < minFresh || fresh.NumTables < maxFresh && fresh.Size < size/freshShare {
		return nil
	}
	return x.db.Flatten(1)
}

// scan yields the entries whose keys begin with prefix, in order or, with down,
// from the last to the first. The bytes are valid during the call only.
func (x *index) scan(prefix string, down bool, yield func(key, value []byte) bool) (err error) {
	defer recovered(&err)
	defer faulting()()
	txn := x.db.NewTransaction(false)
	defer txn.Discard()
	opts := badger.DefaultIteratorOptions
	opts.Reverse, opts.PrefetchValues = down, false
	opts.Prefix = []byte(prefix)
	it := txn.NewIterator(opts)
	defer it.Close()
	start := []byte(prefix)
	if down {
		start = append(start, "\xff\xff\xff\xff\xff\xff\xff\xff"...)
	}
	for it.Seek(start); it.ValidForPrefix([]byte(prefix)); it.Next() {
		item := it.Item()
		more := true
		err := item.Value(func(v []byte) error {
			more = yield(item.Key(), v)
			return nil
		})
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// used returns the disk space of the index in bytes.
func (x *index) used() int64 {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return 0
	}
	var n int64
	for _, e := range entries {
		if fi, err := e.Info(); err == nil {
			n += blocks(fi)
		}
	}
	return n
}

// room returns the disk space in bytes that badger may need before it next returns
// to us: the logs and tables of its memory, and a compaction that rewrites all.
func (x *index) room() int64 { return 5*memTable + x.used() }

// settle makes sure that the logs that badger maps into memory have their disk
// space, as far as they are about to be written.
func (x *index) settle() error {
	entries, err := os.ReadDir(x.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".mem") {
			continue
		}
		const full = memTable + memTable/4 // and one more batch
		if fi, err := e.Info(); err == nil && blocks(fi) < min(full, fi.Size()) {
			if err := allocate(filepath.Join(x.dir, e.Name()), min(full, fi.Size())); err != nil {
				return err
			}
		}
	}
	return nil
}

// alive reports whether the directory is still the one that was opened.
func (x *index) alive() bool {
	_, err := os.Stat(filepath.Join(x.dir, badger.ManifestFilename))
	return err == nil
}

// logger passes badger's messages on. What badger calls information is of use
// only to who looks into badger.
type logger struct{ log zerolog.Logger }

func (l logger) Errorf(f string, a ...any)   { l.log.Warn().Msg(message(f, a)) }
func (l logger) Warningf(f string, a ...any) { l.log.Warn().Msg(message(f, a)) }
func (l logger) Infof(f string, a ...any)    { l.log.Trace().Msg(message(f, a)) }
func (l logger) Debugf(f string, a ...any)   { l.log.Trace().Msg(message(f, a)) }

func message(f string, a []any) string {
	return "badger: " + strings.TrimSpace(fmt.Sprintf(f, a...))
}
