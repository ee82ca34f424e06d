package cpp

import (
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
)

// A symbol is an interned identifier. Symbols are dense, so that a macro table
// can be an array; symbol 0 is no identifier.
type symbol uint32

// The identifiers that the scanner itself knows. The order is that of
// knownNames.
const (
	symNone symbol = iota
	symDefined
	symVaArgs
	symVaOpt
	symTrue
	symFalse
	symFile
	symBaseFile
	symLine
	symIncludeLevel
	symCounter
	symDate
	symTime
	symTimestamp
	symPragma
	symHasInclude
	symHasIncludeNext
	symHasEmbed
	symHasAttribute
	symHasCppAttribute
	symHasCAttribute
	symHasBuiltin
	symHasFeature
	symHasExtension
	symHasDeclspecAttribute
	symHasWarning
	symHasConstexprBuiltin
	symIsIdentifier
	symIsTargetArch
	symIsTargetOS
	symIsTargetVendor
	symIsTargetEnvironment
	symBuildingModule
	symOptimize
	symIdentifier
	numKnown
)

// knownNames returns their names.
func knownNames() [numKnown]string {
	return [numKnown]string{
		symDefined: "defined", symVaArgs: "__VA_ARGS__", symVaOpt: "__VA_OPT__",
		symTrue: "true", symFalse: "false",
		symFile: "__FILE__", symBaseFile: "__BASE_FILE__", symLine: "__LINE__",
		symIncludeLevel: "__INCLUDE_LEVEL__", symCounter: "__COUNTER__",
		symDate: "__DATE__", symTime: "__TIME__", symTimestamp: "__TIMESTAMP__",
		symPragma: "_Pragma", symHasInclude: "__has_include",
		symHasIncludeNext: "__has_include_next", symHasEmbed: "__has_embed",
		symHasAttribute: "__has_attribute", symHasCppAttribute: "__has_cpp_attribute",
		symHasCAttribute: "__has_c_attribute", symHasBuiltin: "__has_builtin",
		symHasFeature: "__has_feature", symHasExtension: "__has_extension",
		symHasDeclspecAttribute: "__has_declspec_attribute", symHasWarning: "__has_warning",
		symHasConstexprBuiltin: "__has_constexpr_builtin", symIsIdentifier: "__is_identifier",
		symIsTargetArch: "__is_target_arch", symIsTargetOS: "__is_target_os",
		symIsTargetVendor: "__is_target_vendor", symIsTargetEnvironment: "__is_target_environment",
		symBuildingModule: "__building_module", symOptimize: "__OPTIMIZE__",
		symIdentifier: "__identifier",
	}
}

const symbolShards = 32

// symbols interns identifiers and short definitions of them. It is safe for concurrent use and only grows.
type symbols struct {
	seed   maphash.Seed
	last   atomic.Uint32
	shards [symbolShards]symbolShard
	defs   definitions
	wanted interests
}

type symbolShard struct {
	mu  sync.RWMutex
	ids map[string]symbol
}

func newSymbols() *symbols {
	s := &symbols{seed: maphash.MakeSeed()}
	for i := range s.shards {
		s.shards[i].ids = make(map[string]symbol)
	}
	names := knownNames()
	for _, name := range names[1:] {
		s.intern(name)
	}
	return s
}

// count returns a number above every symbol handed out so far.
func (s *symbols) count() int { return int(s.last.Load()) + 1 }

func (s *symbols) intern(name string) symbol {
	shard := &s.shards[maphash.String(s.seed, name)%symbolShards]
	shard.mu.RLock()
	id, ok := shard.ids[name]
	shard.mu.RUnlock()
	if ok {
		return id
	}
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if id, ok := shard.ids[name]; ok {
		return id
	}
	id = symbol(s.last.Add(1))
	shard.ids[strings.Clone(name)] = id
	return id
}

// name returns the identifier of id. It is slow.
func (s *symbols) name(id symbol) string {
	for i := range s.shards {
		if name, ok := s.shards[i].name(id); ok {
			return name
		}
	}
	return ""
}

func (shard *symbolShard) name(id symbol) (string, bool) {
	shard.mu.RLock()
	defer shard.mu.RUnlock()
	for name, have := range shard.ids {
		if have == id {
			return name, true
		}
	}
	return "", false
}
