package toolchains

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// surroundings are those parts of a Call, beside the program itself, that decide
// which files a driver starts and loads.
type surroundings struct {
	// dir is the working directory, empty where nothing below is relative.
	dir string
	// values are those of the variables that steering names, empty where unset.
	values [steeringCount]string
	// args are the arguments that steer the driver's search, in order.
	args []string
}

// steering names the environment variables that steer how a driver finds its
// programs (gcc manual, "Environment Variables"; clang reads COMPILER_PATH too)
// and how the loader finds libraries (ld.so(8)).
func steering() [steeringCount]string {
	return [...]string{
		envPath: "PATH", envCompilerPath: "COMPILER_PATH", envExecPrefix: "GCC_EXEC_PREFIX",
		envLibraryPath: "LIBRARY_PATH", envLoaderPath: "LD_LIBRARY_PATH",
		envPreload: "LD_PRELOAD", envAudit: "LD_AUDIT", envTunables: "GLIBC_TUNABLES",
	}
}

// Indices into what steering returns.
const (
	envPath = iota
	envCompilerPath
	envExecPrefix
	envLibraryPath
	envLoaderPath
	envPreload
	envAudit
	envTunables
	steeringCount
)

// defaultPath is what execvp searches when PATH is unset (glibc and musl,
// confstr(_CS_PATH) and the working directory left out).
const defaultPath = "/bin:/usr/bin"

func surroundingsOf(call *Call, words []string) *surroundings {
	s := &surroundings{args: steeringArgs(words)}
	var set [steeringCount]bool
	names := steering()
	for _, kv := range call.Env {
		for i, name := range names {
			if !set[i] && len(kv) > len(name) && kv[len(name)] == '=' && kv[:len(name)] == name {
				set[i] = true
				s.values[i] = kv[len(name)+1:]
			}
		}
	}
	if !set[envPath] {
		s.values[envPath] = defaultPath
	}
	if s.relative() {
		s.dir = call.Dir
	}
	return s
}

// relative reports whether any path depends on the working directory. An empty
// element of a list is the working directory; an empty list is, except for PATH,
// no element.
func (s *surroundings) relative() bool {
	if hasRelative(s.values[envPath]) {
		return true
	}
	for _, list := range s.values[envCompilerPath : envLoaderPath+1] {
		if list != "" && hasRelative(list) {
			return true
		}
	}
	isRelative := func(path string) bool { return !filepath.IsAbs(path) }
	if slices.ContainsFunc(s.argValues(pathOptions()...), isRelative) {
		return true
	}
	return slices.ContainsFunc(s.preloads(), func(name string) bool {
		return strings.Contains(name, "/") && isRelative(name)
	})
}

// preloads are the libraries that the environment adds to every program, by name
// or path. The separators of LD_PRELOAD are colons and blanks.
func (s *surroundings) preloads() []string {
	separator := func(r rune) bool { return r == ':' || r == ' ' }
	return append(strings.FieldsFunc(s.values[envPreload], separator),
		strings.FieldsFunc(s.values[envAudit], separator)...)
}

func hasRelative(list string) bool {
	for element := range strings.SplitSeq(list, string(filepath.ListSeparator)) {
		if !filepath.IsAbs(element) {
			return true
		}
	}
	return false
}

// abs makes a path of the call absolute without cleaning it.
func (s *surroundings) abs(path string) string {
	if filepath.IsAbs(path) || s.dir == "" {
		return path
	}
	return s.dir + string(filepath.Separator) + path
}

// elements splits a list of directories; an empty one is the working directory.
func (s *surroundings) elements(list string) []string {
	var dirs []string
	for element := range strings.SplitSeq(list, string(filepath.ListSeparator)) {
		if element == "" {
			element = "."
		}
		dirs = append(dirs, s.abs(element))
	}
	return dirs
}

// optionalElements is elements for a list that is none when it is empty.
func (s *surroundings) optionalElements(list string) []string {
	if list == "" {
		return nil
	}
	return s.elements(list)
}

// folders are those that the call itself names for the driver's search.
func (s *surroundings) folders() []string {
	var dirs []string
	for _, dir := range s.argValues(pathOptions()...) {
		dirs = append(dirs, s.abs(dir))
	}
	if prefix := s.values[envExecPrefix]; prefix != "" {
		dirs = append(dirs, s.abs(prefix))
	}
	dirs = append(dirs, s.optionalElements(s.values[envCompilerPath])...)
	return append(dirs, s.optionalElements(s.values[envLibraryPath])...)
}

// environ is the environment in which a driver is asked about itself.
func (s *surroundings) environ() []string {
	env := []string{"LC_ALL=C"}
	for i, name := range steering() {
		switch {
		case i == envPreload || i == envAudit:
			// what is preloaded changes what a program does, not what
			// it says of itself, and may want more of the environment
		case i == envPath || s.values[i] != "":
			env = append(env, name+"="+s.values[i])
		}
	}
	return env
}

// appendKey appends all of s to a key, without ambiguity.
func (s *surroundings) appendKey(key []byte) []byte {
	key = append(append(key, s.dir...), 0)
	for _, value := range s.values {
		key = append(append(key, value...), 0)
	}
	for _, arg := range s.args {
		key = append(append(key, arg...), 0)
	}
	return key
}

func (s *surroundings) addTo(b *digest.Builder) {
	b.String(s.dir)
	b.Strings(s.values[:envLoaderPath+1])
	b.Strings(s.args)
}

// isValued knows the steering options whose value may stand in the next word.
func isValued(word string) bool {
	switch word {
	case "-B", "--prefix", "--sysroot", "-isysroot", "-target", "--target", "-resource-dir",
		"--gcc-toolchain", "-gcc-toolchain", "--config":
		return true
	}
	return false
}

// pathOptions are the steering options whose value is a path.
func pathOptions() []string {
	return []string{
		"--prefix=", "--prefix", "-B", "--sysroot=", "--sysroot", "-isysroot", "-resource-dir=", "-resource-dir",
		"--gcc-toolchain=", "--gcc-toolchain", "-gcc-toolchain=", "-gcc-toolchain", "--gcc-install-dir=",
		"--config=", "--config",
	}
}

// isJoined knows the steering options with a joined value, and those without any.
func isJoined(word string) bool {
	return hasAnyPrefix(word, []string{
		"-B", "--prefix=", "--sysroot=", "-isysroot", "--target=", "-resource-dir=",
		"--gcc-toolchain=", "-gcc-toolchain=", "--gcc-install-dir=", "--gcc-triple=", "--config=",
		"--no-default-config", "-no-canonical-prefixes", "-canonical-prefixes",
	})
}

// steeringArgs picks the arguments that steer a driver's search for programs. A
// word too many (the value of another option) costs a new look and no more.
func steeringArgs(words []string) []string {
	var args []string
	for i := 0; i < len(words); i++ {
		word := words[i]
		if len(word) < 2 || word[0] != '-' || !steeringInitial(word[1]) {
			continue
		}
		switch {
		case isValued(word) && i+1 < len(words):
			i++
			args = append(args, word, words[i])
		case isJoined(word):
			args = append(args, word)
		}
	}
	return args
}

// steeringInitial saves the look at most words.
func steeringInitial(c byte) bool {
	switch c {
	case 'B', '-', 'i', 't', 'r', 'g', 'n', 'c':
		return true
	}
	return false
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// argValues returns the values of the given options in s.args, joined or
// separate. A form with "=" must precede the one without.
func (s *surroundings) argValues(options ...string) []string {
	var values []string
	for i := 0; i < len(s.args); i++ {
		for _, option := range options {
			rest, ok := strings.CutPrefix(s.args[i], option)
			if !ok {
				continue
			}
			switch {
			case rest == "" && i+1 < len(s.args):
				i++
				values = append(values, s.args[i])
			case strings.HasSuffix(option, "=") || option == "-B" || option == "-isysroot":
				values = append(values, rest)
			}
			break
		}
	}
	return values
}
