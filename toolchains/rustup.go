package toolchains

import (
	"os"
	"path/filepath"
	"strings"
)

// A proxyCall is what rustup's proxies (rustc, clippy-driver, … in
// CARGO_HOME/bin) look at to choose a toolchain, beside files.
type proxyCall struct {
	plus, variable string // +TOOLCHAIN of the arguments, RUSTUP_TOOLCHAIN
	home           string // RUSTUP_HOME, or where it is by default
	dir            string // the working directory
}

func proxyOf(call *Call) *proxyCall {
	p := &proxyCall{variable: call.Env.Value("RUSTUP_TOOLCHAIN"), home: call.Env.Value("RUSTUP_HOME"), dir: call.Dir}
	if p.home == "" && call.Env.Value("HOME") != "" {
		p.home = filepath.Join(call.Env.Value("HOME"), ".rustup")
	}
	if len(call.Argv) > 1 {
		p.plus, _ = strings.CutPrefix(call.Argv[1], "+")
		if p.plus == call.Argv[1] {
			p.plus = ""
		}
	}
	return p
}

// appendKey appends to a key what the choice of a toolchain may depend on.
func (p *proxyCall) appendKey(key []byte) []byte {
	for _, part := range []string{p.plus, p.variable, p.home, p.dir} {
		key = append(append(key, part...), 0)
	}
	return key
}

// driver returns the program that does program's work: program itself unless it
// is a proxy.
func (p *proxyCall) driver(look *observer, program string) (string, error) {
	look.stat(program)
	if !isProxy(program) {
		return program, nil
	}
	name, ok := p.toolchain(look)
	if !ok || p.home == "" {
		return "", Unsupported("rustup", filepath.Base(program))
	}
	dir := name
	if !filepath.IsAbs(name) {
		if dir, ok = p.installed(look, name); !ok {
			return "", Unsupported("rustup", name)
		}
	}
	return filepath.Join(dir, "bin", filepath.Base(program)), nil
}

// isProxy reports whether a program is rustup under another name: a link to it,
// symbolic or hard.
func isProxy(program string) bool {
	real, err := filepath.EvalSymlinks(program)
	if err != nil {
		return false
	}
	return strings.TrimSuffix(filepath.Base(real), ".exe") == "rustup" ||
		sameFile(program, filepath.Join(filepath.Dir(program), "rustup"))
}

// installed returns the folder of a toolchain that is named with or without its
// host.
func (p *proxyCall) installed(look *observer, name string) (string, bool) {
	all := filepath.Join(p.home, "toolchains")
	found := ""
	for _, entry := range look.list(all) {
		switch rest, ok := strings.CutPrefix(entry, name); {
		case ok && rest == "":
			return filepath.Join(all, entry), true
		case !ok || len(rest) < 2 || rest[0] != '-' || rest[1] >= '0' && rest[1] <= '9':
		case found != "":
			return "", false // for several hosts
		default:
			found = filepath.Join(all, entry)
		}
	}
	return found, found != ""
}

// toolchain returns the name of the chosen toolchain, or its absolute path. The
// order is rustup's: argument, variable, then from the working directory upwards
// an override or a toolchain file, then the default.
func (p *proxyCall) toolchain(look *observer) (string, bool) {
	for _, name := range []string{p.plus, p.variable} {
		if name != "" {
			return name, true
		}
	}
	settings, ok := readAssignments(look, filepath.Join(p.home, "settings.toml"))
	if !ok {
		return "", false
	}
	for dir := p.dir; ; dir = filepath.Dir(dir) {
		if name, ok := settings["overrides."+dir]; ok {
			return name, true
		}
		for _, file := range []string{"rust-toolchain", "rust-toolchain.toml"} {
			path := filepath.Join(dir, file)
			if _, exists := look.stat(path); exists {
				return fromToolchainFile(look, path)
			}
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	name, ok := settings["default_toolchain"]
	return name, ok
}

// fromToolchainFile reads rust-toolchain or rust-toolchain.toml: one word, or
// assignments.
func fromToolchainFile(look *observer, path string) (string, bool) {
	if text, err := os.ReadFile(path); err == nil && !strings.ContainsAny(string(text), "=[") {
		name := strings.TrimSpace(string(text))
		return name, name != "" && !strings.ContainsAny(name, " \n")
	}
	file, ok := readAssignments(look, path)
	if !ok {
		return "", false
	}
	if dir, ok := file["toolchain.path"]; ok {
		return dir, filepath.IsAbs(dir)
	}
	name, ok := file["toolchain.channel"]
	return name, ok
}

// readAssignments reads the part of TOML that rustup's files are written in:
//
//	line = "[" section "]" | key "=" string | anything else, which is left out ;
//	key  = word | string ;
//
// The result has "section.key" for names. An escape makes the file unreadable.
func readAssignments(look *observer, path string) (map[string]string, bool) {
	look.stat(path)
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), `\`) {
		return nil, false
	}
	out := map[string]string{}
	section := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if inner, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(inner, "]") + "."
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		value, ok = quoted(strings.TrimSpace(value))
		if ok {
			out[section+strings.Trim(strings.TrimSpace(key), `"'`)] = value
		}
	}
	return out, true
}

// quoted returns what stands in the quotes that s begins with.
func quoted(s string) (string, bool) {
	if s == "" || s[0] != '"' && s[0] != '\'' {
		return "", false
	}
	inner, _, ok := strings.Cut(s[1:], s[:1])
	return inner, ok
}
