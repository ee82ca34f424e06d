//go:build unix

package config

import (
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestUnsafeReason(t *testing.T) {
	me := uint32(os.Getuid())
	tests := []struct {
		name string
		key  statKey
		want string
	}{
		{"own", statKey{mode: unix.S_IFREG | 0o644, uid: me}, ""},
		{"root's", statKey{mode: unix.S_IFREG | 0o644, uid: 0}, ""},
		{"group's", statKey{mode: unix.S_IFREG | 0o664, uid: me}, ""},
		{"foreign", statKey{mode: unix.S_IFREG | 0o644, uid: me + 12345}, "belongs to another user"},
		{"open", statKey{mode: unix.S_IFREG | 0o646, uid: me}, "is writable by everybody"},
		{"device", statKey{mode: unix.S_IFCHR | 0o644, uid: me}, "is not a regular file"},
	}
	for _, tt := range tests {
		if got := tt.key.unsafeReason(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestWorldWritableFilesAreIgnored(t *testing.T) {
	h := newHouse(t)
	file := h.project("strategy = 'race'\n")
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	s := h.mustLoad()
	if s.Strategy != Local || !slices.Contains(s.Warnings(), file+" is ignored, as it is writable by everybody") {
		t.Errorf("strategy = %s, warnings %q", s.Strategy, s.Warnings())
	}
	if _, err := Trust(h.env, file); err == nil {
		t.Error("trusted a file that everybody can write")
	}
}
