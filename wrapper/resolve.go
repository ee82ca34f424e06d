package wrapper

import "strings"

// A command is a compiler call ready to be run.
type command struct {
	program string   // absolute path
	argv    []string // argv[0] as the compiler is to see it
	env     environ
	guard   guard
}

// resolve finds the compiler that words, of the given meaning, call.
//
// The compiler sees argv[0] as the user typed it. Where that name would lead it
// back to one of our links (gcc looks itself up in PATH to find its parts) it
// sees its own absolute path instead.
func resolve(m meaning, words []string, env environ, dir string) (*command, error) {
	if m == meansPlain {
		words = append(plainCompiler(words, env), words...)
	}
	f := finder{path: env.get("PATH"), dir: dir, self: newSelf(), loop: guard(env.get(guardVariable))}
	name := words[0]
	if m == meansDisguise {
		name = base(name)
	}
	if f.loop.tooDeep() {
		return nil, &notFoundError{name, "calls itself through rexwrap (" + guardVariable + ")", 126}
	}
	program, passed, err := f.compiler(m, name, env)
	if err != nil {
		return nil, err
	}
	argv := words
	if passed || m == meansDisguise {
		argv = append([]string{program}, words[1:]...)
	}
	return &command{program, argv, env, f.loop}, nil
}

// compiler finds the program that name means. Where we stand for it there may be
// one that goes before those on PATH.
func (f *finder) compiler(m meaning, name string, env environ) (program string, passed bool, err error) {
	if m == meansDisguise {
		if preferred := override(name, env); preferred != "" {
			if candidate := f.absolute(preferred); runnable(candidate) == "" && !f.self.is(candidate) {
				return candidate, true, nil
			}
		}
	}
	return f.find(name)
}

// plainCompiler is the compiler that CC=rexwrap or CXX=rexwrap stands for, one
// or several words. A link of objects alone does not tell, and gets the C one.
func plainCompiler(args []string, env environ) []string {
	c, cPlusPlus := plainNames(args)
	variable, fallback := "REXWRAP_CC", c
	if speaksCPlusPlus(args) {
		variable, fallback = "REXWRAP_CXX", cPlusPlus
	}
	if words := strings.Fields(env.get(variable)); len(words) > 0 {
		return words
	}
	return []string{fallback}
}

// speaksCPlusPlus reports whether a source or an option among args says C++.
func speaksCPlusPlus(args []string) bool {
	for i, arg := range args {
		switch {
		case arg == "-x" && i+1 < len(args):
			return strings.Contains(args[i+1], "c++")
		case strings.HasPrefix(arg, "-xc"), strings.HasPrefix(arg, "-xobjective-c"):
			return strings.Contains(arg, "c++")
		case strings.HasPrefix(arg, "-std="), strings.HasPrefix(arg, "--std="):
			return strings.Contains(arg, "++")
		case strings.HasPrefix(arg, "-stdlib="):
			return true
		case !strings.HasPrefix(arg, "-") && isCPlusPlusFile(arg):
			return true
		}
	}
	return false
}

func isCPlusPlusFile(name string) bool {
	switch extension(name) {
	case "cc", "cp", "cpp", "cxx", "c++", "C", "CPP", "ii", "mm", "M", "mii",
		"hh", "hp", "hpp", "hxx", "h++", "H", "HPP", "tcc", "cppm", "ixx":
		return true
	}
	return false
}

// extension returns what follows the last dot of path's last element.
func extension(path string) string {
	name := base(path)
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return ""
}
