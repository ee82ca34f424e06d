package toolchains

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/singleflight"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A Resolver finds the Toolchain that answers a Call. It is safe for concurrent
// use.
//
// A Toolchain is identified by content. The names that the driver would look up
// are found as the driver finds them under this call's PATH, COMPILER_PATH,
// GCC_EXEC_PREFIX and -B, so that an assembler put in front of the usual one
// makes another Toolchain on the next call. What was found, and every name that
// was looked for in vain, is remembered with its stat key: a call in known
// surroundings costs no process, and one stat for each file and folder unless
// Files, as Guards, hear of their changes.
//
// Only ELF programs are understood. Others step aside: a script can run anything,
// and where Mach-O and PE programs find their libraries is not modelled here.
type Resolver struct {
	files  Files
	run    Runner
	memory Memory

	flight  singleflight.Group
	mu      sync.RWMutex
	answers map[string]*answer
	natives map[digest.Digest]string
	notes   map[digest.Digest][]byte // what memory would return, this process's
}

// An answer is what a Call resolved to, and as long as it holds, resolves to.
type answer struct {
	holds     func() bool
	toolchain *Toolchain
	err       error
}

// maxAnswers bounds the number of remembered surroundings. A build has a few; a
// build that makes up a PATH for every call has as many as that.
const maxAnswers = 1024

// NewResolver returns a Resolver that digests by files, asks compilers by run and
// remembers their answers in memory.
func NewResolver(files Files, run Runner, memory Memory) *Resolver {
	return &Resolver{
		files: files, run: run, memory: memory,
		answers: map[string]*answer{},
		natives: map[digest.Digest]string{},
		notes:   map[digest.Digest][]byte{},
	}
}

// Resolve returns the Toolchain of call.Program. Every error is an
// *UnsupportedError, except when ctx has ended. Reasons: "compiler-is-script",
// "other-wrapper", "not-a-compiler", "executable-format", "compiler-unreadable",
// "compiler-changing", "compiler-libraries", "subprogram-is-script",
// "specs-file", "clang-config", "response-file", "probe-failed", and by name "nvcc", "hip",
// "ispc", "fortran", "swift", "go", "d", "ada", "rustup", "linker".
//
// The identity holds for a driver that is started under call.Program as its
// argv[0]: gcc and clang find their parts by it.
func (r *Resolver) Resolve(ctx context.Context, call *Call) (*Toolchain, error) {
	if isRustDriver(call.Program) {
		return r.resolveRust(ctx, call)
	}
	if isMicrosoft(call.Program) {
		return r.resolveMicrosoft(ctx, call)
	}
	words, err := expandedWords(call)
	if err != nil {
		return nil, err
	}
	around := surroundingsOf(call, words)
	var buf [2048]byte
	key := around.appendKey(append(append(buf[:0], call.Program...), 0))
	return r.recall(ctx, key, call.Program, func(ctx context.Context, look *observer) (*Toolchain, error) {
		return r.identify(ctx, look, call.Program, around)
	})
}

// An identifier makes the Toolchain of a program, noting what it looks at.
type identifier func(ctx context.Context, look *observer) (*Toolchain, error)

// recall returns the answer that is remembered under key, or has identify find it.
func (r *Resolver) recall(ctx context.Context, key []byte, program string, identify identifier) (*Toolchain, error) {
	r.mu.RLock()
	known := r.answers[string(key)]
	r.mu.RUnlock()
	if known != nil && known.holds() {
		return known.toolchain, known.err
	}
	// What is found serves all who wait: it does not end with the call that
	// happened to be first.
	lasting := context.WithoutCancel(ctx)
	flight := r.flight.DoChan(string(key), func() (any, error) {
		fresh := r.find(lasting, program, identify)
		r.remember(string(key), fresh)
		return fresh, nil
	})
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case result := <-flight:
		fresh := result.Val.(*answer)
		return fresh.toolchain, fresh.err
	}
}

// expandedWords are the arguments after argv[0]: a -B may stand in a response
// file.
func expandedWords(call *Call) ([]string, error) {
	files := argtable.Expander{ReadFile: func(name string) ([]byte, error) { return os.ReadFile(call.Abs(name)) }}
	words, _, err := files.Expand(call.Argv[min(1, len(call.Argv)):])
	var unreadable *argtable.ResponseError
	if errors.As(err, &unreadable) {
		return nil, Unsupported("response-file", unreadable.Name)
	}
	return words, err
}

func (r *Resolver) remember(key string, a *answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.answers) >= maxAnswers {
		clear(r.answers)
	}
	r.answers[key] = a
}

// find makes an answer that was true throughout its making.
func (r *Resolver) find(ctx context.Context, program string, identify identifier) *answer {
	const attempts = 3
	for range attempts {
		look := newObserver(r.files)
		tc, err := identify(ctx, look)
		if errors.Is(err, errProbe) { // may well run the next time
			return &answer{holds: never, err: asUnsupported(err, program)}
		}
		if look.seen.holds(r.files) {
			return &answer{holds: look.seen.guarded(r.files), toolchain: tc, err: asUnsupported(err, program)}
		}
	}
	return &answer{holds: never, err: Unsupported("compiler-changing", program)}
}

// never says of an answer that it is for one call only.
func never() bool { return false }

// asUnsupported names what kept identify from an answer.
func asUnsupported(err error, program string) error {
	var unsupported *UnsupportedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unsupported):
		return unsupported
	case errors.Is(err, errOtherWrapper):
		return Unsupported("other-wrapper", filepath.Base(program))
	case errors.Is(err, errNotDriver):
		return Unsupported("not-a-compiler", filepath.Base(program))
	case errors.Is(err, errLibraryMissing), errors.Is(err, errLoaderToken), errors.Is(err, errNoDynamicSection):
		return Unsupported("compiler-libraries", err.Error())
	case errors.Is(err, errProbe):
		return Unsupported("probe-failed", filepath.Base(program))
	}
	return Unsupported("compiler-unreadable", program)
}

// errProbe is wrapped by the error for a driver that could not be asked.
var errProbe = errors.New("probe failed")

func (r *Resolver) identify(ctx context.Context, look *observer, program string, around *surroundings) (*Toolchain, error) {
	key, ok := look.stat(program)
	if !ok || !key.isRegular() || !filepath.IsAbs(program) {
		return nil, fs.ErrNotExist
	}
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	named, err := admit(program, real)
	if err != nil {
		return nil, err
	}
	content, err := r.files.Digest(program)
	if err != nil {
		return nil, err
	}
	d := &driver{program: program, real: real, content: content, around: around, run: r.run}
	layoutLook := newObserver(r.files)
	layout := clangLayout(layoutLook, program, real, around)
	desc, err := r.description(ctx, d, layout)
	if err != nil {
		return nil, err
	}
	if desc.Family == "clang" {
		look.adopt(layoutLook)
	} else {
		layout = nil
	}
	for _, dir := range around.folders() {
		look.stat(dir) // gcc takes -B for a folder or for the start of a name
	}
	tc := &Toolchain{
		Family: desc.Family, Version: desc.Version, Target: desc.Target,
		Program: program, Real: real, CPlusPlus: named.cPlusPlus,
	}
	if tc.Programs, err = r.programs(look, d, desc); err != nil {
		return nil, err
	}
	tc.Digest = identity(tc, desc, layout)
	return tc, nil
}

// admit judges a program before it is run or read as a whole.
func admit(program, real string) (naming, error) {
	named := judge(program, real)
	if named.kind == refusedName {
		return named, Unsupported(named.reason, filepath.Base(program))
	}
	kind, err := formatOf(real)
	switch {
	case err != nil:
		return named, err
	case kind == scriptFormat:
		return named, Unsupported(ReasonScript, program)
	case kind != elfFormat:
		return named, Unsupported("executable-format", program)
	}
	if named.kind == unknownName {
		may, err := mayBeDriver(real)
		if err != nil {
			return named, err
		}
		if !may {
			return named, Unsupported("not-a-compiler", filepath.Base(program))
		}
	}
	return named, nil
}

// description recalls what the driver said of itself, or asks it.
func (r *Resolver) description(ctx context.Context, d *driver, layout []string) (*description, error) {
	key := d.memoryKey(layout)
	if value, ok := r.load(key); ok {
		if desc, ok := recall(value); ok {
			return desc, nil
		}
	}
	desc, err := d.describe(ctx)
	if err != nil {
		return nil, err
	}
	r.store(key, desc.encode())
	return desc, nil
}

func (r *Resolver) load(key digest.Digest) ([]byte, bool) {
	r.mu.RLock()
	value, ok := r.notes[key]
	r.mu.RUnlock()
	if ok {
		return value, true
	}
	return r.memory.Load(key)
}

func (r *Resolver) store(key digest.Digest, value []byte) {
	r.mu.Lock()
	if len(r.notes) >= maxAnswers {
		clear(r.notes)
	}
	r.notes[key] = value
	r.mu.Unlock()
	r.memory.Store(key, value)
}

// programs lists the driver, what it starts, what all of them load, and the
// configuration that is read with them.
func (r *Resolver) programs(look *observer, d *driver, desc *description) ([]Program, error) {
	finder := &programFinder{look: look, desc: desc, around: d.around}
	var names []string
	var extra []Program
	var err error
	switch desc.Family {
	case "gcc":
		names = gccPrograms()
		err = finder.specs()
	case "clang":
		names = clangPrograms(desc, d.around)
		extra, err = clangConfigs(look, desc, d.program, d.real, d.around)
	}
	if err != nil {
		return nil, err
	}
	started, err := finder.find(names)
	if err != nil {
		return nil, err
	}
	programs := append([]Program{{Name: filepath.Base(d.program), Path: d.program}}, started...)
	libraries := newLoader(look, d.around)
	for _, p := range programs {
		real, err := filepath.EvalSymlinks(p.Path)
		if err != nil {
			return nil, err
		}
		if err := libraries.add(p.Path, real); err != nil {
			return nil, err
		}
	}
	programs = append(programs, extra...)
	for _, library := range libraries.found {
		programs = append(programs, library)
	}
	slices.SortFunc(programs, func(a, b Program) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return programs, digestAll(look, programs)
}

// identity is the digest of a toolchain. The driver's own path counts, because
// built-in search folders hang on it; where a library or an assembler of equal
// content lies does not.
func identity(tc *Toolchain, desc *description, layout []string) digest.Digest {
	b := digest.NewBuilder("toolchain/1")
	b.String(tc.Family)
	b.String(tc.Version)
	b.String(tc.Target)
	b.String(tc.Program)
	b.String(tc.Real)
	b.Strings(desc.Prefixes)
	b.String(desc.ResourceDir)
	b.Strings(layout)
	parts := make([]string, len(tc.Programs))
	for i, p := range tc.Programs {
		parts[i] = p.Name + "\x00" + p.Digest.String()
	}
	slices.Sort(parts)
	b.Strings(parts)
	return b.Sum()
}
