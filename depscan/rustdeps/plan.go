package rustdeps

import (
	"bytes"
	"os"
	"regexp"
	"slices"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// An Asker plans runs and reads inputs off them. It remembers what metadata says;
// it is safe for concurrent use.
type Asker struct{ memo memo }

// New returns an Asker.
func New() *Asker { return &Asker{} }

// KnowMacro tells that d is the content of a procedural macro, which is then not
// read to find that out.
func (a *Asker) KnowMacro(d digest.Digest) { a.memo.put(d, nil) }

// A Plan says how a compile is run so that its inputs can be read off the run. It
// serves one run.
type Plan struct {
	// Argv is the argument list to run.
	Argv []string
	// Hide are the ways in which rustc quotes an argument that was added to
	// the linker's, where it shows the linker's command line.
	Hide []string
	// Report is where the run's Trace may be put; Remove removes it.
	Report string

	asker *Asker
	c     *toolchains.Compile
	// list is where the linker writes what it reads, empty where none runs.
	list string
}

// Plan plans the run of c, which is rustc's. scratch is a path, unique to the
// call, in an existing directory. The error is an *UnsupportedError where inputs
// cannot be known.
func (a *Asker) Plan(c *toolchains.Compile, scratch string) (*Plan, error) {
	p := &Plan{Argv: c.Call.Argv, Report: scratch + ".trace", asker: a, c: c}
	if c.Crate.Argv != nil {
		p.Argv = c.Crate.Argv
	}
	if c.Output(toolchains.RoleDepInfo) == nil && !standsAlone(c) {
		return nil, toolchains.Unsupported("no-dep-info", "")
	}
	if c.Crate.Links() {
		p.list = scratch + ".ld"
		added := "-Wl,--dependency-file=" + p.list
		p.Argv = withLinkArgument(p.Argv, added)
		p.Hide = []string{` "` + added + `"`, ` \"` + added + `\"`}
	}
	return p, nil
}

// withLinkArgument returns argv with one more argument for the linker, which no "--"
// may precede.
func withLinkArgument(argv []string, arg string) []string {
	end := slices.Index(argv, "--")
	if end < 0 {
		end = len(argv)
	}
	return slices.Concat(argv[:end], []string{"-C", "link-arg=" + arg}, argv[end:])
}

// standsAlone reports whether a compile reads no file but its source, as a build
// script's probe of the compiler does: no other crate has a macro in it, and of
// the words by which a source names files, variables and crates it has none.
func standsAlone(c *toolchains.Compile) bool {
	if len(c.Crate.Externs) > 0 {
		return false
	}
	text, err := os.ReadFile(c.Call.Abs(c.Source))
	reads := regexp.MustCompile(`\b(mod|path|crate|env|option_env|include|include_str|include_bytes|include_dir)\b`)
	return err == nil && !reads.Match(text)
}

// Blamed reports whether a run that failed says so of the list that the linker was to
// write: it may not have failed without.
func (p *Plan) Blamed(said []byte) bool {
	return p.list != "" && bytes.Contains(said, []byte(p.list))
}

// Remove removes the files of the run.
func (p *Plan) Remove() {
	if p.list != "" {
		_ = os.Remove(p.list) // a linker that failed made none
	}
	_ = os.Remove(p.Report) // there may be none
}
