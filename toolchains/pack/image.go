package pack

import (
	"debug/elf"
	"io"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// An image is what the loader looks at in an ELF file.
type image struct {
	interpreter string // empty for a static program and for a library
	needed      []string
}

// readImage reads an ELF file. DT_RPATH is refused where it leads anywhere but to
// a place relative to the file: the loader looks there before it looks into the
// pack's libraries. DT_RUNPATH comes after them (ld.so(8)), where all are found.
func readImage(path string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, toolchains.Unsupported("pack-unreadable", path)
	}
	defer f.Close()
	im := &image{}
	for _, p := range f.Progs {
		if p.Type != elf.PT_INTERP {
			continue
		}
		text, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
		if err != nil {
			return nil, toolchains.Unsupported("pack-unreadable", path)
		}
		im.interpreter = strings.TrimRight(string(text), "\x00")
	}
	// A file without a dynamic section has none of these.
	runpath, _ := f.DynString(elf.DT_RUNPATH)
	rpath, _ := f.DynString(elf.DT_RPATH)
	if len(runpath) == 0 && slices.ContainsFunc(rpath, leadsOut) {
		return nil, toolchains.Unsupported("pack-rpath", path)
	}
	im.needed, _ = f.DynString(elf.DT_NEEDED)
	return im, nil
}

func leadsOut(list string) bool {
	return slices.ContainsFunc(strings.Split(list, ":"), func(dir string) bool {
		return !strings.HasPrefix(dir, "$ORIGIN") && !strings.HasPrefix(dir, "${ORIGIN}")
	})
}
