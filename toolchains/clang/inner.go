package clang

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// inner judges one word behind -Xclang, for clang's inner compiler. Words that
// are not known to be safe step aside.
func (p *parser) inner(word string) error {
	if p.pending != "" {
		name := p.pending
		p.pending = ""
		return p.innerValue(name, word)
	}
	switch {
	case gnu.TakesWord(word):
		p.pending = word
	case word == "-emit-pch":
		return p.emitPCH()
	case !isInnerFlag(word) && !p.isPlainFlag(word):
		return toolchains.Unsupported(gnu.ReasonCC1, word)
	}
	return nil
}

func (p *parser) innerValue(name, value string) error {
	switch name {
	case "-include-pch":
		return p.input(value, gnu.ReasonInputUnreadable)
	case "-load":
		return p.plugin(value)
	case "-mllvm":
		return backend(value)
	}
	if strings.HasPrefix(name, "-plugin-arg-") && strings.ContainsRune(value, '/') {
		return toolchains.Unsupported(gnu.ReasonPlugin, value)
	}
	return nil
}

// emitPCH makes a precompiled header of any source. Only with -o is its name
// known.
func (p *parser) emitPCH() error {
	if p.Mode != toolchains.Object || p.line.Output == "" || !gnu.IsPreprocessed(p.Language) {
		if p.Mode == toolchains.Precompile {
			return nil
		}
		return toolchains.Unsupported(gnu.ReasonOutputName, "-emit-pch")
	}
	p.pch = true
	p.Mode = toolchains.Precompile
	return nil
}

func isInnerFlag(word string) bool {
	switch word {
	case "-fno-pch-timestamp", "-fno-validate-pch", "-disable-O0-optnone", "-disable-llvm-passes",
		"-disable-llvm-optzns", "-disable-lifetime-markers", "-relocatable-pch", "-opaque-pointers",
		"-no-opaque-pointers", "-fdebug-pass-manager":
		return true
	}
	return strings.HasPrefix(word, "-D") || strings.HasPrefix(word, "-U") ||
		strings.HasPrefix(word, "-O") && len(word) == 3
}

// isPlainFlag reports whether the driver knows word too, as a flag that names
// no file and makes none.
func (p *parser) isPlainFlag(word string) bool {
	if !strings.HasPrefix(word, "-f") && !strings.HasPrefix(word, "-std=") && !strings.HasPrefix(word, "-W") {
		return false
	}
	m, ok := p.table.Lookup(word)
	return ok && m.Form != argtable.Separate && !m.Option.Class.Has(
		argtable.Aside|argtable.Output|argtable.InputFile|argtable.Path|argtable.Prefix|argtable.Linker|argtable.Debug) &&
		!p.isTracked(m.Name)
}

// isTracked reports whether the parser's own fields depend on an option, so
// that it must not come in unseen.
func (p *parser) isTracked(name string) bool {
	probe := parser{Compile: &toolchains.Compile{}, line: p.line}
	if probe.toggle(name, "") {
		return true
	}
	probe.carried(name)
	return probe.Carries != 0 || probe.Recorded || name == "-fsyntax-only" || strings.HasPrefix(name, "-fplugin")
}

// backend judges an option of LLVM's code generator. It lets pass those with a
// number, a truth value or nothing for value whose name does not speak of
// files, listings or times.
func backend(word string) error {
	name, value, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, part := range []string{
		"file", "dir", "path", "load", "log", "print", "dump", "dot", "view", "debug", "stat", "time", "track", "trace",
		"out", "replay", "import", "list", "profile", "remark", "seed", "json", "crash", "verify-dom", "bisect",
	} {
		if strings.Contains(name, part) {
			return toolchains.Unsupported(gnu.ReasonBackend, word)
		}
	}
	if value == "true" || value == "false" || strings.Trim(value, "0123456789") == "" {
		return nil
	}
	return toolchains.Unsupported(gnu.ReasonBackend, word)
}
