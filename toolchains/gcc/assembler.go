package gcc

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// assembler judges words for the GNU assembler. Words that may name further
// files, and all that are not known, step aside.
func (p *parser) assembler(words []string) error {
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case isListing(word):
			if err := p.list(word); err != nil {
				return err
			}
		case word == "--defsym" && i+1 < len(words):
			i++
		case !gnu.IsAssemblerFlag(word):
			return toolchains.Unsupported(gnu.ReasonAssembler, "-Wa,"+word)
		case strings.HasPrefix(word, "-g") || strings.HasPrefix(word, "--g"):
			p.line.Debug = true
		}
	}
	return nil
}

// isListing reports whether word is -a[LETTERS][=FILE].
func isListing(word string) bool {
	if !strings.HasPrefix(word, "-a") {
		return false
	}
	letters, _, _ := strings.Cut(word[2:], "=")
	return strings.Trim(letters, "cdghilmns") == ""
}

// list takes note of one listing option. They add up, and one file is for all.
func (p *parser) list(word string) error {
	_, file, named := strings.Cut(word, "=")
	p.lists = true
	switch {
	case !named:
		return nil
	case file == "" || gnu.IsStream(file) || p.listing != "":
		return toolchains.Unsupported(gnu.ReasonAssemblerListing, "-Wa,"+word)
	}
	p.listing = file
	return nil
}
