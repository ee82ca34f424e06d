//go:build unix

package listen

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

func TestSlots(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	if slot, limited := p.TrySlot(); slot != nil || limited {
		t.Errorf("without files: %v, limited %v", slot, limited)
	}
	s := NewSlots(p)
	for _, n := range []int{3, 3, 1, 0, 2} {
		if err := s.Keep(n); err != nil {
			t.Fatal(err)
		}
		if got := files(t, p.Socket); got != n {
			t.Fatalf("%d files, want %d", got, n)
		}
		takeAll(t, p, n)
	}
}

// takeAll takes n slots, fails where there are more or less, and gives them back.
func takeAll(t *testing.T, p endpoint.Place, n int) {
	t.Helper()
	for range n {
		slot, limited := p.TrySlot()
		if slot == nil || !limited {
			t.Fatalf("fewer than %d slots", n)
		}
		defer slot.Release()
	}
	if slot, limited := p.TrySlot(); slot != nil || limited != (n > 0) {
		t.Errorf("beyond %d slots: %v, limited %v", n, slot, limited)
	}
}

// A server that starts finds the slots of the one before it, and what runs in
// them.
func TestSlotsOfTheLast(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	if err := NewSlots(p).Keep(2); err != nil {
		t.Fatal(err)
	}
	slot, _ := p.TrySlot()
	if slot == nil {
		t.Fatal("no slot")
	}
	defer slot.Release()
	next := NewSlots(p)
	if err := next.Keep(1); err != nil {
		t.Fatal(err)
	}
	if again, limited := p.TrySlot(); again != nil || !limited {
		t.Errorf("took a slot that is taken: %v, limited %v", again, limited)
	}
	if err := next.Discard(); err != nil || files(t, p.Socket) != 1 {
		t.Errorf("a limit of its own is discarded: %d files, %v", files(t, p.Socket), err)
	}
	last := NewSlots(p)
	for range 2 {
		if err := last.Discard(); err != nil || files(t, p.Socket) != 0 {
			t.Errorf("%d files left, %v", files(t, p.Socket), err)
		}
	}
}

func files(t *testing.T, socket string) int {
	t.Helper()
	found, err := filepath.Glob(socket + ".slot*")
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func TestSlotSigned(t *testing.T) {
	p := place(t)
	if err := p.MakeDir(); err != nil {
		t.Fatal(err)
	}
	if err := NewSlots(p).Keep(1); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.SlotFile(0), []byte("1234567890\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := p.SlotTaken()
	slot, _ := p.TrySlot()
	if slot == nil {
		t.Fatal("no slot")
	}
	slot.Inherit()
	if again, _ := p.TrySlot(); again != nil {
		t.Error("taken twice")
	}
	text, err := os.ReadFile(p.SlotFile(0))
	if err != nil || len(text) > len("1234567890\n") || p.SlotTaken() < before {
		t.Errorf("signed %q, %v", text, err)
	}
	slot.Release()
	if again, _ := p.TrySlot(); again == nil {
		t.Error("not released")
	} else {
		again.Release()
	}
}
