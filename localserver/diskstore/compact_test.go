package diskstore

import (
	"fmt"
	"sync"
	"testing"

	"github.com/rs/zerolog"
)

// fillTables writes tables' worth of entries that nothing compresses, and returns them.
func fillTables(t *testing.T, x *index, round, tables int) map[string][]byte {
	t.Helper()
	all := make(map[string][]byte)
	for i := range tables * memTable / (64 << 10) {
		key := fmt.Sprintf("b%x-%d", noise(8), i+round*1_000_000)
		all[key] = noise(64 << 10)
		if err := x.write(map[string][]byte{key: all[key]}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func wantAll(t *testing.T, x *index, all map[string][]byte) {
	t.Helper()
	for key, want := range all {
		if got, err := x.get(key); err != nil || string(got) != string(want) {
			t.Fatalf("%s: %d bytes, %v", key, len(got), err)
		}
	}
}

// TestCompact merges new tables while more are written, and keeps every entry.
func TestCompact(t *testing.T) {
	dir := t.TempDir()
	x, err := openIndex(dir, false, nil, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	all := fillTables(t, x, 0, 2*minFresh)
	before := x.db.Levels()[0].NumTables
	if before < minFresh {
		t.Fatalf("%d new tables", before)
	}
	var writer sync.WaitGroup
	var more map[string][]byte
	writer.Go(func() { more = fillTables(t, x, 1, 3) })
	if err := x.compact(); err != nil {
		t.Fatal(err)
	}
	writer.Wait()
	if after := x.db.Levels()[0].NumTables; after >= before {
		t.Errorf("%d new tables of %d are left", after, before)
	}
	wantAll(t, x, all)
	wantAll(t, x, more)
	if err := x.close(); err != nil {
		t.Fatal(err)
	}
	if x, err = openIndex(dir, false, nil, zerolog.Nop()); err != nil {
		t.Fatal(err)
	}
	wantAll(t, x, all)
	wantAll(t, x, more)
	if err := x.close(); err != nil {
		t.Fatal(err)
	}
}

// TestFewTablesRest: what is new and little is not merged.
func TestFewTablesRest(t *testing.T) {
	x, err := openIndex(t.TempDir(), false, nil, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	fillTables(t, x, 0, 2)
	before := x.db.Levels()[0].NumTables
	if err := x.compact(); err != nil {
		t.Fatal(err)
	}
	if after := x.db.Levels()[0].NumTables; before == 0 || after < before {
		t.Errorf("%d tables of %d", after, before)
	}
	if err := x.close(); err != nil {
		t.Fatal(err)
	}
}
