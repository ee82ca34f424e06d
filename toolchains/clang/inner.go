package clang

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// inner judges one word behind -Xclang, for clang's inner compiler. Words that
// are not known to be safe step aside.
// What they mean is added to the class of a.
func (p *parser) inner(a *toolchains.Arg) error {
	word := a.Value
	if p.pending != "" {
		name := p.pending
		p.pending = ""
		a.Class |= innerClass(name)
		return p.innerValue(name, word)
	}
	switch {
	case gnu.TakesWord(word):
		p.pending = word
	case strings.HasPrefix(word, "-D"), strings.HasPrefix(word, "-U"):
		a.Class |= argtable.Macro
	case word == "-emit-pch":
		return p.emitPCH()
	case isInnerFlag(word):
		a.Class |= argtable.Preprocessor
	case p.isPlainFlag(word):
		m, _ := p.table.Lookup(word)
		a.Class |= m.Option.Class
	default:
		return toolchains.Unsupported(gnu.ReasonCC1, word)
	}
	return nil
}

// innerClass is the class of the value of an option behind -Xclang.
func innerClass(name string) argtable.Class {
	switch name {
	case "-include":
		return argtable.Include | argtable.Path
	case "-include-pch":
		return argtable.Include | argtable.InputFile | argtable.Path
	case "-load":
		return argtable.InputFile | argtable.Path
	case "-target-feature", "-target-cpu":
		return argtable.Preprocessor
	}
	return 0
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
		"-no-opaque-pointers", "-fuse-ctor-homing", "-fno-use-ctor-homing", "-fmerge-functions":
		return true
	}
	return strings.HasPrefix(word, "-O") && len(word) == 3
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
