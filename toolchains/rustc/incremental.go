package rustc

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// dropIncremental takes -C incremental from the call, where the rules have it so. It
// reports false where that does not leave the other arguments as they are.
func (p *parser) dropIncremental() bool {
	if !p.rules.DropIncremental || p.Expanded {
		return false
	}
	argv := withoutIncremental(p.Call.Argv)
	rest := *p.Call
	rest.Argv = argv
	words, _ := arguments(&rest)
	r := &reader{tables: p.tables}
	r.read(words)
	kept := slices.DeleteFunc(slices.Clone(p.Args), func(a toolchains.Arg) bool { return a.Option == optionIncremental })
	same := func(a, b toolchains.Arg) bool { return slices.Equal(a.Words(), b.Words()) }
	if !slices.EqualFunc(kept, r.args, same) {
		return false
	}
	p.Args, p.crate.Argv = kept, argv
	return true
}

// withoutIncremental leaves the usual spellings of -C incremental out.
func withoutIncremental(argv []string) []string {
	out := make([]string, 0, len(argv))
	for i := 0; i < len(argv); i++ {
		word := argv[i]
		if (word == "-C" || word == "--codegen") && i+1 < len(argv) && isIncremental(argv[i+1]) {
			i++
			continue
		}
		joined, short := strings.CutPrefix(word, "-C")
		if !short {
			joined, short = strings.CutPrefix(word, "--codegen=")
		}
		if !short || !isIncremental(joined) {
			out = append(out, word)
		}
	}
	return out
}

func isIncremental(setting string) bool {
	return setting == "incremental" || strings.HasPrefix(setting, "incremental=")
}
