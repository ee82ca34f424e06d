package rustc

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// What a call adds to the linker's arguments (-C link-arg, -C link-args) are words
// for the driver that rustc links with, gcc or clang:
//
//	words   = { file | option | "-Wl," { linkers "," } linkers | "-Xlinker" linkers } ;
//	linkers = option | file ;
//
// What is not in these tables may read a file that no list of the linker's names,
// write a further one, or have another program link.

const (
	joined   = argtable.AsJoined
	separate = argtable.AsSeparate
)

const fuseLd = "-fuse-ld="

// driverOptions are those of gcc and clang.
func driverOptions() []argtable.Option {
	rows := []argtable.Option{
		{Name: "-L", Forms: joined | separate, Class: argtable.Search},
		{Name: "-O", Forms: flag | joined, Class: argtable.Linker},
		{Name: "-T", Forms: joined | separate, Class: argtable.InputFile},
		{Name: "-e", Forms: joined | separate, Class: argtable.Linker},
		{Name: "-fsanitize=", Forms: joined, Class: argtable.Linker},
		{Name: "-l", Forms: joined | separate, Class: argtable.Linker},
		{Name: "-u", Forms: joined | separate, Class: argtable.Linker},
		{Name: "-z", Forms: joined | separate, Class: argtable.Linker},
	}
	return appendRows(rows, flag,
		"-Qunused-arguments", "-Wno-unused-command-line-argument", "-fuse-ld=bfd", "-fuse-ld=gold", "-fuse-ld=lld", "-fuse-ld=mold",
		"-g", "-m64", "-no-pie", "-nodefaultlibs", "-nolibc", "-nopie", "-nostartfiles", "-nostdlib", "-pie", "-pthread", "-rdynamic",
		"-s", "-shared-libgcc", "-static", "-static-libgcc", "-static-libstdc++", "-static-pie", "-w")
}

// linkerOptions are those that GNU ld, gold, LLVM's lld and mold have in common, or
// that some of them have. A name of several letters stands with two dashes here, and
// can have one or two.
func linkerOptions() []argtable.Option {
	rows := []argtable.Option{
		{Name: "--Tbss", Forms: joined | separate, Class: argtable.Linker},
		{Name: "--Tdata", Forms: joined | separate, Class: argtable.Linker},
		{Name: "--Ttext", Forms: joined | separate, Class: argtable.Linker},
		{Name: "--build-id", Forms: flag | joined, Class: argtable.Linker},
		{Name: "--dynamic-list", Forms: joined | separate, Class: argtable.InputFile},
		{Name: "--library-path", Forms: joined | separate, Class: argtable.Search},
		{Name: "--script", Forms: joined | separate, Class: argtable.InputFile},
		{Name: "--threads", Forms: flag | joined, Class: argtable.Linker},
		{Name: "--version-script", Forms: joined | separate, Class: argtable.InputFile},
		{Name: "-L", Forms: joined | separate, Class: argtable.Search},
		{Name: "-O", Forms: joined, Class: argtable.Linker},
		{Name: "-T", Forms: joined | separate, Class: argtable.InputFile},
	}
	rows = appendRows(rows, joined|separate,
		"--compress-debug-sections", "--defsym", "--dynamic-linker", "--entry", "--exclude-libs", "--export-dynamic-symbol", "--hash-style",
		"--icf", "--image-base", "--library", "--pack-dyn-relocs", "--rpath", "--rpath-link", "--section-start", "--soname", "--sort-section",
		"--undefined", "--unresolved-symbols", "--wrap", "-I", "-e", "-h", "-l", "-m", "-u", "-z")
	return appendRows(rows, flag,
		"--Bdynamic", "--Bstatic", "--Bsymbolic", "--Bsymbolic-functions", "--allow-multiple-definition", "--allow-shlib-undefined",
		"--as-needed", "--demangle", "--disable-new-dtags", "--discard-all", "--discard-locals", "--eh-frame-hdr", "--emit-relocs",
		"--enable-new-dtags", "--end-group", "--export-dynamic", "--fatal-warnings", "--gc-sections", "--no-allow-shlib-undefined",
		"--no-as-needed", "--no-copy-dt-needed-entries", "--no-demangle", "--no-dynamic-linker", "--no-eh-frame-hdr", "--no-export-dynamic",
		"--no-fatal-warnings", "--no-gc-sections", "--no-pie", "--no-relax", "--no-rosegment", "--no-threads", "--no-undefined",
		"--no-warn-mismatch", "--no-whole-archive", "--nostdlib", "--omagic", "--pie", "--pop-state", "--push-state", "--relax", "--rosegment",
		"--shared", "--sort-common", "--start-group", "--static", "--strip-all", "--strip-debug", "--warn-common", "--whole-archive",
		"-(", "-)", "-E", "-N", "-S", "-X", "-n", "-q", "-s", "-x")
}

func appendRows(rows []argtable.Option, forms argtable.Forms, names ...string) []argtable.Option {
	for _, name := range names {
		rows = append(rows, argtable.Option{Name: name, Forms: forms, Class: argtable.Linker})
	}
	return rows
}

// linkArguments looks at the words that the call has for the driver, where a linker
// runs: the files that they name are inputs, and folders for libraries are searched
// behind those of -L.
func (p *parser) linkArguments() error {
	if !p.crate.Links() {
		return nil
	}
	if !slices.Contains([]string{"", "gcc", "gnu-cc", "gnu-lld-cc"}, p.flavor) {
		return toolchains.Unsupported(ReasonLinkerOption, p.flavor)
	}
	var linkers []string
	words := p.linkWords
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		inner, ok := strings.CutPrefix(word, "-Wl,")
		switch {
		case ok:
			linkers = append(linkers, strings.Split(inner, ",")...)
			continue
		case word == "-Xlinker" && len(words) > 0:
			linkers, words = append(linkers, words[0]), words[1:]
			continue
		}
		var err error
		if words, err = p.linkWord(p.tables.driver, word, words); err != nil {
			return err
		}
	}
	for len(linkers) > 0 {
		var err error
		if linkers, err = p.linkWord(p.tables.linker, longName(p.tables.linker, linkers[0]), linkers[1:]); err != nil {
			return err
		}
	}
	return nil
}

// longName returns a linker's word with two dashes where it is an option's long name,
// and that behind "=" is its value.
func longName(t *argtable.Table, word string) string {
	if len(word) < 3 || word[0] != '-' {
		return word
	}
	name, _, _ := strings.Cut("--"+strings.TrimLeft(word, "-"), "=")
	if _, ok := exact(t, name); ok {
		return "--" + strings.TrimLeft(word, "-")
	}
	return word
}

// joinedValue returns the value of an option that has it in the same word. A short one's
// with "=" in it may be a long one that is not known.
func joinedValue(name, rest string) (value string, ok bool) {
	switch {
	case strings.HasPrefix(name, "--"):
		return strings.CutPrefix(rest, "=")
	case len(name) == 2 && name != "-z":
		return rest, !strings.Contains(rest, "=")
	}
	return rest, true
}

// linkWord takes one word, and the next ones if its value is there, and returns those
// that are left.
func (p *parser) linkWord(t *argtable.Table, word string, next []string) ([]string, error) {
	unknown := toolchains.Unsupported(ReasonLinkerOption, word)
	if word == "" || word[0] == '@' {
		return nil, unknown
	}
	if word[0] != '-' {
		p.InputFiles = append(p.InputFiles, word)
		return next, nil
	}
	m, ok := t.Lookup(word)
	if !ok {
		return nil, unknown
	}
	value := m.Value
	switch m.Form {
	case argtable.Separate:
		if len(next) == 0 {
			return nil, unknown
		}
		value, next = next[0], next[1:]
	case argtable.Joined:
		if value, ok = joinedValue(m.Name, value); !ok {
			return nil, unknown
		}
	}
	switch {
	case strings.HasPrefix(m.Name, fuseLd):
		p.crate.FuseLd = m.Name
	case m.Option.Class.Has(argtable.Search):
		p.crate.LinkDirs = append(p.crate.LinkDirs, value)
	case m.Option.Class.Has(argtable.InputFile):
		p.InputFiles = append(p.InputFiles, value)
	}
	return next, nil
}
