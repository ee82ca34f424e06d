package toolchains

import (
	"bytes"
	"io"
	"os"
	"slices"
)

// needles are strings that a driver holds: gcc's specs and clang's option table
// spell -fsyntax-only, and the small driver of a clang that keeps its option table
// in libclang-cpp decides by itself on -fintegrated-cc1. Linkers, archivers and the
// other tools of a build have neither.
func needles() [][]byte {
	return [][]byte{[]byte("fsyntax-only"), []byte("-fintegrated-cc1")}
}

// A format is what a program file begins with.
type format uint8

const (
	otherFormat format = iota
	elfFormat
	peFormat // of Windows
	scriptFormat
)

func formatOf(path string) (format, error) {
	f, err := os.Open(path)
	if err != nil {
		return otherFormat, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	switch {
	case err != nil && n == 0 && err != io.EOF:
		return otherFormat, err
	case bytes.HasPrefix(head, []byte("#!")):
		return scriptFormat, nil
	case bytes.Equal(head, []byte("\x7fELF")):
		return elfFormat, nil
	case bytes.HasPrefix(head, []byte("MZ")):
		return peFormat, nil
	}
	return otherFormat, nil
}

// mayBeDriver reports whether the file holds a needle. One that does not is never
// run.
func mayBeDriver(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return containsAny(f, needles())
}

func containsAny(r io.Reader, what [][]byte) (bool, error) {
	const overlap = 64 // no less than the longest of what
	buf := make([]byte, 256<<10)
	kept := 0
	for {
		n, err := r.Read(buf[kept:])
		window := buf[:kept+n]
		if slices.ContainsFunc(what, func(w []byte) bool { return bytes.Contains(window, w) }) {
			return true, nil
		}
		if err != nil {
			return false, ignoreEOF(err)
		}
		kept = copy(buf, window[max(0, len(window)-overlap):])
	}
}

func ignoreEOF(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}
