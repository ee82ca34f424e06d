package filestate

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A file that was just written has the time that it is, on every system.
func TestTimesAreOfNow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	before := time.Now().Add(-time.Minute).UnixNano()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var st info
	newSource().stat(path+"\x00", false, &st)
	after := time.Now().Add(time.Minute).UnixNano()
	if k := st.key; st.kind != Regular || k.mtime < before || k.mtime > after || k.ctime < before || k.ctime > after {
		t.Errorf("written between %d and %d: %+v", before, after, st)
	}
}
