// Package archive keeps a pack in one file: to look at, to build a worker's
// image of, or for the setting toolchain = "file:PACK".
//
// Grammar:
//
//	archive  = zstd( tar ) ;
//	tar      = manifest , { file } ;             (in ustar or pax format)
//	manifest = the file ".rexpack.json": one JSON object, see manifest ;
//	file     = a regular file of the pack at its path: mode 0755 or 0644, owner
//	           0, modification time 0; in the order of the manifest ;
//
// A root's files stand at the paths that they have on a worker: with the manifest
// left out, such an archive is the layer of an image. Equal packs make equal archives. What is read is believed no further than its
// digests go: a file that is not as the manifest says, stands elsewhere, or leads
// out of the folder is an error.
package archive

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// ErrMalformed is wrapped by Read's errors about what is in the archive.
var ErrMalformed = errors.New("malformed pack")

const (
	manifestName = ".rexpack.json"
	format       = 1
	// maxManifest bounds the manifest: a pack has a few dozen files.
	maxManifest = 4 << 20
)

type manifest struct {
	Format    int      `json:"format"`
	Family    string   `json:"family"`
	Version   string   `json:"version"`
	Target    string   `json:"target"`
	Toolchain string   `json:"toolchain"` // digest
	Driver    string   `json:"driver"`
	Arguments []string `json:"arguments,omitempty"`
	Root      bool     `json:"root,omitempty"`
	Libraries []string `json:"libraries,omitempty"` // folders, absolute; of a root
	Linker    string   `json:"linker,omitempty"`
	LinkedBy  string   `json:"linked_by,omitempty"` // digest
	Files     []file   `json:"files"`
}

type file struct {
	Path       string `json:"path"`
	Digest     string `json:"digest"`
	Executable bool   `json:"executable,omitempty"`
	For        string `json:"for"`
}

// Write writes p. report is called with the bytes of files done so far.
func Write(w io.Writer, p *pack.Pack, report func(done int64)) error {
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	t := tar.NewWriter(z)
	text, err := json.MarshalIndent(manifestOf(p), "", "\t")
	if err != nil {
		return err
	}
	if err := add(t, manifestName, false, int64(len(text)), bytes.NewReader(text)); err != nil {
		return err
	}
	var done int64
	for i := range p.Entries {
		if err := addEntry(t, &p.Entries[i]); err != nil {
			return fmt.Errorf("pack %s: %w", p.Entries[i].Path, err)
		}
		done += p.Entries[i].Digest.Size
		report(done)
	}
	return errors.Join(t.Close(), z.Close())
}

func manifestOf(p *pack.Pack) *manifest {
	m := &manifest{
		Format: format, Family: p.Family, Version: p.Version, Target: p.Target,
		Toolchain: p.Toolchain.String(), Driver: p.Driver, Arguments: p.Arguments,
		Root: p.Root, Libraries: p.LibraryDirs,
	}
	if p.Linker != "" {
		m.Linker, m.LinkedBy = p.Linker, p.LinkedBy.String()
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		m.Files = append(m.Files, file{e.Path, e.Digest.String(), e.Executable, e.For})
	}
	return m
}

func addEntry(t *tar.Writer, e *pack.Entry) error {
	if e.Source == "" {
		return add(t, e.Path, e.Executable, int64(len(e.Data)), bytes.NewReader(e.Data))
	}
	f, err := os.Open(e.Source)
	if err != nil {
		return err
	}
	defer f.Close()
	return add(t, e.Path, e.Executable, e.Digest.Size, f)
}

func add(t *tar.Writer, name string, executable bool, size int64, content io.Reader) error {
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, ModTime: time.Unix(0, 0)}
	if executable {
		h.Mode = 0o755
	}
	if err := t.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.Copy(t, content)
	return err
}

// Read unpacks an archive into dir, which is empty, and returns the pack with its
// files there.
func Read(r io.Reader, dir string) (*pack.Pack, error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	t := tar.NewReader(z)
	p, err := readManifest(t)
	if err != nil {
		return nil, err
	}
	for i := range p.Entries {
		if err := extract(t, &p.Entries[i], dir); err != nil {
			return nil, err
		}
	}
	if _, err := t.Next(); err != io.EOF {
		return nil, fmt.Errorf("%w: more files than it lists", ErrMalformed)
	}
	return p, nil
}

func readManifest(t *tar.Reader) (*pack.Pack, error) {
	h, err := t.Next()
	if err != nil || h.Name != manifestName || h.Size > maxManifest {
		return nil, fmt.Errorf("%w: it does not begin with %s", ErrMalformed, manifestName)
	}
	var m manifest
	if err := json.NewDecoder(t).Decode(&m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if m.Format != format {
		return nil, fmt.Errorf("%w: of format %d, not %d", ErrMalformed, m.Format, format)
	}
	p := &pack.Pack{
		Family: m.Family, Version: m.Version, Target: m.Target, Driver: m.Driver, Arguments: m.Arguments,
		Root: m.Root, LibraryDirs: m.Libraries,
	}
	if p.Toolchain, err = digest.Parse(m.Toolchain); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if p.Linker = m.Linker; p.Linker != "" {
		if p.LinkedBy, err = digest.Parse(m.LinkedBy); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	for _, f := range m.Files {
		d, err := digest.Parse(f.Digest)
		if err != nil || !filepath.IsLocal(filepath.FromSlash(f.Path)) {
			return nil, fmt.Errorf("%w: file %q", ErrMalformed, f.Path)
		}
		p.Entries = append(p.Entries, pack.Entry{Path: f.Path, Executable: f.Executable, Digest: d, For: f.For})
	}
	return p, nil
}

// extract writes the next file of the archive, which must be e.
func extract(t *tar.Reader, e *pack.Entry, dir string) error {
	h, err := t.Next()
	if err != nil || h.Name != e.Path || h.Typeflag != tar.TypeReg || h.Size != e.Digest.Size {
		return fmt.Errorf("%w: %s is not where it should be", ErrMalformed, e.Path)
	}
	e.Source = filepath.Join(dir, filepath.FromSlash(e.Path))
	if err := os.MkdirAll(filepath.Dir(e.Source), 0o755); err != nil {
		return err
	}
	mode := os.FileMode(0o644)
	if e.Executable {
		mode = 0o755
	}
	out, err := os.OpenFile(e.Source, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	got, err := digest.Read(io.TeeReader(t, out), make([]byte, 64<<10))
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("unpack %s: %w", e.Path, err)
	}
	if got != e.Digest {
		return fmt.Errorf("%w: %s has another content", ErrMalformed, e.Path)
	}
	return nil
}
