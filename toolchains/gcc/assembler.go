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
		case !isAssemblerFlag(word):
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

func (p *parser) list(word string) error {
	_, file, _ := strings.Cut(word, "=")
	if file == "" || gnu.IsStream(file) || p.listing != "" {
		return toolchains.Unsupported(gnu.ReasonAssemblerListing, "-Wa,"+word)
	}
	p.listing = file
	return nil
}

// isAssemblerFlag reports whether word is known to change the object or
// messages only.
func isAssemblerFlag(word string) bool {
	switch word {
	case "--noexecstack", "--execstack", "--fatal-warnings", "--warn", "--no-warn", "-W", "-L", "--keep-locals",
		"-Z", "-J", "-K", "-f", "-D", "-n", "-EL", "-EB", "-KPIC", "-k", "-q", "--32", "--64", "--x32", "--divide",
		"--strip-local-absolute", "--traditional-format", "--reduce-memory-overheads", "--no-pad-sections",
		"--trap", "--no-trap", "--break", "--no-break", "--pic", "-Qy", "-Qn", "-s", "-w", "-x", "--sectname-subst":
		return true
	}
	for _, prefix := range []string{
		"-m", "-g", "--g", "-O", "--compress-debug-sections", "--nocompress-debug-sections", "--elf-stt-common=",
		"--generate-missing-build-notes=", "--size-check=", "--hash-size=", "--multibyte-handling=", "--debug-prefix-map=",
	} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}
