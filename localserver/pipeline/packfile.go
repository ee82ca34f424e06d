package pipeline

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
	"github.com/rexwrap/rexwrap/toolchains/pack/archive"
)

// toolchainFile is what the setting toolchain begins with where it names packs,
// separated as in PATH.
const toolchainFile = "file:"

const (
	reasonPackFile    = "pack-file"            // it cannot be read
	reasonOtherMaking = "pack-other-toolchain" // none of them is of the compile's compiler
)

// archived returns the toolchain of an archive, which is unpacked once. scratch
// is emptied when a server starts.
func (p *packer) archived(file, scratch string) (*shipment, error) {
	d, err := p.files.Digest(file)
	if err != nil {
		return nil, toolchains.Unsupported(reasonPackFile, file)
	}
	s, err := packedAs(p, p.archives, d).get(p.now, func() (*shipment, error) {
		return p.unpack(file, filepath.Join(scratch, "pack-"+d.Hex()))
	})
	if err != nil {
		return nil, toolchains.Unsupported(reasonPackFile, err.Error())
	}
	return s, nil
}

func (p *packer) unpack(file, dir string) (*shipment, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := p.unpacked(f, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

func (p *packer) unpacked(f io.Reader, dir string) (*shipment, error) {
	pk, err := archive.Read(f, dir)
	if err != nil {
		return nil, err
	}
	s, err := shipmentOf(pk)
	if err != nil {
		return nil, err
	}
	if pk.Root { // no launcher is in it
		s.launcher = p.launcher.Data
		return s, nil
	}
	s.launcher, err = os.ReadFile(filepath.Join(dir, filepath.FromSlash(pk.Driver)))
	return s, err
}

// packFiles are the archives of the setting, nil for another one.
func (r *request) packFiles() []string {
	list, ok := strings.CutPrefix(r.settings.Toolchain, toolchainFile)
	if !ok {
		return nil
	}
	return filepath.SplitList(list)
}

// fromFile returns the toolchain of the setting that the compile may be made by:
// its own compiler, or else one that stands in for it.
func (r *request) fromFile() (*shipment, error) {
	var other *shipment
	for _, file := range r.packFiles() {
		s, err := r.p.packer.archived(file, r.p.o.Scratch)
		if err != nil {
			return nil, err
		}
		if s.pack.Root != (r.settings.ToolchainRoot != "") {
			continue
		}
		if s.pack.Toolchain == r.compile.Toolchain.Digest && r.linkedBy(s) {
			return s, nil
		}
		if other == nil && r.standsIn(s) {
			other = s
		}
	}
	if other == nil {
		return nil, toolchains.Unsupported(reasonOtherMaking, r.compile.Toolchain.Program)
	}
	return other, nil
}

// linkedBy reports whether what links the compile, if anything does, is in s.
func (r *request) linkedBy(s *shipment) bool {
	return r.linker == nil || s.pack.LinkedBy == r.linker.Digest
}

// standsIn reports whether a compiler of another machine may make the compile,
// since the user says so: a clang of the same version that is told for which
// machine to compile. That of a Mac then has Linux workers. gcc is made for one
// machine, and by distributors with defaults of their own.
func (r *request) standsIn(s *shipment) bool {
	tc := r.compile.Toolchain
	if tc.Family != "clang" || s.pack.Family != tc.Family || s.pack.Version != tc.Version || s.pack.CPlusPlus() != tc.CPlusPlus {
		return false
	}
	for name := range gnu.Options(r.compile.Args) {
		if name == "--target=" || name == "-target" {
			return true
		}
	}
	return false
}

// foreign returns the toolchain of another machine that stands in for the
// compile's own, nil for none. Whatever is remembered of the compile is then kept
// apart, and what this machine makes of it is no result of that toolchain.
func (r *request) foreign() *shipment {
	if r.packFiles() == nil {
		return nil
	}
	s, err := r.fromFile()
	if err != nil || s.pack.Toolchain == r.compile.Toolchain.Digest {
		return nil
	}
	return s
}

// madeBy is the identity of the toolchain whose results an Action's are.
func (r *request) madeBy(ship *shipment) digest.Digest {
	if ship != nil {
		return ship.pack.Toolchain
	}
	return r.key.Toolchain
}
