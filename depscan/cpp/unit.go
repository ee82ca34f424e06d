package cpp

import (
	"sync/atomic"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
)

// A unit is one source text, lexed: what of it can change what a compile
// reads. It is a function of content and lexMode alone, immutable but for the
// memos of its conditions, and shared by all compiles.
type unit struct {
	index   int32 // dense, for the tables of an evaluator
	digest  digest.Digest
	content uint64 // digest of the directives alone; see unit.seal
	dirs    []directive
	macros  []*macroDef
	conds   []*condition
	names   []includeName
	strings []string
	// guard is the macro whose definition makes reading the unit again
	// pointless, symNone for none.
	guard symbol
	once  bool   // there is a #pragma once
	marks uint32 // at which all names in its conditions were of interest
	cost  int    // approximate bytes held

	pruned atomic.Pointer[view]
}

// A directive is one step of an evaluation. Branches of a conditional are
// linked, so that a group that is not taken costs one jump.
type directive struct {
	kind dirKind
	// multi is set when the directive spans several physical lines.
	multi bool
	// effect is set on conditionals that hold anything besides other
	// conditionals without effect.
	effect bool
	flags  textFlags
	line   int32
	next   int32 // conditionals: the next branch (#elif, #else, #endif)
	end    int32 // conditionals: the #endif
	sym    symbol
	aux    int32 // index in the unit's table for this kind
}

// dirKind is the kind of a directive.
type dirKind uint8

const (
	dirEnd dirKind = iota // end of the unit
	dirText
	dirDefine
	dirUndef
	dirIf
	dirIfdef
	dirIfndef
	dirElif
	dirElifdef
	dirElifndef
	dirElse
	dirEndif
	dirInclude
	dirIncludeNext
	dirImport
	dirEmbed
	dirOnce
	dirPushMacro
	dirPopMacro
	dirPoison
	dirSystemHeader
	dirOptions // #pragma GCC target, optimize, push_options, pop_options, reset_options
	dirLine
	dirIncbin
	dirStop // whatever the scanner does not evaluate: strings[aux] is the reason
)

// textFlags say what a piece of text or a macro's body can bring about.
type textFlags uint16

const (
	textFile textFlags = 1 << iota
	textBaseFile
	textDate
	textTime
	textTimestamp
	textCounter
	textSignature
	textAssertion
	textPragma    // _Pragma with a string that matters, or not known to be harmless
	textPushMacro // the words push_macro or pop_macro
	textIncbin
	textModule
)

const textIdentifiers = textFile | textBaseFile | textDate | textTime | textTimestamp | textCounter | textSignature | textAssertion

// identifiers returns the Identifiers that text with these flags can contain.
func (f textFlags) identifiers() depscan.Identifiers {
	return depscan.Identifiers(f & textIdentifiers)
}

// A macroDef is one #define as written. Its tokens are made when it is first
// expanded, which most never are.
type macroDef struct {
	name    symbol
	flags   textFlags
	builtin builtin
	mode    lexMode
	text    string // all after the name
	parsed  atomic.Pointer[macro]
}

// A condition is the controlling expression of an #if or #elif.
type condition struct {
	text string
	mode lexMode
	toks atomic.Pointer[[]token]
	memo atomic.Pointer[condMemo]
}

// An includeName is the operand of an #include as written: a header name, or
// tokens to expand.
type includeName struct {
	name     string
	angled   bool
	computed bool
	mode     lexMode
	toks     atomic.Pointer[[]token]
	memo     atomic.Pointer[nameMemo]
	where    atomic.Pointer[found] // the last resolution of a name that is not computed
}
