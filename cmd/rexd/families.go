package main

import (
	"fmt"
	"sync"

	"github.com/rexwrap/rexwrap/localserver/config"
	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/argtable"
	"github.com/rexwrap/rexwrap/toolchains/clang"
	"github.com/rexwrap/rexwrap/toolchains/gcc"
	"github.com/rexwrap/rexwrap/toolchains/msvc"
	"github.com/rexwrap/rexwrap/toolchains/rustc"
)

// maxFamilies bounds the sets of families that are kept: one for each set of
// extra flags in use.
const maxFamilies = 32

// families makes the families for a user's extra flags and rules once. It is safe
// for concurrent use.
type families struct {
	mu   sync.Mutex
	sets map[string]map[string]toolchains.Family
}

func newFamilies() *families { return &families{sets: make(map[string]map[string]toolchains.Family)} }

// family returns the family of a name under settings s, nil where there is none.
func (f *families) family(name string, s *config.Settings) toolchains.Family {
	key := ""
	if len(s.ExtraFlags) > 0 || s.RustIncremental == dropIncremental || len(s.RustUncached) > 0 {
		key = fmt.Sprintf("%v %q %q", s.ExtraFlags, s.RustIncremental, s.RustUncached)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	set := f.sets[key]
	if set == nil {
		if len(f.sets) >= maxFamilies {
			clear(f.sets)
		}
		set = make(map[string]toolchains.Family)
		for _, family := range []toolchains.Family{
			gcc.New(extraOptions(s)...), clang.New(extraOptions(s)...), rustc.WithRules(rustRules(s)),
			msvc.New(extraOptions(s)...), msvc.NewClang(extraOptions(s)...),
		} {
			set[family.Name()] = family
		}
		f.sets[key] = set
	}
	return set[name]
}

// dropIncremental is the value of rust_incremental that changes anything.
const dropIncremental = "drop"

func rustRules(s *config.Settings) rustc.Rules {
	return rustc.Rules{DropIncremental: s.RustIncremental == dropIncremental, Uncached: s.RustUncached}
}

func extraOptions(s *config.Settings) []argtable.Option {
	var out []argtable.Option
	for _, e := range s.ExtraFlags {
		out = append(out, argtable.Option{Name: e.Option, Forms: formsOf(e.Form), Class: e.Class})
	}
	return out
}

func formsOf(f argtable.Form) argtable.Forms {
	switch f {
	case argtable.Joined:
		return argtable.AsJoined
	case argtable.Separate:
		return argtable.AsSeparate
	default:
		return argtable.AsFlag
	}
}
