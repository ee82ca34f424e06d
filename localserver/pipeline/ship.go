package pipeline

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/cas"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/pack"
)

// The values of the setting toolchain.
const (
	toolchainShip = "ship"
	toolchainAuto = "auto"
)

// Reasons of compiles that stay here although their toolchain could be sent.
const (
	reasonNoLauncher = "ship-no-launcher" // this server was built without it
	reasonUploading  = "ship-uploading"   // the toolchain is on its way
	reasonRoot       = "ship-root"        // not as the root of a file system
)

// cLocale stands in Variant.Streams for results that print as in the C locale:
// no call's streams are so called.
const cLocale = "C locale"

// A packer packs toolchains, each once. It is safe for concurrent use.
type packer struct {
	launcher   pack.Launcher
	launcherID digest.Digest
	files      toolchains.Files
	now        func() time.Time

	mu    sync.Mutex
	packs map[packKey]*packed
	// archives are those that settings name, by content.
	archives map[digest.Digest]*packed
	// differs says until when workers are known to have another toolchain.
	differs map[differsKey]time.Time
}

// language stands for what of the toolchain the compile needs: of rustc, for which
// target.
type packKey struct {
	toolchain, linker digest.Digest
	language          string
	root              bool
}

type differsKey struct {
	remote    Remote
	platform  string
	toolchain digest.Digest
}

// A shipment is a toolchain that is ready to be sent: its pack, the folder that
// is mounted into InputRoots, and what goes to the CAS once.
type shipment struct {
	pack   *pack.Pack
	tree   *merkle.Tree
	parcel *remote.Parcel
	// launcher is a program of the pack that a worker can be tried with.
	launcher []byte
}

// packed is a shipment, or why there is none yet. What failed is tried again: a
// file may have been unreadable for a moment, or a disk full.
type packed struct {
	mu sync.Mutex
	*shipment
	err   error
	again time.Time // when to try again, after an error
}

// packRetry is how long a toolchain that could not be packed is not tried again.
const packRetry = time.Minute

// get returns the shipment, which ship makes where there is none. Others wait
// meanwhile.
func (k *packed) get(now func() time.Time, ship func() (*shipment, error)) (*shipment, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.shipment == nil && !now().Before(k.again) {
		if k.shipment, k.err = ship(); k.err != nil {
			k.shipment, k.again = nil, now().Add(packRetry)
		}
	}
	return k.shipment, k.err
}

// differsAge is how long a worker's toolchain is taken for another one.
const differsAge = time.Hour

func newPacker(launcher pack.Launcher, files toolchains.Files, now func() time.Time) *packer {
	return &packer{
		launcher: launcher, launcherID: digest.Of(launcher.Data), files: files, now: now, packs: make(map[packKey]*packed),
		archives: make(map[digest.Digest]*packed), differs: make(map[differsKey]time.Time),
	}
}

// packedAs returns what a map of the packer has under key, from now on.
func packedAs[K comparable](p *packer, m map[K]*packed, key K) *packed {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := m[key]
	if k == nil {
		k = &packed{}
		m[key] = k
	}
	return k
}

// shipment returns the toolchain of a compile. linker is nil where none runs.
// root says that it is to be the root of the worker's file system.
func (p *packer) shipment(c *toolchains.Compile, linker *toolchains.Toolchain, root bool) (*shipment, error) {
	if len(p.launcher.Data) == 0 {
		return nil, toolchains.Unsupported(reasonNoLauncher, "")
	}
	key := packKey{toolchain: c.Toolchain.Digest, language: c.Language, root: root}
	if c.Crate != nil {
		key.language = c.Crate.Target
	}
	if linker != nil {
		key.linker = linker.Digest
	}
	return packedAs(p, p.packs, key).get(p.now, func() (*shipment, error) { return p.newShipment(c, linker, root) })
}

func (p *packer) newShipment(c *toolchains.Compile, linker *toolchains.Toolchain, root bool) (*shipment, error) {
	var pk *pack.Pack
	var err error
	switch {
	case root && c.Crate != nil:
		pk, err = pack.NewRustRoot(c.Toolchain, linker, c.Crate.Target, p.files)
	case root:
		pk, err = pack.NewRoot(c.Toolchain, c.Language, p.files)
	case c.Crate != nil:
		pk, err = pack.NewRust(c.Toolchain, linker, c.Crate.Target, p.launcher, p.files)
	default:
		pk, err = pack.New(c.Toolchain, c.Language, p.launcher, p.files)
	}
	if err != nil {
		return nil, err
	}
	s, err := shipmentOf(pk)
	if err != nil {
		return nil, err
	}
	s.launcher = p.launcher.Data
	return s, nil
}

func shipmentOf(p *pack.Pack) (*shipment, error) {
	tree, err := layout.PackTree(p)
	if err != nil {
		return nil, err
	}
	parcel := &remote.Parcel{ID: tree.Root, Name: p.Family + " " + p.Version}
	for d, text := range tree.Directories {
		parcel.Blobs = append(parcel.Blobs, cas.Bytes(d, text))
	}
	for i := range p.Entries {
		if e := &p.Entries[i]; e.Source == "" {
			parcel.Blobs = append(parcel.Blobs, cas.Bytes(e.Digest, e.Data))
		} else {
			parcel.Blobs = append(parcel.Blobs, cas.File(e.Digest, e.Source))
		}
	}
	return &shipment{pack: p, tree: tree, parcel: parcel}, nil
}

func (r *request) differsKey() differsKey {
	return differsKey{r.far.remote, fmt.Sprintf("%q", platformOf(r.settings)), r.compile.Toolchain.Digest}
}

// ships reports whether the toolchain travels with the compile: by setting, or
// since the workers are known to have another one.
func (r *request) ships() bool {
	switch {
	case r.far.remote == nil:
		return false
	case r.settings.Toolchain == toolchainShip, r.packFiles() != nil:
		return true
	case r.settings.Toolchain != toolchainAuto:
		return false
	}
	p := r.p.packer
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.p.o.Now().Before(p.differs[r.differsKey()])
}

// toolchain returns what travels with the compile.
func (r *request) toolchain() (*shipment, error) {
	root := r.settings.ToolchainRoot != ""
	switch {
	case root && r.at.shared: // what a root holds has the paths of this checkout
		return nil, toolchains.Unsupported(reasonRoot, "paths")
	case r.packFiles() != nil:
		return r.fromFile()
	}
	return r.p.packer.shipment(r.compile, r.linker, root)
}

// rootProperty is the property of the platform that names the root, empty for none.
func (r *request) rootProperty() string {
	name, ok := strings.CutPrefix(r.settings.ToolchainRoot, config.RootProperty)
	if !ok {
		return ""
	}
	return name
}

// platform is that of the workers for a compile with a shipment, which is nil where
// the worker's own toolchain is used.
func (r *request) platform(s *shipment) []action.Property {
	platform := platformOf(r.settings)
	if name := r.rootProperty(); name != "" && s != nil {
		platform = append(platform, action.Property{Name: name, Value: s.tree.Root.String()})
		slices.SortFunc(platform, func(a, b action.Property) int { return strings.Compare(a.Name, b.Name) })
	}
	return platform
}

// shipInstead reports whether the compile is to be laid out anew with its
// toolchain, since why says that the workers have another one, or nothing to
// find out by.
func (r *request) shipInstead(why error) bool {
	var different *parity.DifferentError
	bare := errors.Is(why, parity.ErrNoShell) || remote.IsBare(why)
	if r.settings.Toolchain != toolchainAuto || r.ships() || !bare && !errors.As(why, &different) {
		return false
	}
	if _, err := r.toolchain(); err != nil {
		return false
	}
	p := r.p.packer
	p.mu.Lock()
	defer p.mu.Unlock()
	p.differs[r.differsKey()] = r.p.o.Now().Add(differsAge)
	return true
}

// layoutRequest says how the compile is laid out: with what the worker has, or
// with its toolchain, which then is not nil. unpacked says why a toolchain that
// should travel cannot. What this machine made is no result of a foreign one.
func (r *request) layoutRequest(facts *toolchains.Facts) (req *layout.Request, ship *shipment, unpacked error) {
	req = &layout.Request{Compile: r.compile, Root: r.at.root}
	if r.ships() {
		if ship, unpacked = r.toolchain(); unpacked == nil && !(r.far.here && ship == r.foreign()) {
			req.Ship = &layout.Ship{Pack: ship.pack, Tree: ship.tree, Facts: facts, Apart: r.rootProperty() != ""}
			return req, ship, nil
		}
	}
	req.HostFile = layout.HostFiles(r.compile, facts)
	return req, nil, unpacked
}

// sharedManifest is the key of candidates that machines share. Those of shipped
// compiles are for machines with the same launcher.
func (r *request) sharedManifest() digest.Digest {
	if !r.ships() {
		return r.manifest
	}
	b := digest.NewBuilder("rexwrap shipped manifest 1")
	b.Digest(r.manifest)
	b.Digest(r.p.packer.launcherID)
	b.String(r.settings.ToolchainRoot)
	return b.Sum()
}

// delivered returns nil where a toolchain is in the remote's CAS and its workers
// can run it, else why not: its upload may just have been begun.
func (r *request) delivered(ctx context.Context, s *shipment) error {
	way := remote.Way{Chroot: r.settings.ToolchainRoot == config.RootChroot, Property: r.rootProperty()}
	if err := r.far.remote.Runs(ctx, platformOf(r.settings), way, s.launcher); err != nil {
		return err
	}
	err := r.far.remote.Deliver(ctx, s.parcel)
	if errors.Is(err, remote.ErrUnderWay) {
		return toolchains.Unsupported(reasonUploading, s.parcel.Name)
	}
	return err
}

// A Shipped compile is one as a worker without a compiler would get it.
type Shipped struct {
	Layout *layout.Layout
	Pack   *pack.Pack
	Tree   *merkle.Tree // the Pack's folder
}

// Mounted reports whether the toolchain is in the InputRoot: of a compile that
// cannot be laid out elsewhere there is a key only.
func (s *Shipped) Mounted() bool {
	return slices.ContainsFunc(s.Layout.Entries, func(e merkle.Entry) bool { return e.Mount != nil })
}

// ErrLink is returned for a crate that is linked: which files of the system a link
// reads only a link shows, and every worker's says so.
var ErrLink = errors.New("what a link reads is checked whenever a worker links")

// Shipped lays a call out with its toolchain, whatever the settings say of
// remotes. Errors are those of the Resolver, the family, the scanner and
// pack.New, and ErrLink.
func (p *Pipeline) Shipped(ctx context.Context, call *toolchains.Call) (*Shipped, error) {
	r, err := p.parsed(ctx, call)
	if err != nil {
		return nil, err
	}
	in, err := r.inputsAlone(ctx)
	if err != nil {
		return nil, err
	}
	facts, err := r.facts(ctx)
	if err != nil {
		return nil, err
	}
	s, err := p.packer.shipment(r.compile, nil, false)
	if err != nil {
		return nil, err
	}
	req := &layout.Request{
		Compile: r.compile, Inputs: in, Root: p.roots.find(r.compile, r.settings.ExecRoot),
		Ship: &layout.Ship{Pack: s.pack, Tree: s.tree, Facts: facts},
	}
	if r.compile.Crate != nil {
		r.crateRequest(req)
	} else if r.settings.Paths == config.PathsRelocatable && layout.Relocation(r.compile, req.Root) != nil {
		req.Mode = layout.Relocatable
	}
	l, err := layout.New(req)
	if err != nil {
		return nil, toolchains.Unsupported("layout", err.Error())
	}
	return &Shipped{l, s.pack, s.tree}, nil
}

// parsed begins a request for a call that nobody waits for.
func (p *Pipeline) parsed(ctx context.Context, call *toolchains.Call) (*request, error) {
	settings, err := p.o.Settings(call)
	if err != nil {
		return nil, err
	}
	call, tc, err := p.resolve(ctx, call)
	if err != nil {
		return nil, err
	}
	family := p.o.Family(tc.Family, settings)
	if family == nil {
		return nil, toolchains.Unsupported("not-a-compiler", call.Program)
	}
	c, err := family.Parse(call, tc)
	if err != nil {
		return nil, err
	}
	if c.Crate != nil && c.Crate.Links() {
		return nil, ErrLink
	}
	return &request{p: p, settings: settings, call: call, compile: c}, nil
}

// inputsAlone finds the inputs of a request that nobody waits for.
func (r *request) inputsAlone(ctx context.Context) (*depscan.Inputs, error) {
	if r.compile.Crate != nil {
		f, err := r.p.o.Crates.Foresee(ctx, r.p.o.Run, r.compile, filepath.Join(r.p.o.Scratch, "foreseen"),
			rustdeps.Run{Mark: r.quiesce(nil)}, r.p.files, nil, r.settings.RustRemoteProcMacros)
		if err != nil {
			return nil, err
		}
		r.read = f.Result
		return f.Inputs, nil
	}
	in, err := r.runScan(ctx)
	if errors.Is(err, depscan.ErrFallback) {
		return r.p.o.Fallback.Scan(ctx, r.compile)
	}
	return in, err
}
