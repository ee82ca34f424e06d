package main

import (
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/localserver/trace"
)

// checkRust says what of cargo's builds is cached here, and how to get more. It
// does so where cargo is on PATH.
func (a *app) checkRust(d *diagnosis) {
	suffix := ""
	if runtime.GOOS == "windows" {
		suffix = ".exe"
	}
	if a.search().find("cargo"+suffix) == "" {
		return
	}
	wrapper := a.env.Value("RUSTC_WRAPPER")
	if wrapper == "" {
		wrapper = a.env.Value("CARGO_BUILD_RUSTC_WRAPPER")
	}
	switch {
	case wrapper == "":
		d.add("cargo", fine, "RUSTC_WRAPPER is not set; without it, or build.rustc-wrapper in .cargo/config.toml, rustc runs uncached",
			"RUSTC_WRAPPER=rexwrap cargo build, after one cargo clean: what is built counts as fresh")
	case isRexwrap(wrapper):
		d.add("cargo", fine, "RUSTC_WRAPPER is "+wrapper, "")
		a.checkScripts(d)
	}
	a.checkIncremental(d)
	if trace.Works() {
		d.add("cargo macros", fine, "what procedural macros read is watched", "")
	} else {
		d.add("cargo macros", fine, "what procedural macros read cannot be watched: all files of the package stand for it, and nothing outside is noticed",
			"rust_uncached names crates that are then not to be cached")
	}
}

func isRexwrap(program string) bool {
	return strings.TrimSuffix(filepath.Base(program), ".exe") == "rexwrap"
}

// checkIncremental says what becomes of cargo's dev profile.
func (a *app) checkIncremental(d *diagnosis) {
	s, err := config.NewLoader().Load(a.env, a.dir)
	switch {
	case err != nil: // the check of settings has said why
	case a.env.Value("CARGO_INCREMENTAL") == "0":
		d.add("cargo profile", fine, "CARGO_INCREMENTAL=0: all crates are cached in every profile", "")
	case s.RustIncremental == dropIncremental:
		d.add("cargo profile", fine, `rust_incremental = "drop": all crates are cached; none is compiled incrementally`, "")
	default:
		d.add("cargo profile", fine, "in the dev profile the crates that a workspace depends on, check and clippy are cached; "+
			"the workspace's own crates are compiled incrementally, which cannot be",
			"CARGO_INCREMENTAL=0, or incremental = false under [profile.dev], has all cached")
	}
}

// checkScripts looks whether C and C++ of build scripts come through the cache.
func (a *app) checkScripts(d *diagnosis) {
	first, _, _ := strings.Cut(strings.TrimSpace(a.env.Value("CC")), " ")
	folders, _ := a.search().masquerades()
	if isRexwrap(first) || len(folders) > 0 || a.env.Value("CC_KNOWN_WRAPPER_CUSTOM") == "rexwrap" {
		return
	}
	d.add("build scripts", fine, "C and C++ that build scripts compile with the cc crate are not cached",
		`CC="rexwrap cc" CXX="rexwrap c++", or a folder of links: rexwrap help links`)
}
