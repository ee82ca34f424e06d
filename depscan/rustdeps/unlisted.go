package rustdeps

import (
	"bytes"
	"os"
	"regexp"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// Reasons for not storing what was made of files that no list names.
const (
	reasonAssembler = "assembler-include"
	reasonCargo     = "clippy-cargo-lints"
)

// unlisted steps back from compiles that read what dep-info does not list: files that
// the assembler includes by itself, and what clippy asks cargo about other packages.
func (c *collector) unlisted(files []string) error {
	code, asks := c.makesCode(), cargoLints()
	if c.c.Crate.Clippy && asks.MatchString(c.lintArguments()) {
		return toolchains.Unsupported(reasonCargo, "")
	}
	if !code && !c.c.Crate.Clippy {
		return nil
	}
	for _, path := range files {
		text, err := os.ReadFile(c.c.Call.Abs(path))
		switch {
		case err != nil:
			return toolchains.Unsupported("input-unreadable", path)
		case code && assembles(text):
			return toolchains.Unsupported(reasonAssembler, path)
		case c.c.Crate.Clippy && asks.Match(text):
			return toolchains.Unsupported(reasonCargo, path)
		}
	}
	return nil
}

// assembles reports whether a text holds a directive by which the assembler would
// read a file, of which the compiler does not know: in asm! and global_asm!.
func assembles(text []byte) bool {
	const include = ".include"
	if bytes.Contains(text, []byte(".incbin")) {
		return true
	}
	for {
		i := bytes.Index(text, []byte(include))
		if i < 0 {
			return false
		}
		text = text[i+len(include):]
		if rest := bytes.TrimLeft(text, " \t"); len(rest) < len(text) && (bytes.HasPrefix(rest, []byte(`"`)) || bytes.HasPrefix(rest, []byte(`\"`))) {
			return true
		}
	}
}

// lintArguments are the words that say which lints there are.
func (c *collector) lintArguments() string {
	words := []string{c.c.Call.Env.Value("CLIPPY_ARGS")}
	for i := range c.c.Args {
		words = append(words, c.c.Args[i].Value)
	}
	return strings.Join(words, " ")
}

// cargoLints matches the names of the lints of clippy for which it runs cargo
// metadata, and of their group.
func cargoLints() *regexp.Regexp {
	return regexp.MustCompile(`clippy::(?:cargo\b|cargo_common_metadata|multiple_crate_versions|negative_feature_names|redundant_feature_names|wildcard_dependencies)`)
}
