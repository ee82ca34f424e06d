package toolchains

import (
	"path/filepath"
	"runtime"
	"strings"
)

// A Call is one start of a compiler, as the wrapper caught it.
type Call struct {
	// Program is the absolute path of the compiler that the wrapper would
	// run: argv[0] looked up in PATH, our own masquerade folders skipped.
	Program string
	// Argv is the argument list, Argv[0] as the user spelled it.
	Argv []string
	// Dir is the working directory without symbolic links; PWD is the name
	// the caller's shell has for it, empty where the environment's PWD is
	// missing or names another directory.
	Dir, PWD string
	Env      Environ
}

// ApparentDir is the working directory as compilers record it: PWD where it is
// valid (gcc and clang check it by device and inode), else Dir.
func (c *Call) ApparentDir() string {
	if c.PWD != "" {
		return c.PWD
	}
	return c.Dir
}

// Abs returns the absolute form of a path spelled in the call's arguments, not
// cleaned: "a/../b" differs from "b" where a is a symbolic link.
func (c *Call) Abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return c.Dir + string(filepath.Separator) + path
}

// Environ is an environment in the form of os.Environ. Where a name occurs
// twice the first one counts, as for getenv.
type Environ []string

// Lookup returns the value of the variable name and whether it is set.
func (e Environ) Lookup(name string) (string, bool) {
	for _, kv := range e {
		if len(kv) > len(name) && kv[len(name)] == '=' && SameName(kv[:len(name)], name) {
			return kv[len(name)+1:], true
		}
	}
	return "", false
}

// SameName reports whether a and b name one environment variable on this system.
func SameName(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// Value returns the value of the variable name, empty where it is unset.
func (e Environ) Value(name string) string {
	v, _ := e.Lookup(name)
	return v
}

// With returns a copy of e in which the variables of set ("NAME=value") replace
// those of the same name.
func (e Environ) With(set ...string) Environ {
	out := make(Environ, 0, len(e)+len(set))
	out = append(out, set...)
	for _, kv := range e {
		name := variableOf(kv)
		if _, replaced := Environ(set).Lookup(name); !replaced {
			out = append(out, kv)
		}
	}
	return out
}

// variableOf returns the name in "NAME=value". Windows has some that begin with "=".
func variableOf(kv string) string {
	if i := strings.IndexByte(kv[min(1, len(kv)):], '='); i >= 0 {
		return kv[:i+1]
	}
	return kv
}
