package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// What is different about rustc where there is a remote.

// withOptions returns argv with further options, which no "--" may precede.
func withOptions(argv, options []string) []string {
	if i := slices.Index(argv, "--"); i >= 0 {
		return slices.Concat(argv[:i], options, argv[i:])
	}
	return slices.Concat(argv, options)
}

// layCrate lays a compile of rustc out for other machines, nil where there are
// none.
func (r *request) layCrate(ctx context.Context, c *Candidate, in *depscan.Inputs) (*laidOut, error) {
	if r.far.remote == nil {
		return nil, nil
	}
	return r.actionOf(ctx, c, in, r.streams)
}

// crateState covers what a result of rustc depends on beside its Command and
// InputRoot; it is empty for other compilers.
func (r *request) crateState(c *Candidate) string {
	if r.compile.Crate == nil {
		return ""
	}
	return r.crateAction(c).Hex()
}

// crateRequest adds to req what layout has to know of a compile of rustc.
func (r *request) crateRequest(req *layout.Request) {
	req.Root, req.Beside = r.roots.Dir, nil
	for _, dir := range []string{r.roots.Cargo, r.roots.Target} {
		if dir != "" {
			req.Beside = append(req.Beside, dir)
		}
	}
	req.Crate = &layout.Crate{Roots: r.roots, Package: r.read.Package, Linker: r.linker}
	for _, v := range r.read.Variables {
		includes := filepath.IsAbs(v.Value) && r.onlyIncludes(r.read.Sources, v.Name)
		req.Crate.Variables = append(req.Crate.Variables, layout.Variable{Name: v.Name, Value: v.Value, Set: v.Set, Includes: includes})
	}
	if req.Ship != nil {
		req.Crate.System = r.systemFile
		return
	}
	req.HostFile = r.systemFile
}

// systemFile reports whether a file is one of the toolchain, of the linker or of a
// folder in which the linker looks by itself.
func (r *request) systemFile(path string) bool {
	if r.ofToolchain(path) {
		return true
	}
	return r.linker != nil && slices.ContainsFunc(r.linker.LibraryDirs, func(dir string) bool {
		return within(filepath.Clean(path), filepath.Clean(dir))
	})
}

// ofToolchain reports whether a file is part of the identity of the toolchain or of
// the linker.
func (r *request) ofToolchain(path string) bool {
	path = filepath.Clean(path)
	for _, tc := range []*toolchains.Toolchain{r.compile.Toolchain, r.linker} {
		if tc != nil && slices.ContainsFunc(tc.Programs, func(p toolchains.Program) bool { return p.Path == path }) {
			return true
		}
	}
	return false
}

// crateHost is what a worker that made a result of c had by itself.
func (r *request) crateHost(c *Candidate) *parity.Host {
	files := r.programs()
	for _, f := range c.Files {
		if path := r.at.spell(f.Path); filepath.IsAbs(path) && r.systemFile(path) {
			files = append(files, parity.File{Path: path, Digest: f.Digest})
		}
	}
	host, err := parity.NewHost(files, nil)
	if err != nil {
		return nil
	}
	return host
}

// admitCrate is admit for rustc. The compiler is not asked what it will read before
// workers are known to have it.
func (c *contest) admitCrate(ctx context.Context) error {
	r := c.r
	err := r.haveCompiler(ctx)
	if r.shipInstead(err) {
		err = r.haveCompiler(ctx)
	}
	if err == nil {
		err = r.foresee(ctx)
	}
	if err == nil {
		err = r.far.expected.laid.remotable()
	}
	if err == nil {
		err = r.able(ctx, r.far.expected.laid)
	}
	if errors.Is(err, remote.ErrNoWorkers) && r.settings.Strategy == config.Auto {
		return nil // a cache, as far as anybody has said
	}
	if err == nil {
		c.x = r.far.expected
	}
	return err
}

// haveCompiler returns why no worker can be asked to compile at all, or nil.
func (r *request) haveCompiler(ctx context.Context) error {
	if r.ships() {
		s, err := r.toolchain()
		if err != nil {
			return err
		}
		return r.delivered(ctx, s)
	}
	if err := r.far.remote.Workers(ctx, platformOf(r.settings)); err != nil {
		return err
	}
	host, err := parity.NewHost(r.programs(), nil)
	if err != nil {
		return toolchains.Unsupported(reasonParity, err.Error())
	}
	return r.proven(ctx, host)
}

// foresee sets far.expected to what a compile of rustc will read. An error says why
// no worker is asked.
func (r *request) foresee(ctx context.Context) error {
	system, err := r.knownLink()
	if err != nil {
		return err
	}
	run := rustdeps.Run{Mark: r.quiesce(nil), Linker: r.linker}
	scratch := filepath.Join(r.p.o.Scratch, r.in.Token)
	f, err := r.p.o.Crates.Foresee(ctx, r.p.o.Run, r.compile, scratch, run, r.p.files, system, r.settings.RustRemoteProcMacros)
	if err != nil {
		return err
	}
	c, err := r.candidateOf(ctx, f.Inputs, true)
	if err != nil {
		return err
	}
	r.read = f.Result
	if err := r.guardCrate(c, f.Result); err != nil {
		return err
	}
	if r.at.shared && f.Package != "" {
		return toolchains.Unsupported("proc-macro", f.Package) // no output of a local run has shown what it took
	}
	laid, err := r.layCrate(ctx, c, f.Inputs)
	if err != nil {
		return err
	}
	r.far.expected, r.far.foreseen = &expected{c, laid}, f
	return nil
}

// foreignFile stands before the path of a file that a worker has by itself, and
// must not have read.
const foreignFile = "/.rexwrap-foreign"

// plausibleCrate checks that a worker has read what was foreseen and nothing else,
// and that its own names of files have not reached an output.
func (r *request) plausibleCrate(laid *laidOut, res *Result) error {
	names, f := laid.names.at(r.at), r.far.foreseen
	if o := res.output(toolchains.RoleDepInfo); o != nil {
		text, err := r.content(res, o.Digest)
		if err != nil {
			return err
		}
		if !f.Same(text, names.ClientPath, toolchains.Environ(laid.layout.Env).Lookup) {
			return fmt.Errorf("%w: its dep-info names other inputs", remote.ErrBadResult)
		}
	}
	if err := r.plausibleLink(laid, res); err != nil {
		return err
	}
	if laid.ship != nil && quotesLibrary(res.Chunks) {
		return toolchains.Unsupported("remote-messages", "")
	}
	for _, o := range res.Outputs {
		if o.Role == toolchains.RoleDepInfo {
			continue
		}
		text, err := r.content(res, o.Digest)
		if err != nil {
			return err
		}
		if layout.NamesWorker(text) {
			return fmt.Errorf("%w: output %s names the worker's files", remote.ErrBadResult, o.Role)
		}
	}
	return nil
}

// plausibleLink is what plausibleCrate checks of what the linker has read. Of a
// system of its own a worker reads nothing where the toolchain was sent, by names
// that could be taken for this machine's.
func (r *request) plausibleLink(laid *laidOut, res *Result) error {
	if !r.compile.Crate.Links() {
		return nil
	}
	names, f := laid.names.at(r.at), r.far.foreseen
	mounted := laid.ship != nil && !laid.ship.pack.Root
	spell := func(path string) string {
		file := names.ClientPath(laid.layout.WorkerFile(res.notes[layout.RoleWorkerDir], path))
		if mounted && file == path && filepath.IsAbs(path) && !strings.HasPrefix(path, "/tmp/") {
			return foreignFile + path
		}
		return file
	}
	if err := f.Linked(res.notes[layout.RoleLinkList], spell, r.ofToolchain); err != nil {
		return fmt.Errorf("%w: %w", remote.ErrBadResult, err)
	}
	r.far.expected.candidate.Absent = r.encodeAll(f.Absent)
	return nil
}

// quotesLibrary reports whether messages are about a source of Rust's own library:
// it may be installed here, and then they quote it by the place where it is. None
// is packed.
func quotesLibrary(chunks []wire.Chunk) bool {
	return slices.ContainsFunc(chunks, func(c wire.Chunk) bool {
		for _, name := range []string{"alloc", "core", "proc_macro", "std", "test"} {
			if bytes.Contains(c.Data, []byte("/library/"+name+"/src/")) {
				return true
			}
		}
		return false
	})
}

// content returns a blob of res.
func (r *request) content(res *Result, d digest.Digest) ([]byte, error) {
	if text, ok := res.held[d]; ok {
		return text, nil
	}
	return r.p.store.Blob(d)
}

// maxLinkFiles bounds the files that are remembered of links.
const maxLinkFiles = 512

// linkKey is where is kept which of the system's files links read.
func (r *request) linkKey() digest.Digest {
	b := digest.NewBuilder("rexwrap link files 1")
	b.Digest(r.compile.Toolchain.Digest)
	b.Digest(r.linker.Digest)
	b.String(r.compile.Crate.Target)
	return b.Sum()
}

// linkFiles are the system's files that links on this machine were seen to read.
func (r *request) linkFiles() []string {
	data, err := r.p.store.Manifest(r.linkKey())
	if err != nil {
		return nil
	}
	d := &decoder{buf: data}
	if list := d.strings(); d.err() == nil {
		return list
	}
	return nil
}

// knownLink returns the system's files that a link will read, as far as links here
// have shown; an error where there was none yet.
func (r *request) knownLink() ([]string, error) {
	if !r.compile.Crate.Links() {
		return nil, nil
	}
	if files := r.linkFiles(); len(files) > 0 {
		return files, nil
	}
	return nil, toolchains.Unsupported("remote-first-link", "")
}

// learnLink remembers which of the system's files a link here has read.
func (r *request) learnLink(in *depscan.Inputs) {
	if r.far.remote == nil || r.linker == nil {
		return
	}
	r.p.updates.Lock()
	defer r.p.updates.Unlock()
	known := r.linkFiles()
	all := slices.Clone(known)
	for _, f := range in.Files {
		if filepath.IsAbs(f.Path) && r.systemFile(f.Path) && !slices.Contains(all, f.Path) {
			all = append(all, f.Path)
		}
	}
	if len(all) == len(known) || len(all) > maxLinkFiles {
		return
	}
	e := &encoder{}
	e.strings(all)
	if err := r.p.store.PutManifest(r.linkKey(), e.buf); err != nil {
		r.p.log.Debug().Err(err).Msg("files of a link are not kept")
	}
}
