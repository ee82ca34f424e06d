package toolchains

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// microsoftFormat is raised when what is asked of a cl.exe or clang-cl changes.
const microsoftFormat = "toolchains/microsoft/1"

// microsoftName judges a program by its own name alone: clang-cl is a link to clang
// that behaves otherwise because of it.
func microsoftName(program string) string { return nameOf(filepath.Base(program)).microsoft }

func isMicrosoft(program string) bool { return microsoftName(program) != "" }

// resolveMicrosoft is Resolve for cl.exe and clang-cl.
func (r *Resolver) resolveMicrosoft(ctx context.Context, call *Call) (*Toolchain, error) {
	around := surroundingsOf(call, nil)
	key := around.appendKey(append([]byte("cl\x00"+call.Program), 0))
	return r.recall(ctx, key, call.Program, func(ctx context.Context, look *observer) (*Toolchain, error) {
		return r.identifyMicrosoft(ctx, look, call.Program, around)
	})
}

func (r *Resolver) identifyMicrosoft(ctx context.Context, look *observer, program string, around *surroundings) (*Toolchain, error) {
	key, ok := look.stat(program)
	if !ok || !key.isRegular() || !filepath.IsAbs(program) {
		return nil, fs.ErrNotExist
	}
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return nil, err
	}
	kind, err := formatOf(real)
	switch {
	case err != nil:
		return nil, err
	case kind == scriptFormat:
		return nil, Unsupported("compiler-is-script", program)
	case kind != elfFormat && kind != peFormat:
		return nil, Unsupported("executable-format", program)
	}
	content, err := r.files.Digest(program)
	if err != nil {
		return nil, err
	}
	tc := &Toolchain{Family: microsoftName(program), Program: program, Real: real}
	d := &driver{program: program, real: real, content: content, around: around, run: r.run}
	if tc.Version, tc.Target, err = r.microsoftVersion(ctx, d, tc.Family); err != nil {
		return nil, err
	}
	if tc.Programs, err = microsoftPrograms(look, tc, kind, around); err != nil {
		return nil, err
	}
	tc.Digest = microsoftIdentity(tc, installations(look, around))
	return tc, nil
}

// microsoftVersion recalls or asks for the compiler's version and its target.
func (r *Resolver) microsoftVersion(ctx context.Context, d *driver, family string) (version, target string, err error) {
	b := digest.NewBuilder(microsoftFormat)
	b.String(family)
	b.Digest(d.content)
	d.around.addTo(b)
	key := b.Sum()
	var known [2]string
	if value, ok := r.load(key); ok && json.Unmarshal(value, &known) == nil && known[0] != "" {
		return known[0], known[1], nil
	}
	ask := clangCLVersion
	if family == FamilyMSVC {
		ask = clVersion
	}
	if version, target, err = ask(ctx, d); err != nil {
		return "", "", err
	}
	if value, err := json.Marshal([2]string{version, target}); err == nil {
		r.store(key, value)
	}
	return version, target, nil
}

// clVersion asks cl.exe, which greets when it is given nothing to do:
//
//	Microsoft (R) C/C++ Optimizing Compiler Version 19.29.30133 for x64
//
// Other languages have the same two words in front of the same numbers.
func clVersion(ctx context.Context, d *driver) (version, target string, err error) {
	answer, err := d.ask(ctx)
	if err != nil {
		return "", "", err
	}
	greeting := regexp.MustCompile(`Microsoft \(R\) .*?(\d+\.\d+\.\d+(?:\.\d+)?).* (\w+)\s`)
	m := greeting.FindSubmatch(slices.Concat(answer.Stderr, answer.Stdout))
	if m == nil {
		return "", "", errNotDriver
	}
	return string(m[1]), string(m[2]), nil
}

// clangCLVersion asks clang-cl what it would run for an empty file. It must be itself.
func clangCLVersion(ctx context.Context, d *driver) (version, target string, err error) {
	answer, err := d.ask(ctx, "-v", "-###", "/c", "/TC", "--", "nothing.c")
	if err != nil {
		return "", "", err
	}
	desc := &description{}
	lines := strings.Split(string(answer.Stderr), "\n")
	for _, line := range lines {
		desc.readLine(line)
	}
	if desc.Family != "clang" {
		return "", "", errNotDriver
	}
	for _, line := range lines {
		if words := commandWords(line); slices.Contains(words, "-cc1") && !sameFile(words[0], d.real) {
			return "", "", errOtherWrapper
		}
	}
	return desc.Version, desc.Target, nil
}

// microsoftPrograms lists a compiler with what it loads. clang-cl starts nothing but
// itself; cl.exe has its parts beside it.
func microsoftPrograms(look *observer, tc *Toolchain, kind format, around *surroundings) ([]Program, error) {
	programs := []Program{{Name: filepath.Base(tc.Program), Path: tc.Program}}
	if kind == elfFormat {
		libraries := newLoader(look, around)
		if err := libraries.add(tc.Program, tc.Real); err != nil {
			return nil, err
		}
		for _, library := range libraries.found {
			programs = append(programs, library)
		}
	}
	programs = append(programs, partsBeside(look, tc, kind)...)
	if tc.Family == FamilyClangCL {
		desc := &description{Family: "clang", Version: tc.Version, Target: tc.Target}
		configs, err := clangConfigs(look, desc, tc.Program, tc.Real, around)
		if err != nil {
			return nil, err
		}
		programs = append(programs, configs...)
	}
	sortByPath(programs)
	return programs, digestAll(look, programs)
}

// partsBeside are the parts of cl.exe in its folder, and its messages in the folders of
// languages ("1033"). Of a clang-cl for Windows they are all libraries.
func partsBeside(look *observer, tc *Toolchain, kind format) []Program {
	var parts []Program
	add := func(dir, name string) {
		path := filepath.Join(dir, name)
		if key, ok := look.stat(path); ok && key.isRegular() {
			parts = append(parts, Program{Name: name, Path: path})
		}
	}
	dir := filepath.Dir(tc.Real)
	cl := regexp.MustCompile(`(?i)^(c1|c1xx|c1ast|c1xxast|c2|mspdb.*|msobj.*|tbbmalloc|vcruntime.*|msvcp.*|pgo.*)\.(dll|exe)$`)
	for _, name := range look.list(dir) {
		switch {
		case tc.Family == FamilyMSVC && cl.MatchString(name):
			add(dir, name)
		case tc.Family == FamilyMSVC && strings.Trim(name, "0123456789") == "":
			add(filepath.Join(dir, name), "clui.dll")
		case tc.Family == FamilyClangCL && kind == peFormat && strings.EqualFold(filepath.Ext(name), ".dll"):
			add(dir, name)
		}
	}
	return parts
}

// installations are the folders of PATH with a cl.exe: clang-cl takes the headers that
// belong to one (clang/lib/Driver/ToolChains/MSVC.cpp).
func installations(look *observer, around *surroundings) []string {
	var found []string
	for _, dir := range around.elements(around.values[envPath]) {
		if _, ok := look.stat(filepath.Join(dir, "cl.exe")); ok {
			found = append(found, dir)
		}
	}
	return found
}

// microsoftIdentity is the digest of a toolchain. Where a clang-cl is counts, since its
// own headers are found from there.
func microsoftIdentity(tc *Toolchain, installations []string) digest.Digest {
	b := digest.NewBuilder("toolchain/microsoft/1")
	b.String(tc.Family)
	b.String(tc.Version)
	b.String(tc.Target)
	if tc.Family == FamilyClangCL {
		b.String(tc.Program)
		b.String(tc.Real)
		b.Strings(installations)
	}
	parts := make([]string, len(tc.Programs))
	for i, p := range tc.Programs {
		parts[i] = fmt.Sprintf("%s\x00%s", p.Name, p.Digest)
	}
	slices.Sort(parts)
	b.Strings(parts)
	return b.Sum()
}
