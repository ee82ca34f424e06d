package wrapper

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// commit does what Done says, in the compiler's order: stale outputs go, the
// diagnostics are written, the outputs appear. Where nobody reads the
// diagnostics nothing is put in place: a compiler that has not run yet is then
// run, and fares as it fares. Targets are looked at before anything is said.
func (s *session) commit(m *wire.Done) error {
	for i := range m.Files {
		if err := s.check(&m.Files[i]); err != nil {
			return err
		}
	}
	for _, path := range m.Remove {
		if err := removeStale(path); err != nil {
			return err
		}
	}
	if !m.ChunksLast {
		if err := replayAll(m.Chunks); err != nil {
			return err
		}
	}
	for i := range m.Files {
		if err := s.put(&m.Files[i]); err != nil {
			return err
		}
	}
	s.clean()
	for _, path := range m.Touch {
		_ = touch(path) // whoever has taken it away since would have so anyway
	}
	if m.ChunksLast {
		_ = replayAll(m.Chunks) // the files are in place: too late for anything else
	}
	return nil
}

func replayAll(chunks []wire.Chunk) error {
	for _, chunk := range chunks {
		if err := replay(chunk); err != nil {
			return err
		}
	}
	return nil
}

// check refuses what must not happen whatever the server says: a rename of
// anything but a temp file of this call, or onto anything but a regular file or
// a link (a device is written to, never replaced).
func (s *session) check(f *wire.File) error {
	if f.Temp == "" {
		return nil
	}
	if !isTempName(f.Temp, s.frame.Token) {
		return errUnexpected
	}
	if ok, err := replaceable(f.Target); err != nil || !ok {
		return errUnexpected
	}
	return nil
}

// isTempName reports whether path is one that wire.TempName gives to the call
// of this token.
func isTempName(path, token string) bool {
	return strings.HasPrefix(base(path), base(wire.TempName("", token, 0))[:len(".rexwrap-")+len(token)+1])
}

func replay(chunk wire.Chunk) error {
	if chunk.Fd != 1 && chunk.Fd != 2 {
		return errUnexpected
	}
	return writeStream(int(chunk.Fd), chunk.Data)
}

// put puts one output in its place. Removing what is there first would spare
// ext4 the early write-out of a file that replaces another, but costs more where
// the old one has reached the disk, as in any rebuild (0.6 to 1.2 ms instead of
// 0.3), and would leave nothing behind where the rename fails.
func (s *session) put(f *wire.File) error {
	switch {
	case f.Temp == "":
		return writeThrough(f.Target, f.Data)
	case f.Keep:
		return copyThrough(f.Target, f.Temp) // clean removes the temp file
	}
	if err := moveTo(f.Target, f.Temp); err != nil {
		return err
	}
	if i := slices.Index(s.temps, f.Temp); i >= 0 {
		s.temps = slices.Delete(s.temps, i, i+1)
	}
	return nil
}
