package wrapper

import "strings"

// A notFoundError says why a program cannot be run, in the words of a shell and
// with its exit status.
type notFoundError struct {
	name   string
	reason string
	status int
}

func (e *notFoundError) Error() string { return e.name + ": " + e.reason }

// A finder looks programs up as execvp does, passing over rexwrap itself.
type finder struct {
	path string // PATH
	dir  string // what relative entries of PATH are relative to
	self self
	loop guard
}

// find returns the absolute path of the program that name means. passed is set
// where PATH holds one of our links by that name before it.
func (f *finder) find(name string) (program string, passed bool, err error) {
	if strings.IndexFunc(name, isSeparatorRune) >= 0 {
		return f.named(name)
	}
	failure := &notFoundError{name, "command not found", 127}
	if name == "" {
		return "", false, failure
	}
	path := f.path
	if path == "" {
		path = defaultPath
	}
	for more := true; more; {
		var dir string
		dir, path, more = strings.Cut(path, string(listSeparator))
		for _, file := range spellings(name) {
			candidate := f.absolute(join(dir, file))
			switch why := runnable(candidate); {
			case why == "permission denied":
				failure = &notFoundError{name, why, 126}
			case why != "":
			case f.self.is(candidate) || f.loop.turns(candidate):
				passed = true
			default:
				return candidate, passed, nil
			}
		}
	}
	return "", passed, failure
}

// named is find for a name with a separator in it. A path to one of our links
// (as CMake stores it, with us as the launcher besides) means the compiler of
// that name.
func (f *finder) named(name string) (program string, passed bool, err error) {
	candidate, why := "", ""
	for _, file := range spellings(name) {
		candidate = f.absolute(file)
		if why = runnable(candidate); why == "" {
			break
		}
	}
	switch {
	case why == "no such file or directory":
		return "", false, &notFoundError{name, why, 127}
	case why != "":
		return "", false, &notFoundError{name, why, 126}
	case f.self.is(candidate) && !isOurName(name):
		program, _, err = f.find(base(name))
		return program, true, err
	}
	return candidate, false, nil
}

func isSeparatorRune(r rune) bool { return r < 0x80 && isSeparator(byte(r)) }

// join returns dir/name; an empty entry of PATH is the working directory.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

func (f *finder) absolute(path string) string {
	if !isAbsolute(path) {
		path = strings.TrimSuffix(f.dir, "/") + "/" + path
	}
	return fullPath(path)
}
