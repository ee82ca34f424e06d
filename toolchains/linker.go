package toolchains

import (
	"context"
	"path/filepath"
)

// ResolveLinker returns the Toolchain of a compiler driver that is called to link:
// what Resolve gives, and the linkers that the driver would find. Errors are those
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
	if err := digestAll(look, linkers); err != nil {
		return nil, err
	}
	whole := *tc
	whole.Programs = append(append([]Program(nil), tc.Programs...), linkers...)
	whole.LibraryDirs = desc.SpecPrefixes
	whole.Digest = identity(&whole, desc, nil)
	return &whole, nil
}
