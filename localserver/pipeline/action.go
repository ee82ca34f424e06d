package pipeline

import (
	"cmp"
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/action"
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/client/merkle"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A laidOut compile is one as an Action: the key of its result here and
// everywhere, and what a worker needs to run it.
type laidOut struct {
	*action.Encoded
	spec   *action.Spec
	layout *layout.Layout
	// host is what a worker must have by itself, nil, with unhosted saying
	// why, where that cannot be checked.
	host     *parity.Host
	unhosted error
	// ship is the toolchain in the InputRoot, nil where the worker's is used;
	// unpacked says why it should be there and is not.
	ship     *shipment
	unpacked error
	tree     *merkle.Tree
	names    names
}

// actionOf lays the compile with the inputs of c out. The Command is the one
// that a worker runs; what the result depends on beside arguments and InputRoot
// stands in its environment.
func (r *request) actionOf(ctx context.Context, c *Candidate, in *depscan.Inputs, streams string) (*laidOut, error) {
	facts, err := r.facts(ctx)
	if err != nil {
		return nil, err
	}
	req, ship, unpacked := r.layoutRequest(facts)
	req.Inputs = in
	if r.database != nil {
		req.Compile = r.workersCompile()
	}
	if r.compile.Crate != nil {
		r.crateRequest(req)
	}
	if r.at.shared {
		req.Mode = layout.Relocatable
	}
	l, err := layout.New(req)
	if err != nil {
		return nil, toolchains.Unsupported("layout", err.Error())
	}
	laid := &laidOut{layout: l, tree: l.Tree, names: namesOf(l, r.at), ship: ship, unpacked: unpacked}
	hosted := req.HostFile
	if ship != nil {
		hosted = func(string) bool { return false }
	}
	laid.spec = &action.Spec{
		Arguments: l.Arguments, Env: slices.Concat(l.Env, r.actionEnv(c, r.madeBy(ship), r.hostDigest(c, l, hosted), streams)),
		WorkingDir: l.WorkingDir, InputRoot: l.Tree.Root, Timeout: r.timeout(), Platform: r.platform(ship),
	}
	for _, o := range l.Outputs {
		laid.spec.OutputFiles = append(laid.spec.OutputFiles, o.Path)
	}
	if l.Unproven == nil && laid.ship == nil {
		laid.reportHost(r.programs())
	}
	if laid.Encoded, err = action.Encode(laid.spec); err != nil {
		return nil, err
	}
	return laid, nil
}

// reportHost makes the Command report what the worker has by itself.
func (l *laidOut) reportHost(programs []parity.File) {
	files := programs
	for _, f := range l.layout.Host {
		files = append(files, parity.File{Path: f.Path, Digest: f.Digest})
	}
	if l.host, l.unhosted = parity.NewHost(files, l.layout.HostAbsent); l.unhosted != nil {
		return
	}
	l.spec.Arguments = l.host.Arguments(l.spec.Arguments)
	l.spec.OutputFiles = append(l.spec.OutputFiles, parity.Output)
}

// programs are the files of the toolchain, and of the linker where one runs.
func (r *request) programs() []parity.File {
	var files []parity.File
	for _, tc := range []*toolchains.Toolchain{r.compile.Toolchain, r.linker} {
		if tc == nil {
			continue
		}
		for _, p := range tc.Programs {
			if p.Path != "" {
				files = append(files, parity.File{Path: p.Path, Digest: p.Digest})
			}
		}
	}
	return files
}

// remotable returns why no worker may run l, or nil.
func (l *laidOut) remotable() error {
	if l.layout.Unproven != nil {
		return l.layout.Unproven
	}
	if l.unpacked != nil {
		return l.unpacked
	}
	if l.unhosted != nil {
		return toolchains.Unsupported(reasonParity, l.unhosted.Error())
	}
	if err := l.spec.Remotable(); err != nil {
		return toolchains.Unsupported("remote-not-portable", err.Error())
	}
	if l.tree.MixedModes {
		return toolchains.Unsupported("remote-not-portable", "a file is there with two modes")
	}
	return nil
}

// sought is the variant that a worker's result is, or another machine's.
func (l *laidOut) sought() Variant {
	v := l.variant("", false)
	if l.ship != nil && l.layout.Quiet {
		v.Streams = cLocale
	}
	return v
}

// variant is the result of l in a manifest.
func (l *laidOut) variant(streams string, quiet bool) Variant {
	v := Variant{Streams: streams, Action: l.Action, Quiet: quiet, Targets: l.layout.DepTargets, Names: l.names}
	for _, o := range l.layout.Outputs {
		v.Outputs = append(v.Outputs, Declared{Role: o.Role, Path: o.Path})
	}
	if l.host != nil {
		v.Outputs = append(v.Outputs, Declared{Role: roleParity, Path: parity.Output})
	}
	return v
}

// actionEnv are those variables of the Command that only separate Actions: what
// the result depends on and is in neither the arguments nor the InputRoot. They
// are in the environment since one server leaves the platform and the salt out
// of its key (just).
func (r *request) actionEnv(c *Candidate, toolchain, host digest.Digest, streams string) []string {
	env := []string{
		"REXWRAP_TOOLCHAIN=" + toolchain.Hex(),
		"REXWRAP_HOST=" + host.Hex(),
	}
	for _, v := range []struct{ name, value string }{
		{"NATIVE", r.key.Native},
		{"GUARD", hexOf(c.Guard)},
		{"STREAMS", streams},
		{"EXTRA", strings.Join(r.key.Extra, " ")},
		{"PLACE", r.carriedPlace()},
		{"CRATE", r.crateState(c)},
	} {
		if v.value != "" {
			env = append(env, "REXWRAP_"+v.name+"="+v.value)
		}
	}
	return env
}

// carriedPlace stands for the working directory of compiles that write it into
// the result by way of flags.
func (r *request) carriedPlace() string {
	if r.compile.Carries == 0 || r.at.shared {
		return ""
	}
	return digest.OfString(r.key.Dir).Hex()
}

func hexOf(d digest.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.Hex()
}

// hostDigest covers the inputs of c that are not in the InputRoot: those that
// a worker must have by itself.
func (r *request) hostDigest(c *Candidate, l *layout.Layout, hosted func(string) bool) digest.Digest {
	laid := make(map[digest.Digest]bool, len(l.Entries))
	for i := range l.Entries {
		laid[l.Entries[i].Digest] = true
	}
	host := make([]Input, 0, len(l.Host))
	for _, f := range c.Files {
		if path := r.at.spell(f.Path); filepath.IsAbs(path) && (hosted(path) || !laid[f.Digest]) {
			host = append(host, f)
		}
	}
	slices.SortFunc(host, func(a, b Input) int { return cmp.Compare(a.Path, b.Path) })
	b := digest.NewBuilder("rexwrap host 1")
	for _, f := range host {
		b.String(f.Path)
		b.Digest(f.Digest)
	}
	return b.Sum()
}

// timeout is the Action's. Servers differ in what it means that there is none.
func (r *request) timeout() time.Duration {
	if r.settings.ExecTimeout > 0 {
		return r.settings.ExecTimeout
	}
	return defaultTimeout
}

const defaultTimeout = 10 * time.Minute

// pageOf returns where the remote's web pages show an Action, empty where there
// are none. A setting with {hash} in it is a pattern, with {size} and {instance}
// besides; another is the address of a bb-browser.
func pageOf(s *config.Settings, d digest.Digest) string {
	pattern := s.BrowserURL
	if pattern == "" {
		return ""
	}
	if !strings.Contains(pattern, "{hash}") {
		instance := ""
		if s.Instance != "" {
			instance = "{instance}/"
		}
		pattern = strings.TrimSuffix(pattern, "/") + "/" + instance + "blobs/sha256/action/{hash}-{size}/"
	}
	return strings.NewReplacer(
		"{hash}", d.Hex(), "{size}", strconv.FormatInt(d.Size, 10), "{instance}", s.Instance,
	).Replace(pattern)
}

func platformOf(s *config.Settings) []action.Property {
	var out []action.Property
	for _, name := range slices.Sorted(maps.Keys(s.Platform)) {
		out = append(out, action.Property{Name: name, Value: s.Platform[name]})
	}
	return out
}
