package toolchains

import (
	"debug/elf"
	"errors"
	"fmt"
)

// An image is what the loader reads of a program or library.
type image struct {
	class          elf.Class
	machine        elf.Machine
	interp         string
	soname         []string // one at most
	needed         []string
	rpath, runpath []string
}

// errNoDynamicSection is for an image that the loader would read by its program
// headers alone, which this reader does not.
var errNoDynamicSection = errors.New("dynamic section without a section header")

func readImage(path string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read program %s: %w", path, err)
	}
	defer f.Close()
	im := &image{class: f.Class, machine: f.Machine}
	dynamic := false
	for _, prog := range f.Progs {
		switch prog.Type {
		case elf.PT_INTERP:
			text := make([]byte, min(prog.Filesz, 4096))
			if _, err := prog.ReadAt(text, 0); err != nil {
				return nil, fmt.Errorf("read interpreter of %s: %w", path, err)
			}
			im.interp = cString(text)
		case elf.PT_DYNAMIC:
			dynamic = true
		}
	}
	if !dynamic {
		return im, nil
	}
	if f.SectionByType(elf.SHT_DYNAMIC) == nil {
		return nil, fmt.Errorf("read program %s: %w", path, errNoDynamicSection)
	}
	for tag, list := range map[elf.DynTag]*[]string{
		elf.DT_SONAME: &im.soname, elf.DT_NEEDED: &im.needed, elf.DT_RPATH: &im.rpath, elf.DT_RUNPATH: &im.runpath,
	} {
		if *list, err = f.DynString(tag); err != nil {
			return nil, fmt.Errorf("read libraries of %s: %w", path, err)
		}
	}
	return im, nil
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}
