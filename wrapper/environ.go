package wrapper

// An environ is an environment as the process got it.
type environ []string

// get returns the value of the variable name, empty where it is unset. Where a
// name occurs twice the first one counts, as for getenv.
func (e environ) get(name string) string {
	for _, kv := range e {
		if sameName(nameOf(kv), name) {
			return kv[len(name)+1:]
		}
	}
	return ""
}

// is reports whether the variable name is set to something that means yes.
func (e environ) is(name string) bool { return truth(e.get(name)) }

// with returns a copy in which the variables of set ("NAME=value") replace
// those of the same name; the others keep their places.
func (e environ) with(set ...string) environ {
	out := make(environ, 0, len(e)+len(set))
	for _, kv := range e {
		if !names(set, nameOf(kv)) {
			out = append(out, kv)
		}
	}
	return append(out, set...)
}

func names(set []string, name string) bool {
	for _, kv := range set {
		if sameName(nameOf(kv), name) {
			return true
		}
	}
	return false
}

// nameOf returns the part before the first '=', all of kv where there is none. On
// Windows there are names that begin with one.
func nameOf(kv string) string {
	for i := range len(kv) {
		if kv[i] == '=' && i >= shortestName {
			return kv[:i]
		}
	}
	return kv
}

// truth is the meaning of a switch in the environment: set to anything but
// these is yes. A lone name, as in REXWRAP_DISABLE=, is no.
func truth(value string) bool {
	switch value {
	case "", "0", "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
		return false
	}
	return true
}
