package pipeline

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/localserver/layout"
	"github.com/rexwrap/rexwrap/localserver/parity"
	"github.com/rexwrap/rexwrap/localserver/pdbsession"
	"github.com/rexwrap/rexwrap/localserver/remote"
	"github.com/rexwrap/rexwrap/toolchains"
)

// How a worker runs cl.exe /Zi, and what is made of what it says there.

// workersFolder is where a worker makes the pair of object and database.
const workersFolder = "rexwrap-out"

// workersCompile is r.compile as a worker runs it: with a database of its own, beside the
// object. The names in debug information are made good when the pair is put in place. Where
// the object would name the worker's folders otherwise too, or there are further outputs, it
// is the compile itself, which no worker runs.
func (r *request) workersCompile() *toolchains.Compile {
	d := r.database
	stem := r.workersStem()
	words, err := d.family.PrivateDatabase(r.compile, stem+".obj", stem+".pdb")
	if err != nil {
		return r.compile
	}
	endpoint := "rexwrap-" + digest.OfString(strings.Join(words, "\n")).Hex()[:16]
	language, ok := r.language()
	if !ok {
		return r.compile
	}
	call := *r.call
	call.Argv = append([]string{r.call.Argv[0]}, words...)
	call.Env = call.Env.With(slices.Concat(withoutVariables(), language, []string{endpointVariable + "=" + endpoint})...)
	c, err := d.family.Parse(&call, r.compile.Toolchain)
	if err != nil || len(c.Outputs) != 1 || hasOption(c, "-FC") {
		return r.compile
	}
	for i := range c.Args {
		c.Args[i].Option = dashed(c.Args[i].Option) // as layout knows it
	}
	c.Outputs = append(c.Outputs, toolchains.Output{Role: toolchains.RolePDB, Path: stem + ".pdb", Optional: true})
	c.Env = append(c.Env, endpointVariable)
	c.Recorded, c.Carries, c.Nondeterministic = false, 0, false
	return c
}

// workersStem is what the names of a worker's object and database begin with.
func (r *request) workersStem() string {
	return workersFolder + "/" + strings.TrimSuffix(filepath.Base(r.database.object), ".obj")
}

// originOf says what the files of res are called in it, if a worker has made it.
func (r *request) originOf(res *Result) *pdbsession.Origin {
	if res.Spelling != SpelledRemotely {
		return nil
	}
	names := res.Names.at(r.at)
	o := &pdbsession.Origin{}
	for _, n := range names {
		o.Moves = append(o.Moves, pdbsession.Move{From: n.Worker, To: n.Client})
	}
	o.Moves = append(o.Moves, pdbsession.Move{From: layout.Here, To: r.call.Dir})
	if len(names) > 0 {
		o.Root = names[len(names)-1].Client // the shortest name there is that of all
	}
	rest, ok := below(r.call.Dir, o.Root)
	if !ok || o.Root == "" {
		return o
	}
	o.Below = path.Join("/", filepath.ToSlash(rest), r.workersStem()+".pdb")
	return o
}

// language is what makes a worker's cl.exe speak the language that this machine's speaks:
// that of a variable, or the only one that it has. It reports false where it has several:
// then the system's counts.
func (r *request) language() ([]string, bool) {
	const variable = "VSLANG"
	if _, set := r.call.Env.Lookup(variable); set {
		return nil, true
	}
	var list []string
	for _, p := range r.compile.Toolchain.Programs {
		if strings.EqualFold(p.Name, "clui.dll") {
			list = append(list, variable+"="+filepath.Base(filepath.Dir(p.Path)))
		}
	}
	return list, len(list) <= 1
}

func hasOption(c *toolchains.Compile, name string) bool {
	return slices.ContainsFunc(c.Args, func(a toolchains.Arg) bool { return dashed(a.Option) == name })
}

// dashed is an option with a dash in front of it, for which a slash may stand.
func dashed(option string) string {
	if rest, ok := strings.CutPrefix(option, "/"); ok {
		return "-" + rest
	}
	return option
}

// databaseHost is what the worker that made a result of c must have, nil where that is not
// known. The compiler need not be asked.
func (r *request) databaseHost(ctx context.Context, c *Candidate) *parity.Host {
	facts, err := r.facts(ctx)
	if err != nil {
		return nil
	}
	has := layout.HostFiles(r.compile, facts)
	files, absent := r.programs(), []string(nil)
	for _, f := range c.Files {
		if name := r.at.spell(f.Path); filepath.IsAbs(name) && has(name) {
			files = append(files, parity.File{Path: name, Digest: f.Digest})
		}
	}
	for _, name := range c.Absent {
		name = r.at.spell(name)
		before, _, _ := strings.Cut(name, "/..")
		if filepath.IsAbs(name) && (has(strings.TrimSuffix(name, separator)) || has(before)) {
			absent = append(absent, name)
		}
	}
	host, err := parity.NewHost(files, absent)
	if err != nil {
		return nil
	}
	return host
}

// plausiblePair checks that the database that a worker has brought is that of the object.
func (r *request) plausiblePair(res *Result) error {
	object, _, database, err := r.storedPair(res)
	if err != nil {
		return err
	}
	if err := pdbsession.Check(object, database); err != nil {
		return fmt.Errorf("%w: %w", remote.ErrBadResult, err)
	}
	return nil
}

// reasonMessages is the reason of compiles that stay here since it is not known what they
// would print here.
const reasonMessages = "remote-messages"

// acceptTexts gives the files of which res speaks the names by which its Names know them,
// or says why it cannot. cl.exe has absolute names for headers, which on a worker begin
// with a folder that nobody else knows: it is found by the inputs of c that stand in it.
// Of whatever else looks like an absolute name it is not known what it stands for.
func (r *request) acceptTexts(c *Candidate, res *Result) error {
	if res.quiet() {
		return nil
	}
	s := r.speller(c, res)
	for i := range res.Chunks {
		for line := range bytes.Lines(res.Chunks[i].Data) {
			s.learn(s.included(string(line)))
		}
	}
	for i := range res.Chunks {
		var text []byte
		for line := range bytes.Lines(res.Chunks[i].Data) {
			own, ok := s.respell(string(line))
			if !ok {
				return toolchains.Unsupported(reasonMessages, strings.TrimRight(own, "\r\n"))
			}
			text = append(text, own...)
		}
		res.Chunks[i].Data = text
	}
	return nil
}

// A speller knows the files that a worker may speak of.
type speller struct {
	r     *request
	names layout.Names
	known map[string]bool // absolute names here
	top   string          // the InputRoot, as names has it
	below []string        // inputs in the InputRoot, from its top on
	// roots are what the InputRoot may be called on the worker; they are nil until a
	// name has been seen.
	roots []string
	// header is headerNote, absolute the form of an absolute name.
	header, absolute *regexp.Regexp
}

func (r *request) speller(c *Candidate, res *Result) *speller {
	s := &speller{
		r: r, names: res.Names.at(r.at), known: make(map[string]bool, len(c.Files)),
		header:   regexp.MustCompile(headerNote),
		absolute: regexp.MustCompile(`(?:^|[\s"'(])((?:/|[A-Za-z]:[\\/])[^\s"'():,]*)`),
	}
	for i, n := range s.names {
		if i == 0 || len(n.Worker) < len(s.top) {
			s.top = n.Worker
		}
	}
	for _, f := range c.Files {
		name := filepath.Clean(r.call.Abs(r.at.spell(f.Path)))
		s.known[name] = true
		if rest, ok := strings.CutPrefix(s.names.WorkerPath(name), s.top); ok && s.top != "" {
			s.below = append(s.below, rest)
		}
	}
	return s
}

// knows reports whether a name is that of an input, here or as names has it.
func (s *speller) knows(name string) bool {
	return s.known[filepath.Clean(s.r.call.Abs(s.names.ClientPath(name)))]
}

// included returns the file that a line names as a header, empty for other lines.
func (s *speller) included(line string) string {
	if m := s.header.FindStringSubmatch(line); m != nil {
		return strings.TrimRight(m[1], "\r\n")
	}
	return ""
}

// learn takes up a name of an input.
func (s *speller) learn(name string) {
	if !filepath.IsAbs(name) || s.knows(name) {
		return
	}
	var roots []string
	for _, rest := range s.below {
		root, ok := strings.CutSuffix(name, rest)
		if ok && (s.roots == nil || slices.Contains(s.roots, root)) && !slices.Contains(roots, root) {
			roots = append(roots, root)
		}
	}
	s.roots = append([]string{}, roots...)
}

// respell returns a line with names that can be translated. It reports false where it
// cannot.
func (s *speller) respell(line string) (string, bool) {
	name := s.included(line)
	if name != "" && s.knows(name) {
		return line, true
	}
	if len(s.roots) == 1 {
		line = strings.ReplaceAll(line, s.roots[0]+"/", s.top+"/")
		if name = s.included(line); name != "" && s.knows(name) {
			return line, true
		}
	}
	for _, m := range s.absolute.FindAllStringSubmatch(line, -1) {
		if !s.knows(m[1]) {
			return line, false
		}
	}
	return line, true
}
