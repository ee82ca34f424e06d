//go:build linux

package rig

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// A Tree is what a directory holds, by slash-separated relative name.
type Tree map[string]Entry

// An Entry is one file of a Tree.
type Entry struct {
	Mode    fs.FileMode // type and permission bits
	Links   uint64      // hard links; 0 for directories
	Device  uint64      // of device nodes
	Data    string      // content of a regular file, target of a symbolic link
	Written bool        // the modification time is not Epoch
}

// ReadTree reads the tree below dir. Sockets and the content of devices and
// FIFOs are left alone.
func ReadTree(dir string) (Tree, error) {
	tree := Tree{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		e, err := readEntry(name)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		tree[filepath.ToSlash(rel)] = e
		return err
	})
	return tree, err
}

func readEntry(name string) (Entry, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return Entry{}, err
	}
	st := info.Sys().(*syscall.Stat_t)
	e := Entry{Mode: info.Mode(), Links: uint64(st.Nlink), Written: !info.ModTime().Equal(Epoch())}
	switch {
	case info.IsDir():
		e.Links, e.Written = 0, false // both follow from what is in it
	case info.Mode()&fs.ModeSymlink != 0:
		e.Data, err = os.Readlink(name)
		e.Written = false
	case info.Mode()&fs.ModeDevice != 0:
		e.Device, e.Written = uint64(st.Rdev), false
	case info.Mode().IsRegular():
		var data []byte
		data, err = os.ReadFile(name)
		e.Data = string(data)
	}
	return e, err
}

// Diff says in what got differs from t, one difference per line, in the
// order of names.
func (t Tree) Diff(got Tree) []string {
	names := slices.Sorted(maps.Keys(t))
	for name := range got {
		if _, ok := t[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var diffs []string
	for _, name := range names {
		w, inWant := t[name]
		g, inGot := got[name]
		switch {
		case !inGot:
			diffs = append(diffs, name+": missing")
		case !inWant:
			diffs = append(diffs, fmt.Sprintf("%s: should not exist (%v, %d bytes)", name, g.Mode, len(g.Data)))
		default:
			diffs = append(diffs, w.diff(name, g)...)
		}
	}
	return diffs
}

func (e Entry) diff(name string, got Entry) (diffs []string) {
	add := func(what string, w, g any) {
		if w != g {
			diffs = append(diffs, fmt.Sprintf("%s: %s is %v, want %v", name, what, g, w))
		}
	}
	add("mode", e.Mode, got.Mode)
	add("link count", e.Links, got.Links)
	add("device", e.Device, got.Device)
	add("written", e.Written, got.Written)
	if e.Data != got.Data {
		diffs = append(diffs, fmt.Sprintf("%s: content differs: %s", name, firstDifference(e.Data, got.Data)))
	}
	return diffs
}

// A Mask says what two runs of one command did not agree on.
type Mask struct {
	files   map[string]bool // in one tree only, or of different kinds
	content map[string]bool
}

// NewMask compares two trees that one command left.
func NewMask(t, u Tree) Mask {
	m := Mask{files: map[string]bool{}, content: map[string]bool{}}
	for name, e := range t {
		other, ok := u[name]
		if ok && e != other {
			e.Data, other.Data = "", ""
			m.content[name] = true
		}
		if !ok || e != other && m.content[name] {
			m.files[name] = true
		}
	}
	for name := range u {
		if _, ok := t[name]; !ok {
			m.files[name] = true
		}
	}
	return m
}

// Ignore adds the content of the named file to what the mask is about.
func (m Mask) Ignore(name string) { m.content[name] = true }

// Apply returns t without what the mask is about.
func (m Mask) Apply(t Tree) Tree {
	out := Tree{}
	for name, e := range t {
		if m.files[name] {
			continue
		}
		if m.content[name] {
			e.Data = ""
		}
		out[name] = e
	}
	return out
}

// firstDifference describes where two texts part.
func firstDifference(want, got string) string {
	n := 0
	for n < len(want) && n < len(got) && want[n] == got[n] {
		n++
	}
	return fmt.Sprintf("%d and %d bytes, from %d on: got %s, want %s",
		len(got), len(want), n, excerpt(got, n), excerpt(want, n))
}

func excerpt(s string, at int) string {
	const before, after = 20, 60
	return fmt.Sprintf("%q", s[max(0, at-before):min(len(s), at+after)])
}

// DiffText returns "" where the two are equal.
func DiffText(want, got []byte) string {
	if bytes.Equal(want, got) {
		return ""
	}
	return firstDifference(string(want), string(got))
}
