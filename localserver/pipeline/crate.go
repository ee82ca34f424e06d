package pipeline

import (
	"bytes"
	"context"
	"encoding/binary"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/localserver/journal"
	"github.com/rexwrap/rexwrap/localserver/trace"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/wrapper/wire"
)

// What is different about rustc: the inputs are read off every run, a linker may
// be among the programs, variables that the source asks for guard candidates, and
// the texts of a result name the folder of the outputs.

// linkerIdentity finds the linker of a compile that links, and returns the digest
// by which it stands in the key; empty for others.
func (r *request) linkerIdentity(ctx context.Context) (string, error) {
	crate := r.compile.Crate
	if !crate.Links() {
		return "", nil
	}
	program, err := r.linkerProgram(crate.Linker)
	if err != nil {
		return "", err
	}
	call := *r.call
	call.Program, call.Argv = program, []string{filepath.Base(program)}
	if r.linker, err = r.p.o.Resolver.ResolveLinker(ctx, &call); err != nil {
		if _, _, ok := toolchains.ReasonOf(err); ok {
			return "", toolchains.Unsupported("linker", program)
		}
		return "", err
	}
	return r.linker.Digest.Hex(), nil
}

// crateMachine is what of this machine is in the key of a compile of rustc: the
// linker, and the processor where code is made for whichever is at hand. LLVM tells
// processors apart by what /proc/cpuinfo says of them, and by less.
func (r *request) crateMachine(ctx context.Context) (string, error) {
	linker, err := r.linkerIdentity(ctx)
	if err != nil || !r.compile.Crate.Native {
		return linker, err
	}
	processor, ok := toolchains.Processor()
	if !ok {
		return "", toolchains.Unsupported("native-cpu", "")
	}
	return linker + " " + processor.Hex(), nil
}

// defaultLinker is what rustc starts where nothing else is asked for.
const defaultLinker = "cc"

// linkerProgram finds the linker's driver as rustc does: through PATH, behind the
// toolchain's own folder, which holds none of its name.
func (r *request) linkerProgram(name string) (string, error) {
	if name == "" {
		name = defaultLinker
	}
	if strings.ContainsRune(name, filepath.Separator) {
		return r.call.Abs(name), nil
	}
	for _, dir := range filepath.SplitList(r.call.Env.Value("PATH")) {
		path := filepath.Join(r.call.Abs(dir), name)
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", toolchains.Unsupported("linker", name)
}

// nameCrate notes which crate a call of rustc compiles that is not understood.
func (r *request) nameCrate() {
	if r.record.Family != "rustc" {
		return
	}
	const option = "--crate-name"
	for i, word := range r.call.Argv {
		value, joined := strings.CutPrefix(word, option+"=")
		if word == option && i+1 < len(r.call.Argv) {
			value, joined = r.call.Argv[i+1], true
		}
		if joined {
			r.record.Crate = value
		}
	}
}

// prepareCrate says how rustc is run.
func (r *request) prepareCrate(ctx context.Context, x *run) error {
	err := r.p.listing(ctx, r)
	if err != nil {
		return err
	}
	x.crate, err = r.p.o.Crates.Plan(r.compile, filepath.Join(r.p.o.Scratch, r.in.Token))
	if err != nil {
		return err
	}
	x.command.Argv, x.mark = withOptions(x.crate.Argv, r.relocation), r.quiesce(nil)
	for _, n := range r.roots.Names() {
		x.command.Hide = append(x.command.Hide, n.Worker+separator)
		x.command.Instead = append(x.command.Instead, n.Client+separator)
	}
	x.command.Hide = append(x.command.Hide, x.crate.Hide...)
	r.traceMacros(x)
	return nil
}

// traceMacros has a run traced that loads procedural macros, where that can be. What
// hinders it from being known keeps the result from being stored.
func (r *request) traceMacros(x *run) {
	info := r.compile.Output(toolchains.RoleDepInfo)
	if r.p.o.Tracer == nil || info == nil {
		return
	}
	folders, err := x.crate.MacroFolders(r.p.files)
	if err != nil || len(folders) == 0 {
		return
	}
	argv, ok := r.p.o.Tracer.Argv(&trace.Plan{
		Report: x.crate.Report, DepInfo: r.call.Abs(info.Path), Folders: folders, Program: x.command.Program, Argv: x.command.Argv,
	})
	if ok {
		x.command.Program, x.command.Argv = argv[0], argv
	}
}

// learnCrate makes sure of the inputs of a run of rustc.
func (r *request) learnCrate(x *run) {
	if x.reason != nil {
		return
	}
	r.declare(r.splitFiles())
	got, err := x.crate.Collect(rustdeps.Run{Mark: x.mark, Linker: r.linker, Trace: trace.ReadReport(x.crate.Report)}, r.p.files)
	switch {
	case err != nil:
		x.reason = err
	case !r.p.files.Check(r.call.Abs(r.compile.Source), r.key.Source):
		x.reason = toolchains.Unsupported("modified-during-compile", r.compile.Source)
	default:
		x.inputs, r.read = got.Inputs, got
	}
}

// A Variable is one of the environment that the source asks for. The zero Value
// is that of one which is not set.
type Variable struct {
	Name  string
	Value digest.Digest
}

func (r *request) variable(name string) Variable {
	v := Variable{Name: name}
	if value, set := r.call.Env.Lookup(name); set {
		if r.at.shared {
			value = r.at.encodeList(value)
		}
		v.Value = digest.OfString(value)
	}
	return v
}

// guardCrate adds to c what a run of rustc read beside files. Variables are taken
// from the call: the compiler may have got others from rustup's proxy, and such a
// result is not stored.
func (r *request) guardCrate(c *Candidate, read *rustdeps.Result) error {
	r.nameSources(c, read)
	for _, v := range read.Variables {
		value, set := r.call.Env.Lookup(v.Name)
		if set != v.Set || value != v.Value {
			return toolchains.Unsupported("environment-of-proxy", v.Name)
		}
		c.Variables = append(c.Variables, r.variable(v.Name))
	}
	if read.Package == "" {
		return nil
	}
	c.Package, c.Traced = r.encodeNamed(read.Package), read.Traced
	c.Surroundings = r.surroundings(c)
	for _, l := range read.Links {
		c.Links = append(c.Links, Link{r.encodeNamed(l.Path), r.encodeNamed(l.Target)})
	}
	for _, l := range read.Listings {
		c.Listings = append(c.Listings, Input{r.encodeNamed(l.Dir), l.Digest})
	}
	return nil
}

// encodeNamed encodes a path that sources or macros have named, and nobody has searched
// for: it is the same whatever folders a call has for that.
func (r *request) encodeNamed(path string) string {
	if r.at.shared {
		return r.at.encode(path)
	}
	return path
}

// nameSources gives the files of c that were not searched for, which stand there in the
// order of read's, the paths that other calls read.
func (r *request) nameSources(c *Candidate, read *rustdeps.Result) {
	named := make(map[string]bool, len(read.Sources))
	for _, path := range slices.Concat(read.Sources, read.Seen) {
		named[path] = true
	}
	for i := range read.Files {
		if path := read.Files[i].Path; named[path] {
			c.Files[i].Path = r.encodeNamed(path)
		}
	}
}

// surroundings is the digest of what a procedural macro may have looked at without
// anybody seeing it: the whole environment, and where the run was not traced which
// files its user's package has.
func (r *request) surroundings(c *Candidate) digest.Digest {
	var respell func(string) string
	if r.at.shared {
		respell = r.at.encodeList
	}
	b := digest.NewBuilder("rexwrap macro 1")
	b.Digest(rustdeps.Environment(r.call.Env, respell))
	if !c.Traced {
		b.Digest(rustdeps.PackageListing(r.at.spell(c.Package)))
	}
	return b.Sum()
}

// guardTimes adds the modification times that procedural macros have put into an
// output: of the files that they have seen, as the number of seconds that programs
// hold. What is made of a time otherwise goes unnoticed, like that of the clock.
func (r *request) guardTimes(c *Candidate, x *run) error {
	var times []Time
	for _, path := range r.read.Seen {
		info, err := os.Stat(path)
		if err != nil {
			return toolchains.Unsupported("modified-during-compile", path)
		}
		times = append(times, Time{Path: r.encodeNamed(path), ModTime: info.ModTime().Unix()})
	}
	for i := 0; i < len(x.files) && len(times) > 0; i++ { // each is read once: it may be large
		data, err := r.captured(&x.files[i])
		if err != nil {
			return err
		}
		times = slices.DeleteFunc(times, func(t Time) bool {
			held := bytes.Contains(data, binary.LittleEndian.AppendUint32(nil, uint32(t.ModTime)))
			if held {
				c.Times = append(c.Times, t)
			}
			return held
		})
	}
	return nil
}

// crateHolds reports whether what c remembers of the environment is so.
func (r *request) crateHolds(c *Candidate) bool {
	for _, v := range c.Variables {
		if r.variable(v.Name) != v {
			return false
		}
	}
	for _, l := range c.Listings {
		if rustdeps.FolderListing(r.at.spell(l.Path)) != l.Digest {
			return false
		}
	}
	return c.Package == "" || c.Surroundings == r.surroundings(c)
}

// renotice returns the chunks of a result of rustc as this call would have got
// them: notices of artifacts name its outputs.
//
//	notice = "{" [ `"$message_type":"artifact",` ] `"artifact":"` path `",` … "}"
func renotice(chunks []wire.Chunk, from, to string) []wire.Chunk {
	if from == to {
		return chunks
	}
	out := slices.Clone(chunks)
	for i := range out {
		var text bytes.Buffer
		for line := range bytes.Lines(out[i].Data) {
			head := noticeHead(line)
			rest, ok := bytes.CutPrefix(line[head:], []byte(folderIn(from)))
			if head > 0 && ok {
				line = slices.Concat(line[:head], []byte(folderIn(to)), rest)
			}
			text.Write(line)
		}
		out[i].Data = text.Bytes()
	}
	return out
}

func noticeHead(line []byte) int {
	for _, head := range []string{`{"$message_type":"artifact","artifact":"`, `{"artifact":"`} {
		if bytes.HasPrefix(line, []byte(head)) {
			return len(head)
		}
	}
	return 0
}

// folderIn is a folder as it stands before a file's name in a JSON string.
func folderIn(dir string) string {
	if dir == "" {
		return ""
	}
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(strings.TrimSuffix(dir, separator) + separator)
}

// fillDepInfo makes the dep-info that this call would have. It reports false where
// the blob is gone.
func (r *request) fillDepInfo(it *item, res *Result) bool {
	from, to := r.crateOrigin(res), r.compile.Crate.OutDir
	if from.same && from.outDir == to {
		return true
	}
	text := it.data
	if text == nil {
		var err error
		if text, err = r.p.store.Blob(it.digest); err != nil {
			return false
		}
	}
	if !from.same {
		text = rustdeps.Respell(text, from.path, r.call.Env.Lookup)
	}
	it.data = rustdeps.Retarget(text, from.outDir, to)
	it.digest = digest.Of(it.data)
	return true
}

// splitFiles are the files of unpacked split debug information that are there, as
// outputs. Their roles are their names without what all have in common.
func (r *request) splitFiles() []toolchains.Output {
	if r.compile.Crate == nil || r.compile.Crate.Split == "" {
		return nil
	}
	stem := r.compile.Crate.Split
	entries, err := os.ReadDir(filepath.Dir(r.call.Abs(stem)))
	if err != nil {
		return nil
	}
	var out []toolchains.Output
	for _, entry := range entries {
		rest, ok := strings.CutPrefix(entry.Name(), filepath.Base(stem))
		if ok && strings.HasPrefix(rest, ".") && strings.HasSuffix(rest, splitSuffix) {
			out = append(out, splitOutput(stem, rest))
		}
	}
	return out
}

const splitSuffix = ".dwo"

func splitOutput(stem, rest string) toolchains.Output {
	return toolchains.Output{Role: toolchains.RoleDwo + toolchains.Role(rest), Path: stem + rest, Optional: true}
}

// declare makes sure that the outputs of which only a run says that there are any
// are among those of the compile.
func (r *request) declare(outputs []toolchains.Output) {
	for _, o := range outputs {
		if r.compile.Output(o.Role) == nil {
			r.compile.Outputs = append(r.compile.Outputs, o)
		}
	}
}

// declareSplit declares the files of split debug information that are in res.
func (r *request) declareSplit(res *Result) {
	if r.compile.Crate == nil || r.compile.Crate.Split == "" {
		return
	}
	for _, o := range res.Outputs {
		rest, ok := strings.CutPrefix(string(o.Role), string(toolchains.RoleDwo))
		if ok && strings.HasPrefix(rest, ".") && strings.HasSuffix(rest, splitSuffix) && !strings.ContainsRune(rest, filepath.Separator) {
			r.declare([]toolchains.Output{splitOutput(r.compile.Crate.Split, rest)})
		}
	}
}

// replaces reports whether an output is a new file in any case, whatever other
// names it has: cargo gives one to programs and libraries, which stays the old
// file's, and rustc one to metadata in the folder of incremental compiles.
func (r *request) replaces(path string, keeps bool) bool {
	if r.compile.Crate == nil || keeps {
		return false
	}
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}

// permissions are those of a file that has several names.
func permissions(path string) fs.FileMode {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

// storeCrate keeps the result of a run of rustc. Where there is no remote its
// Action is none that a worker could run: it only names the result.
func (r *request) storeCrate(ctx context.Context, x *run, c *Candidate, res *Result) error {
	if err := r.guardCrate(c, r.read); err != nil {
		return err
	}
	if err := r.guardPlace(c, x); err != nil {
		return err
	}
	if err := r.guardTimes(c, x); err != nil {
		return err
	}
	res.Dep = DepOrigin{Targets: r.origin()}
	if err := r.checkVerified(res); err != nil {
		return err
	}
	laid, err := r.layCrate(ctx, c, x.inputs)
	if err != nil {
		return err
	}
	v := Variant{Streams: r.streams, Action: r.crateAction(c), Quiet: res.quiet()}
	if laid != nil {
		v = laid.variant(r.streams, res.quiet())
	}
	r.record.Action = v.Action
	if err := r.p.store.PutResult(r.record.Action, res.encode()); err != nil {
		return storeTrouble(err)
	}
	c.List = r.putList(c)
	c.Results = []Variant{v}
	if err := r.p.remember(r, c); err != nil {
		return storeTrouble(err)
	}
	for _, f := range x.files {
		r.p.files.Record(f.path, f.digest)
		if f.role == toolchains.RoleProcMacro {
			r.p.o.Crates.KnowMacro(f.digest)
		}
	}
	r.record.Key.Inputs = c.List
	r.noteVariables(c)
	r.learnLink(x.inputs)
	if laid != nil {
		r.share(x, c, laid, res)
	}
	return nil
}

// noteVariables tells the journal what of the environment c depends on, so that
// explain can name what has changed.
func (r *request) noteVariables(c *Candidate) {
	for _, v := range c.Variables {
		value, set := r.call.Env.Lookup(v.Name)
		r.record.Key.Env = append(r.record.Key.Env, journal.NewVariable(v.Name, value, set))
	}
	if c.Package != "" {
		r.record.Key.Env = append(r.record.Key.Env,
			journal.NewVariable("what a procedural macro may read", c.Surroundings.Hex(), true))
	}
	for _, l := range c.Listings {
		r.record.Key.Env = append(r.record.Key.Env, journal.NewVariable("names in "+r.at.spell(l.Path), l.Digest.Hex(), true))
	}
}

// crateAction is the digest of all that a result depends on.
func (r *request) crateAction(c *Candidate) digest.Digest {
	b := digest.NewBuilder("rexwrap crate 1")
	b.Digest(r.manifest)
	for _, f := range c.Files {
		b.String(f.Path)
		b.Digest(f.Digest)
	}
	b.Strings(c.Absent)
	for _, v := range c.Variables {
		b.String(v.Name)
		b.Digest(v.Value)
	}
	b.String(c.Package)
	b.Digest(c.Surroundings)
	b.Strings(c.Dirs)
	for _, l := range c.Links {
		b.String(l.Path)
		b.String(l.Target)
	}
	for _, l := range c.Listings {
		b.String(l.Path)
		b.Digest(l.Digest)
	}
	b.Digest(c.Guard)
	b.String(r.streams)
	return b.Sum()
}
