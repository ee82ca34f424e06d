package toolchains

import (
	"context"
	"path/filepath"
	"slices"
)

// ResolveLinker returns the Toolchain of a compiler driver that is called to link:
// what Resolve gives, and the linkers that the driver would find with what they
// load. Errors are those
// of Resolve; "linker" is the reason where the driver is not gcc's or clang's.
//
// call.Program is the driver. Of its arguments none counts: what they name is
// among the files that the linker lists.
func (r *Resolver) ResolveLinker(ctx context.Context, call *Call) (*Toolchain, error) {
	around := surroundingsOf(call, nil)
	key := around.appendKey(append([]byte("linker\x00"+call.Program), 0))
	return r.recall(ctx, key, call.Program, func(ctx context.Context, look *observer) (*Toolchain, error) {
		return r.identifyLinker(ctx, look, call.Program, around)
	})
}

func (r *Resolver) identifyLinker(ctx context.Context, look *observer, program string, around *surroundings) (*Toolchain, error) {
	tc, err := r.identify(ctx, look, program, around)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	content, err := r.files.Digest(program)
	if err != nil {
		return nil, err
	}
	d := &driver{program: program, real: real, content: content, around: around, run: r.run}
	desc, err := r.description(ctx, d, clangLayout(newObserver(r.files), program, real, around))
	if err != nil {
		return nil, err
	}
	finder := &programFinder{look: look, desc: desc, around: around}
	linkers, err := finder.find([]string{"real-ld", "collect-ld", "ld", "ld.bfd", "ld.gold", "ld.lld", "ld.mold"})
	if err != nil {
		return nil, err
	}
	whole := *tc
	if whole.Programs, err = withLinkers(look, tc.Programs, linkers, around); err != nil {
		return nil, err
	}
	whole.LibraryDirs = desc.SpecPrefixes
	whole.Digest = identity(&whole, desc, nil)
	return &whole, nil
}

// withLinkers adds linkers, and the libraries that they load, to programs.
func withLinkers(look *observer, programs, linkers []Program, around *surroundings) ([]Program, error) {
	libraries := newLoader(look, around)
	for _, p := range linkers {
		real, err := filepath.EvalSymlinks(p.Path)
		if err != nil {
			return nil, err
		}
		if err := libraries.add(p.Path, real); err != nil {
			return nil, err
		}
	}
	known := make(map[string]bool, len(programs))
	for _, p := range programs {
		known[p.Path] = true
	}
	for _, library := range libraries.found {
		if !known[library.Path] {
			linkers = append(linkers, library)
		}
	}
	sortByPath(linkers)
	err := digestAll(look, linkers)
	return slices.Concat(programs, linkers), err
}
