package cpp

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/toolchains"
)

// A Compiler tells what only the compiler of a compile knows. Implementations
// are safe for concurrent use, and remember their answers.
type Compiler interface {
	// Facts returns what the compiler says of itself for c's class of flags,
	// the same *Facts as long as it holds. Directories that CPATH and its
	// like name are not among them.
	Facts(ctx context.Context, c *toolchains.Compile) (*toolchains.Facts, error)
	// Answers returns the values of expressions like
	// "__has_attribute(noreturn)" in an #if of c's class of flags.
	Answers(ctx context.Context, c *toolchains.Compile, questions []string) (map[string]int64, error)
}

// Options configure a Scanner.
type Options struct {
	// Compiler is asked once for each class of flags.
	Compiler Compiler
	// Files reads what is lexed; nil reads it from disk and remembers
	// nothing.
	Files Files
	// Memory bounds the bytes of lexed text that is kept; 0 means 64 MiB.
	Memory int64
	// Watch lets the Scanner watch directories of local file systems
	// instead of looking at every file again for each scan.
	Watch bool
}

const defaultMemory = 64 << 20

// A Scanner is the exact depscan.Scanner for the gcc and clang families. It is
// safe for concurrent use.
type Scanner struct {
	o  Options
	mu sync.Mutex // held while the memory is replaced
	m  atomic.Pointer[memory]
}

// A memory is what a Scanner knows. Texts, variants and answers are bounded by
// themselves; names of macros and of files only become more, and when there are
// too many the Scanner begins anew.
type memory struct {
	o     Options
	syms  *symbols
	fs    *files
	texts *texts
	pool  sync.Pool // of *evaluator

	compiles compiles
	subtrees subtrees

	mu     sync.Mutex
	bases  map[baseKey]*base
	chains map[string]*chain
	cmds   sync.Map // commandKey → *macroDef
}

// baseKey says which compiles share a base.
type baseKey struct {
	facts    *toolchains.Facts
	language string
	trigraph int8
	dollars  bool
}

type commandKey struct {
	mode       lexMode
	name, body string
}

var _ depscan.Scanner = (*Scanner)(nil)

// New returns a Scanner that knows nothing yet.
func New(o Options) *Scanner {
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Files == nil {
		o.Files = plainFiles{}
	}
	s := &Scanner{o: o}
	s.m.Store(newMemory(o))
	return s
}

const (
	maxSymbols = 1 << 20
	maxNodes   = 1 << 19
)

// memory returns what s knows, after a check of its size.
func (s *Scanner) memory() *memory {
	m := s.m.Load()
	if m.syms.count() < maxSymbols && m.fs.count.Load() < maxNodes {
		return m
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := s.m.Load(); now != m {
		return now
	}
	s.m.Store(newMemory(s.o))
	m.close() // scans that use it still go on by looking at everything
	return s.m.Load()
}

func newMemory(o Options) *memory {
	s := &memory{
		o: o, syms: newSymbols(), fs: newFiles(o.Watch),
		bases: make(map[baseKey]*base), chains: make(map[string]*chain),
	}
	s.texts = newTexts(s.o.Files, s.syms, o.Memory)
	s.subtrees.limit, s.subtrees.least = o.Memory/2, minSteps
	s.pool.New = func() any { return &evaluator{s: s} }
	return s
}

// Scan returns what c reads and looks for. An error that wraps
// depscan.ErrFallback means that c is beyond the scanner; Reason names why.
// The Inputs are shared: the caller must not change them.
func (s *Scanner) Scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	return s.memory().scan(ctx, c)
}

func (s *memory) scan(ctx context.Context, c *toolchains.Compile) (*depscan.Inputs, error) {
	cfg, err := readConfig(c)
	if err != nil {
		return nil, err
	}
	if cfg.pch {
		return nil, stop("pch")
	}
	if preprocessed(cfg.language) {
		return scanPreprocessed(cfg, c.Call.Abs(cfg.source), s.o.Files)
	}
	b, err := s.base(ctx, c, cfg)
	if err != nil {
		return nil, err
	}
	now := s.fs.begin()
	cfg.builtins(b.facts)
	ch := s.chain(&cfg.spec, now.tick)
	key := compileKey{b, ch, cfg.key()}
	if in := s.compiles.recall(s, key, now); in != nil {
		return in, nil
	}
	e := s.pool.Get().(*evaluator)
	defer s.pool.Put(e)
	e.plain = false
	for range maxPasses {
		e.begin(cfg, b, ch, now)
		err := e.compile()
		if e.again {
			continue
		}
		if len(e.questions) == 0 {
			if err != nil {
				return nil, err
			}
			in, err := e.inputs()
			if err != nil {
				return nil, err
			}
			s.compiles.keep(key, e.remember(in), s.finishedRoom())
			e.publish()
			return in, nil
		}
		if err := b.answers.learn(ctx, s.o.Compiler, c, e.questions); err != nil {
			return nil, err
		}
	}
	return nil, stop("too-many-questions")
}

// Builds have some tens of flag sets and search chains.
const (
	maxBases  = 256
	maxChains = 1024
)

// maxPasses bounds how often a compile is evaluated again with answers that the
// pass before lacked.
const maxPasses = 50

func (s *memory) base(ctx context.Context, c *toolchains.Compile, cfg *config) (*base, error) {
	f, err := s.o.Compiler.Facts(ctx, c)
	if err != nil {
		return nil, err
	}
	key := baseKey{f, cfg.language, cfg.trigraph, cfg.dollars}
	s.mu.Lock()
	b := s.bases[key]
	s.mu.Unlock()
	if b == nil {
		b = newBase(f, cfg, s.syms)
		s.mu.Lock()
		if old := s.bases[key]; old != nil {
			b = old
		} else if len(s.bases) >= maxBases {
			clear(s.bases)
		}
		s.bases[key] = b
		s.mu.Unlock()
	}
	if b.reason != "" {
		return nil, stop(b.reason)
	}
	if cfg.external && b.clang > 14 {
		return nil, &fallback{"flag", "/external:W"}
	}
	return b, nil
}

// chain returns the search chain of spec.
func (s *memory) chain(spec *searchSpec, since uint64) *chain {
	key := spec.key()
	s.mu.Lock()
	c := s.chains[key]
	s.mu.Unlock()
	if c != nil && c.holds(since) {
		return c
	}
	c = newChain(spec, s.fs, since)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.chains) >= maxChains {
		clear(s.chains)
	}
	s.chains[key] = c
	return c
}

// commandMacro returns the definition that m makes, the same one for equal ms,
// so that memos hold across compiles.
func (s *memory) commandMacro(m cmdMacro, mode lexMode) *macroDef {
	if m.undef {
		return nil
	}
	key := commandKey{mode, m.name, m.body}
	if d, ok := s.cmds.Load(key); ok {
		return d.(*macroDef)
	}
	d, _ := s.cmds.LoadOrStore(key, &macroDef{name: s.syms.intern(m.name), text: m.body, mode: mode})
	return d.(*macroDef)
}

// inputs returns the answer of a finished compile.
func (e *evaluator) inputs() (*depscan.Inputs, error) {
	e.places = e.places[:0]
	files, err := e.listed(e.files)
	if err != nil {
		return nil, err
	}
	in := &depscan.Inputs{
		Files:       files,
		Dirs:        e.chain.present,
		Absent:      e.absent(),
		Identifiers: e.identifiers(),
		Opened:      true,
	}
	for i := range e.chain.given {
		if d := &e.chain.given[i]; d.hmap != nil {
			e.probe(e.chain.ref(d.path), e.s.fs.stat(d.node, e.since))
		}
	}
	probed := e.probed[:0]
	for _, f := range e.probed {
		if !e.ref(f.ref.shown()).listed {
			probed = append(probed, f)
		}
	}
	e.probed = probed
	if in.Probed, err = e.listed(e.probed); err != nil {
		return nil, err
	}
	e.surroundings(in)
	return in, nil
}

// absent returns the names that were looked for in vain, sorted.
func (e *evaluator) absent() []string {
	for _, g := range e.chain.lacking {
		e.gone.add(g.id)
	}
	order := e.chain.ranking()
	e.ranks.reset()
	for id := range e.gone.all {
		e.ranks.add(order.rank[id])
	}
	out := make([]string, 0, e.gone.len())
	for rank := range e.ranks.all {
		out = append(out, order.sorted[rank].path)
	}
	return out
}

// listed returns the files of list, and notes where they are.
func (e *evaluator) listed(list []listedFile) ([]depscan.File, error) {
	out := make([]depscan.File, len(list))
	for i := range list {
		f := &list[i]
		place := e.s.fs.real(f.ref.node, e.since)
		e.places = append(e.places, place)
		out[i] = depscan.File{Path: f.ref.dep, System: f.system, Real: place.path, Opened: f.ref.openedName(), Unread: f.unread}
		src, err := e.s.texts.source(f.ref.node, f.state)
		if err != nil {
			return nil, stop("unreadable")
		}
		out[i].Digest = src.digest
	}
	return out, nil
}

// surroundings adds the symbolic links on the way to the files, and the
// directories that ".." in their paths climbs out of.
func (e *evaluator) surroundings(in *depscan.Inputs) {
	var links map[string]bool
	var dirs []string
	for _, place := range e.places {
		for _, l := range place.links {
			if !links[l.Path] {
				if links == nil {
					links = make(map[string]bool)
				}
				links[l.Path] = true
				in.Symlinks = append(in.Symlinks, l)
			}
		}
	}
	for _, list := range [][]listedFile{e.files, e.probed} {
		for i := range list {
			dirs = append(dirs, list[i].ref.climbs...)
		}
	}
	if len(dirs) > 0 {
		slices.Sort(dirs)
		in.Dirs = append(slices.Clone(in.Dirs), slices.Compact(dirs)...)
	}
	slices.SortFunc(in.Symlinks, func(a, b depscan.Symlink) int { return cmp.Compare(a.Path, b.Path) })
}

// climbed returns the directories before each ".." in path.
func climbed(path string) (dirs []string) {
	for i := 0; ; {
		n := strings.Index(path[i:], "/..")
		if n < 0 {
			return dirs
		}
		i += n
		if end := i + 3; (end == len(path) || path[end] == '/') && i > 0 && !strings.HasSuffix(path[:i], "..") {
			dirs = append(dirs, path[:i])
		}
		i += 3
	}
}

// answers remembers what the compiler of a base said.
type answers struct {
	mu    sync.RWMutex
	known map[string]int64
}

func (a *answers) get(question string) (int64, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	n, ok := a.known[question]
	return n, ok
}

// learn asks the compiler of c all questions at once.
func (a *answers) learn(ctx context.Context, comp Compiler, c *toolchains.Compile, questions []string) error {
	slices.Sort(questions)
	questions = slices.Compact(questions)
	got, err := comp.Answers(ctx, c, questions)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = make(map[string]int64)
	}
	for _, q := range questions {
		n, ok := got[q]
		if !ok {
			return &fallback{"question", q}
		}
		a.known[q] = n
	}
	return nil
}

// Close ends the watching of directories. No Scan may run or follow.
func (s *Scanner) Close() { s.m.Load().close() }

func (s *memory) close() {
	if s.fs.watch != nil {
		s.fs.watch.close(s.fs)
	}
}
