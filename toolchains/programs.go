package toolchains

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// gccPrograms are the programs and plugins that gcc's driver starts or names to
// those it starts, for the languages that are cached.
func gccPrograms() []string {
	return []string{
		"cc1", "cc1plus", "cc1obj", "cc1objplus", "as", "objcopy", "collect2", "lto1", "lto-wrapper", "liblto_plugin.so",
	}
}

// clangPrograms are those that clang's driver starts beside itself:
// -fno-integrated-as, and targets without an integrated one, with -gsplit-dwarf
// objcopy too. A triple in front is tried first.
func clangPrograms(desc *description, around *surroundings) []string {
	names := []string{"as", "objcopy", desc.Target + "-as", desc.Target + "-objcopy"}
	for _, triple := range around.argValues("--target=", "--target", "-target") {
		names = append(names, triple+"-as", triple+"-objcopy")
	}
	return names
}

// A programFinder finds what a driver starts, in the driver's own order: its
// prefixes, then PATH.
type programFinder struct {
	look   *observer
	desc   *description
	around *surroundings
}

func (f *programFinder) find(names []string) ([]Program, error) {
	var programs []Program
	for _, name := range names {
		path, ok := f.first(name)
		if !ok {
			continue
		}
		if kind, err := formatOf(path); err != nil || kind != elfFormat {
			return nil, Unsupported("subprogram-is-script", path)
		}
		programs = append(programs, Program{Name: name, Path: path})
	}
	return programs, nil
}

func (f *programFinder) first(name string) (string, bool) {
	candidates := f.candidates(name)
	i := slices.IndexFunc(candidates, func(path string) bool {
		key, ok := f.look.stat(path)
		isPlugin := strings.HasSuffix(name, ".so") // opened, not started: 0644 at times
		return ok && (key.executable(path) || isPlugin && key.isRegular())
	})
	if i < 0 {
		return "", false
	}
	return candidates[i], true
}

func (f *programFinder) candidates(name string) []string {
	var paths []string
	if name == "as" && f.desc.Assembler != "" {
		paths = append(paths, f.desc.Assembler)
	}
	for _, prefix := range slices.Concat(f.namePrefixes(), f.desc.Prefixes) {
		if path := f.around.abs(prefix + name); !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	for _, dir := range f.around.elements(f.around.values[envPath]) {
		paths = append(paths, strings.TrimSuffix(dir, "/")+"/"+name)
	}
	return paths
}

// namePrefixes are the values of clang's -B that name no folder but the start of a
// path. gcc lists its own among its search folders.
func (f *programFinder) namePrefixes() []string {
	if f.desc.Family != "clang" {
		return nil
	}
	return slices.DeleteFunc(f.around.argValues("-B", "--prefix=", "--prefix"), func(prefix string) bool {
		return isFolder(f.around.abs(prefix))
	})
}

// specs steps aside where gcc would read a specs file unasked: what it changes
// about the meaning of the arguments is not known.
func (f *programFinder) specs() error {
	seen := map[string]bool{}
	for _, prefix := range f.desc.SpecPrefixes {
		path := f.around.abs(prefix + "specs")
		dir, name := filepath.Split(path)
		if real, err := filepath.EvalSymlinks(dir); err == nil {
			path = filepath.Join(real, name) // many spellings of few folders
		}
		if seen[path] {
			continue
		}
		seen[path] = true
		if key, ok := f.look.stat(path); ok && key.isRegular() {
			return Unsupported("specs-file", path)
		}
	}
	return nil
}

// digestAll fills in the content of every program. A program is named by the file
// that was found.
func digestAll(look *observer, programs []Program) error {
	for i := range programs {
		look.stat(programs[i].Path)
	}
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range programs {
		g.Go(func() (err error) {
			programs[i].Digest, err = look.view.Digest(programs[i].Path)
			if err != nil {
				return fmt.Errorf("digest program %s: %w", programs[i].Path, err)
			}
			return nil
		})
	}
	return g.Wait()
}
