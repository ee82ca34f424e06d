package pack

import (
	"bytes"
	"debug/elf"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack/launch"
)

// An image is what the loader looks at in an ELF file.
type image struct {
	interpreter string // empty for a static program and for a library
	needed      []string
	// rpath is set for a DT_RPATH that counts: the loader looks there before it
	// looks into the pack's libraries. DT_RUNPATH comes after them (ld.so(8)),
	// where all are found.
	rpath bool
}

// readImage reads an ELF file.
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
	im.rpath = len(runpath) == 0 && len(rpath) > 0
	im.needed, _ = f.DynString(elf.DT_NEEDED)
	return im, nil
}

// takesOptions reports whether a loader has the options by which launchers call it,
// as glibc's has since 2.33.
func takesOptions(path string) bool {
	text, err := os.ReadFile(path)
	return err == nil && !slices.ContainsFunc(launch.Options(), func(o string) bool { return !bytes.Contains(text, []byte(o)) })
}
