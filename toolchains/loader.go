package toolchains

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A loader finds the shared libraries that programs load at their start, as
// ld.so(8) describes it, without running anything. Where the choice depends on
// the processor (glibc-hwcaps), all candidates count. Not modelled: what a
// program opens later by dlopen, and prelinking.
type loader struct {
	look   *observer
	around *surroundings
	cache  map[string][]cachedLibrary
	images map[string]*image
	found  map[string]Program // by path
}

var (
	errLibraryMissing = errors.New("library not found")
	errLoaderToken    = errors.New("library path with an unknown token")
)

// Files of the loader itself.
const (
	loaderCache   = "/etc/ld.so.cache"
	loaderPreload = "/etc/ld.so.preload"
)

func newLoader(look *observer, around *surroundings) *loader {
	l := &loader{look: look, around: around, images: map[string]*image{}, found: map[string]Program{}}
	if _, ok := look.stat(loaderCache); ok {
		if data, err := os.ReadFile(loaderCache); err == nil {
			l.cache = parseLoaderCache(data)
		}
	}
	return l
}

// An object is one image in one program's memory.
type object struct {
	path   string
	image  *image
	origin string
	loader *object // who asked for it, nil for the program
}

// add finds the libraries of one program.
func (l *loader) add(program, real string) error {
	im, err := l.read(real)
	if err != nil {
		return err
	}
	main := &object{path: program, image: im, origin: filepath.Dir(real)}
	if im.interp == "" {
		return nil // statically linked: nothing is loaded or preloaded
	}
	if _, ok := l.look.stat(im.interp); !ok {
		return fmt.Errorf("%w: %s for %s", errLibraryMissing, im.interp, program)
	}
	l.note(filepath.Base(im.interp), im.interp)
	loaded := map[string]bool{filepath.Base(im.interp): true}
	queue := []*object{main}
	for _, name := range l.preloaded() {
		objects, err := l.load(name, main, loaded)
		if err != nil && !errors.Is(err, errLibraryMissing) { // the loader goes on without
			return err
		}
		queue = append(queue, objects...)
	}
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		for _, name := range next.image.needed {
			objects, err := l.load(name, next, loaded)
			if err != nil {
				return fmt.Errorf("%w, needed by %s", err, next.path)
			}
			queue = append(queue, objects...)
		}
	}
	return nil
}

func (l *loader) preloaded() []string {
	names := l.around.preloads()
	if _, ok := l.look.stat(loaderPreload); ok {
		if text, err := os.ReadFile(loaderPreload); err == nil {
			names = append(names, strings.FieldsFunc(string(text), func(r rune) bool {
				return r == ':' || r == ' ' || r == '\t' || r == '\n'
			})...)
		}
	}
	return names
}

func (l *loader) note(name, path string) {
	if _, ok := l.found[path]; !ok {
		l.found[path] = Program{Name: name, Path: path}
	}
}

func (l *loader) read(path string) (*image, error) {
	if im, ok := l.images[path]; ok {
		return im, nil
	}
	im, err := readImage(path)
	if err == nil {
		l.images[path] = im
	}
	return im, err
}

// load finds the library name for the object that asks for it. More than one
// object comes back where the processor decides.
func (l *loader) load(name string, asks *object, loaded map[string]bool) ([]*object, error) {
	if loaded[name] {
		return nil, nil
	}
	loaded[name] = true
	var paths []string
	if strings.Contains(name, "/") {
		expanded, err := expandTokens(name, asks)
		if err != nil {
			return nil, err
		}
		for _, path := range expanded {
			paths = append(paths, l.usable(l.around.abs(path), asks)...)
		}
	} else {
		var err error
		if paths, err = l.search(name, asks); err != nil {
			return nil, err
		}
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%w: %s", errLibraryMissing, name)
	}
	objects := make([]*object, len(paths))
	for i, path := range paths {
		l.note(filepath.Base(name), path)
		for _, soname := range l.images[path].soname {
			loaded[soname] = true // a later need of it is met by this one
		}
		objects[i] = &object{path: path, image: l.images[path], origin: filepath.Dir(path), loader: asks}
	}
	return objects, nil
}

// usable returns path if it is a library for asks's machine.
func (l *loader) usable(path string, asks *object) []string {
	key, ok := l.look.stat(path)
	if !ok || !key.isRegular() {
		return nil
	}
	im, err := l.read(path)
	if err != nil || im.class != asks.image.class || im.machine != asks.image.machine {
		return nil
	}
	return []string{path}
}

// search goes through the folders and the cache in the loader's order.
func (l *loader) search(name string, asks *object) ([]string, error) {
	dirs, err := l.searchDirs(asks)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		if paths := l.inFolder(dir, name, asks); len(paths) > 0 {
			return paths, nil
		}
	}
	var paths []string
	if !strings.Contains(rootOf(asks).image.interp, "/ld-musl-") { // musl has no cache
		for _, entry := range l.cache[name] {
			if entry.fits(asks.image.machine) {
				paths = append(paths, l.usable(entry.path, asks)...)
			}
		}
	}
	if len(paths) > 0 {
		return paths, nil
	}
	for _, dir := range l.systemFolders(rootOf(asks).image) {
		if paths := l.inFolder(dir, name, asks); len(paths) > 0 {
			return paths, nil
		}
	}
	return nil, nil
}

// searchDirs are the folders before the cache: RPATH of the object and of those
// that loaded it, unless the object has a RUNPATH; LD_LIBRARY_PATH; RUNPATH.
func (l *loader) searchDirs(asks *object) ([]string, error) {
	var dirs []string
	add := func(lists []string, of *object) error {
		for _, list := range lists {
			for element := range strings.SplitSeq(list, ":") {
				expanded, err := expandTokens(element, of)
				if err != nil {
					return err
				}
				dirs = append(dirs, expanded...)
			}
		}
		return nil
	}
	if len(asks.image.runpath) == 0 {
		for o := asks; o != nil; o = o.loader {
			if len(o.image.runpath) > 0 {
				continue
			}
			if err := add(o.image.rpath, o); err != nil {
				return nil, err
			}
		}
	}
	if list := l.around.values[envLoaderPath]; list != "" {
		separated := strings.ReplaceAll(list, ";", ":")
		if err := add([]string{separated}, rootOf(asks)); err != nil {
			return nil, err
		}
	}
	if err := add(asks.image.runpath, asks); err != nil {
		return nil, err
	}
	for i, dir := range dirs {
		if dir == "" {
			dir = "."
		}
		dirs[i] = l.around.abs(dir)
	}
	return dirs, nil
}

func rootOf(o *object) *object {
	for o.loader != nil {
		o = o.loader
	}
	return o
}

// inFolder looks for name in dir and in those folders of it that the loader
// prefers on some processors.
func (l *loader) inFolder(dir, name string, asks *object) []string {
	var paths []string
	for _, sub := range l.processorFolders(dir, 0) {
		paths = append(paths, l.usable(sub+"/"+name, asks)...)
	}
	return append(paths, l.usable(dir+"/"+name, asks)...)
}

// legacyFolders are the processor's folders of glibc before 2.37.
func legacyFolders() []string {
	return []string{"tls", "haswell", "xeon_phi", "avx512_1", "x86_64", "atomics", "i686", "sse2"}
}

func (l *loader) processorFolders(dir string, depth int) []string {
	var dirs []string
	if hwcaps := dir + "/glibc-hwcaps"; depth == 0 {
		if _, ok := l.look.stat(hwcaps); ok {
			for _, name := range l.look.list(hwcaps) {
				dirs = append(dirs, hwcaps+"/"+name)
			}
		}
	}
	for _, name := range legacyFolders() {
		sub := dir + "/" + name
		if key, ok := l.look.stat(sub); ok && key.isDir() && depth < len(legacyFolders()) {
			dirs = append(append(dirs, sub), l.processorFolders(sub, depth+1)...)
		}
	}
	return dirs
}

// multiarch is Debian's name of the folder below lib, empty for none.
func multiarch(machine elf.Machine) string {
	switch machine {
	case elf.EM_X86_64:
		return "x86_64-linux-gnu"
	case elf.EM_386:
		return "i386-linux-gnu"
	case elf.EM_AARCH64:
		return "aarch64-linux-gnu"
	case elf.EM_ARM:
		return "arm-linux-gnueabihf"
	case elf.EM_RISCV:
		return "riscv64-linux-gnu"
	case elf.EM_PPC64:
		return "powerpc64le-linux-gnu"
	case elf.EM_S390:
		return "s390x-linux-gnu"
	case elf.EM_LOONGARCH:
		return "loongarch64-linux-gnu"
	}
	return ""
}

// libFolders are what $LIB can stand for.
func libFolders(im *image) []string {
	dirs := []string{"lib64", "lib"}
	if triple := multiarch(im.machine); triple != "" {
		dirs = slices.Insert(dirs, 0, "lib/"+triple)
	}
	return dirs
}

// systemFolders are the loader's own: for glibc with Debian's multiarch ones, for
// musl those of /etc/ld-musl-ARCH.path where that exists.
func (l *loader) systemFolders(program *image) []string {
	if arch, ok := strings.CutPrefix(program.interp, "/lib/ld-musl-"); ok {
		return l.muslFolders("/etc/ld-musl-" + strings.TrimSuffix(arch, ".so.1") + ".path")
	}
	var dirs []string
	for _, dir := range libFolders(program) {
		dirs = append(dirs, "/"+dir, "/usr/"+dir)
	}
	return dirs
}

func (l *loader) muslFolders(pathFile string) []string {
	if _, ok := l.look.stat(pathFile); ok {
		text, err := os.ReadFile(pathFile)
		if err != nil {
			return nil
		}
		return strings.FieldsFunc(string(text), func(r rune) bool { return r == ':' || r == '\n' })
	}
	return []string{"/lib", "/usr/local/lib", "/usr/lib"}
}

// expandTokens replaces $ORIGIN and $LIB; the latter's value is the loader's
// secret, so that all possible ones count.
func expandTokens(path string, of *object) ([]string, error) {
	for _, origin := range []string{"${ORIGIN}", "$ORIGIN"} {
		path = strings.ReplaceAll(path, origin, of.origin)
	}
	paths := []string{path}
	for _, lib := range []string{"${LIB}", "$LIB"} {
		if strings.Contains(path, lib) {
			paths = paths[:0]
			for _, dir := range libFolders(of.image) {
				paths = append(paths, strings.ReplaceAll(path, lib, dir))
			}
			path = paths[0]
		}
	}
	if strings.Contains(path, "$") {
		return nil, fmt.Errorf("%w: %s", errLoaderToken, path)
	}
	return paths, nil
}
