package pipeline

import (
	"slices"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Manifest is what is remembered of the inputs of a compile, so that a hit
// needs no scan. It is stored under the manifest key, which covers all that is
// known before any header is read. Grammar of the stored bytes, in the terms of
// codec.go:
//
//	manifest  = version { candidate } ;             (* most recent first *)
//	version   = uint ;                              (* manifestVersion *)
//	candidate = n { path digest }                   (* files *)
//	            n { path }                          (* absent names *)
//	            n { path }                          (* directories *)
//	            n { path seconds }                  (* modification times *)
//	            needs guard
//	            n { name digest }                   (* variables *)
//	            path digest traced                  (* a package, what is around it *)
//	            n { path target }                   (* symbolic links *)
//	            n { path digest }                   (* listings of folders *)
//	            digest                              (* the journal's list *)
//	            n { variant digest quiet outputs targets names } ;
//	outputs   = n { role path } ;                   (* as the Action declares *)
//	targets   = n { string } ;                      (* of the Action's dep-file *)
//	names     = n { string path } ;                 (* a worker's, a client's *)
//	path      = string ;                            (* see place.encode *)
//
// A change of the grammar changes manifestVersion; a manifest of another
// version is absent.
type Manifest struct {
	Candidates []*Candidate
}

const (
	manifestVersion = 4
	// maxCandidates bounds a manifest. A key that sees more header sets in
	// turn than this is one of a bisection or a generator; the oldest go.
	maxCandidates = 16
	// maxVariants bounds the results of one candidate: pipe, terminal and a
	// few widths.
	maxVariants = 8
)

// A Candidate is one state of the files under which the results hold.
type Candidate struct {
	Files  []Input
	Absent []string
	Dirs   []string
	Times  []Time
	// Needs says which facts beside files the results depend on, Guard is
	// their digest; see guard.
	Needs Needs
	Guard digest.Digest
	// Variables, Package and Surroundings are what a compile of rustc depends
	// on beside files: variables that the source asks for, and where a
	// procedural macro ran the package, with the digest of the environment and,
	// unless the run was Traced, of the names of the package's files.
	Variables    []Variable
	Package      string
	Surroundings digest.Digest
	Traced       bool
	// Links and Listings are what a traced run found beside files: symbolic
	// links, and folders that were listed.
	Links    []Link
	Listings []Input
	// List names the blob in which the journal finds the inputs again.
	List    digest.Digest
	Results []Variant
}

// An Input is a file with its content, the path encoded by place.encode.
type Input struct {
	Path   string
	Digest digest.Digest
}

// A Link is a symbolic link with its target, both encoded like the path of an
// Input. Where the target is empty no link must be there.
type Link struct{ Path, Target string }

// A Time is a file whose modification time, in seconds since 1970, the compiler
// looks at.
type Time struct {
	Path    string
	ModTime int64
}

// A Variant is a result for one kind of standard streams. A quiet result wrote
// nothing to either and so serves every kind.
//
// The compile that made it may have named its outputs otherwise than the call
// that finds it: Outputs and Targets are how the Action names them, Names how a
// worker spells what is elsewhere here.
type Variant struct {
	Streams string
	Action  digest.Digest
	Quiet   bool
	Outputs []Declared
	Targets []string
	Names   names
}

// A Declared output is one of an Action's output_paths.
type Declared struct {
	Role toolchains.Role
	Path string // relative to the Action's working directory
}

func (m *Manifest) encode() []byte {
	e := &encoder{}
	e.uint(manifestVersion)
	e.uint(uint64(len(m.Candidates)))
	for _, c := range m.Candidates {
		c.append(e)
	}
	return e.buf
}

func (c *Candidate) append(e *encoder) {
	e.uint(uint64(len(c.Files)))
	for _, f := range c.Files {
		e.string(f.Path)
		e.digest(f.Digest)
	}
	e.strings(c.Absent)
	e.strings(c.Dirs)
	e.uint(uint64(len(c.Times)))
	for _, t := range c.Times {
		e.string(t.Path)
		e.int(t.ModTime)
	}
	e.uint(uint64(c.Needs))
	e.digest(c.Guard)
	e.uint(uint64(len(c.Variables)))
	for _, v := range c.Variables {
		e.string(v.Name)
		e.digest(v.Value)
	}
	e.string(c.Package)
	e.digest(c.Surroundings)
	e.bool(c.Traced)
	e.uint(uint64(len(c.Links)))
	for _, l := range c.Links {
		e.string(l.Path)
		e.string(l.Target)
	}
	e.uint(uint64(len(c.Listings)))
	for _, l := range c.Listings {
		e.string(l.Path)
		e.digest(l.Digest)
	}
	e.digest(c.List)
	e.uint(uint64(len(c.Results)))
	for _, r := range c.Results {
		e.string(r.Streams)
		e.digest(r.Action)
		e.bool(r.Quiet)
		e.uint(uint64(len(r.Outputs)))
		for _, o := range r.Outputs {
			e.string(string(o.Role))
			e.string(o.Path)
		}
		e.strings(r.Targets)
		r.Names.append(e)
	}
}

func decodeManifest(data []byte) (*Manifest, error) {
	d := &decoder{buf: data}
	if d.uint() != manifestVersion {
		return nil, errCorrupt
	}
	m := &Manifest{}
	for range d.count(3) {
		m.Candidates = append(m.Candidates, decodeCandidate(d))
	}
	return m, d.err()
}

func decodeCandidate(d *decoder) *Candidate {
	c := &Candidate{}
	if n := d.count(digest.Size + 2); n > 0 {
		c.Files = make([]Input, n)
		for i := range c.Files {
			c.Files[i] = Input{Path: d.string(), Digest: d.digest()}
		}
	}
	c.Absent = d.strings()
	c.Dirs = d.strings()
	for range d.count(2) {
		c.Times = append(c.Times, Time{Path: d.string(), ModTime: d.int()})
	}
	c.Needs = Needs(d.uint())
	c.Guard = d.digest()
	for range d.count(digest.Size + 2) {
		c.Variables = append(c.Variables, Variable{Name: d.string(), Value: d.digest()})
	}
	c.Package = d.string()
	c.Surroundings = d.digest()
	c.Traced = d.bool()
	for range d.count(2) {
		c.Links = append(c.Links, Link{Path: d.string(), Target: d.string()})
	}
	for range d.count(digest.Size + 2) {
		c.Listings = append(c.Listings, Input{Path: d.string(), Digest: d.digest()})
	}
	c.List = d.digest()
	for range d.count(digest.Size + 3) {
		c.Results = append(c.Results, decodeVariant(d))
	}
	return c
}

func decodeVariant(d *decoder) Variant {
	v := Variant{Streams: d.string(), Action: d.digest(), Quiet: d.bool()}
	for range d.count(2) {
		v.Outputs = append(v.Outputs, Declared{Role: toolchains.Role(d.string()), Path: d.string()})
	}
	v.Targets = d.strings()
	v.Names = decodeNames(d)
	return v
}

// result returns the variant that serves streams, nil where none does.
func (c *Candidate) result(streams string) *Variant {
	for i := range c.Results {
		if r := &c.Results[i]; r.Quiet || r.Streams == streams {
			return r
		}
	}
	return nil
}

// add puts c in front, merging it with a candidate of the same inputs.
func (m *Manifest) add(c *Candidate) {
	for i, old := range m.Candidates {
		if old.sameInputs(c) {
			c.Results = mergeVariants(c.Results, old.Results)
			m.Candidates = slices.Delete(m.Candidates, i, i+1)
			break
		}
	}
	m.Candidates = slices.Insert(m.Candidates, 0, c)
	if len(m.Candidates) > maxCandidates {
		m.Candidates = m.Candidates[:maxCandidates]
	}
}

func (c *Candidate) sameInputs(o *Candidate) bool {
	return c.Needs == o.Needs && c.Guard == o.Guard && slices.Equal(c.Variables, o.Variables) &&
		c.Package == o.Package && c.Surroundings == o.Surroundings && c.Traced == o.Traced &&
		slices.Equal(c.Links, o.Links) && slices.Equal(c.Listings, o.Listings) &&
		slices.Equal(c.Files, o.Files) &&
		slices.Equal(c.Absent, o.Absent) && slices.Equal(c.Dirs, o.Dirs) && slices.Equal(c.Times, o.Times)
}

func mergeVariants(fresh, old []Variant) []Variant {
	out := slices.Clone(fresh)
	for _, v := range old {
		same := func(w Variant) bool { return w.Streams == v.Streams }
		if !slices.ContainsFunc(out, same) && len(out) < maxVariants {
			out = append(out, v)
		}
	}
	return out
}
