package cpp

import "strings"

// tokenKind is the kind of a preprocessing token.
type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokWord
	tokNumber
	tokString
	tokChar
	tokPunct
	tokOther
	tokParam   // a parameter in a macro's body; sym is its index
	tokVaOpt   // __VA_OPT__ ( tokens ) in a macro's body; sym is its index
	tokNothing // a placemarker
)

// A token is one preprocessing token.
type token struct {
	text  string
	sym   symbol
	kind  tokenKind
	op    op
	space bool // white space stands before it
	paint bool // a name that must not be expanded any more
	str   bool // tokParam: # stands before it
	paste bool // ## follows
	// ignored is set on a comma that clang-cl does not count, once, as one
	// between arguments.
	ignored bool
}

// op is a punctuator that the scanner treats in some way.
type op uint8

const (
	opNone op = iota
	opOpen
	opClose
	opComma
	opHash
	opPaste
	opEllipsis
	opQuestion
	opColon
	opOrOr
	opAndAnd
	opOr
	opXor
	opAnd
	opEq
	opNe
	opLt
	opGt
	opLe
	opGe
	opShl
	opShr
	opPlus
	opMinus
	opMul
	opDiv
	opMod
	opNot
	opCompl
)

// punctuator returns what s begins with, the longest there is, and its length: 0 for
// none.
func punctuator(s string) (op, int) {
	if strings.HasPrefix(s, "%:%:") {
		return opPaste, 4
	}
	if len(s) >= 3 {
		switch s[:3] {
		case "...":
			return opEllipsis, 3
		case "<<=", ">>=", "->*", "<=>":
			return opNone, 3
		}
	}
	if len(s) >= 2 {
		if o, ok := twoByteOp(s[:2]); ok {
			return o, 2
		}
	}
	if o, ok := oneByteOp(s[0]); ok {
		return o, 1
	}
	return opNone, 0
}

func twoByteOp(s string) (op, bool) {
	switch s {
	case "##":
		return opPaste, true
	case "%:":
		return opHash, true
	case "||":
		return opOrOr, true
	case "&&":
		return opAndAnd, true
	case "==":
		return opEq, true
	case "!=":
		return opNe, true
	case "<=":
		return opLe, true
	case ">=":
		return opGe, true
	case "<<":
		return opShl, true
	case ">>":
		return opShr, true
	case "->", "++", "--", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "::", "<:", ":>", "<%", "%>", ".*":
		return opNone, true
	}
	return opNone, false
}

func oneByteOp(c byte) (op, bool) {
	switch c {
	case '(':
		return opOpen, true
	case ')':
		return opClose, true
	case ',':
		return opComma, true
	case '#':
		return opHash, true
	case '?':
		return opQuestion, true
	case ':':
		return opColon, true
	case '|':
		return opOr, true
	case '^':
		return opXor, true
	case '&':
		return opAnd, true
	case '<':
		return opLt, true
	case '>':
		return opGt, true
	case '+':
		return opPlus, true
	case '-':
		return opMinus, true
	case '*':
		return opMul, true
	case '/':
		return opDiv, true
	case '%':
		return opMod, true
	case '!':
		return opNot, true
	case '~':
		return opCompl, true
	case ';', '=', '[', ']', '{', '}', '.':
		return opNone, true
	}
	return opNone, false
}

// namedOp returns the operator that a word is in C++.
func namedOp(word string) (op, bool) {
	switch word {
	case "and":
		return opAndAnd, true
	case "or":
		return opOrOr, true
	case "not":
		return opNot, true
	case "not_eq":
		return opNe, true
	case "bitand":
		return opAnd, true
	case "bitor":
		return opOr, true
	case "xor":
		return opXor, true
	case "compl":
		return opCompl, true
	case "and_eq", "or_eq", "xor_eq":
		return opNone, true
	}
	return opNone, false
}

// tokenize splits the cleaned text s. Words are interned in syms.
func tokenize(s string, mode lexMode, syms *symbols) []token {
	var out []token
	space := false
	for i := 0; i < len(s); {
		switch charClass[s[i]] {
		case chSpace, chNewline:
			space = true
			i++
			continue
		}
		t, n := nextToken(s[i:], mode, syms)
		t.text, t.space = s[i:i+n], space
		space = false
		out = append(out, t)
		i += n
	}
	return out
}

// nextToken returns the token at the head of s and its length.
func nextToken(s string, mode lexMode, syms *symbols) (token, int) {
	c := s[0]
	switch {
	case charClass[c] == chLetter || c == '$' && mode&modeDollars != 0:
		return wordToken(s, mode, syms)
	case charClass[c] == chDigit, c == '.' && len(s) > 1 && charClass[s[1]] == chDigit:
		return token{kind: tokNumber}, numberLen(s, mode)
	case c == '"' || c == '\'':
		return quotedToken(s, 0)
	}
	if o, n := punctuator(s); n > 0 {
		return token{kind: tokPunct, op: o}, n
	}
	if c == '\\' && len(s) > 1 && (s[1] == 'u' || s[1] == 'U') {
		return token{kind: tokOther}, 2
	}
	return token{kind: tokOther}, 1
}

func numberLen(s string, mode lexMode) int {
	i := 1
	for i < len(s) {
		c := s[i]
		switch {
		case isWordByte(c) || c == '.':
		case (c == '+' || c == '-') && isExponent(s[i-1], mode):
		case c == '\'' && mode&modeSeparators != 0 && i+1 < len(s) && isWordByte(s[i+1]):
		default:
			return i
		}
		i++
	}
	return i
}

func wordToken(s string, mode lexMode, syms *symbols) (token, int) {
	n := len(identifier(s, mode))
	if s[n-1] == '\\' {
		n--
	}
	w := s[:n]
	if n < len(s) && n <= 3 && (s[n] == '"' || s[n] == '\'') && isLiteralPrefix(w, s[n], mode) {
		if strings.HasSuffix(w, "R") {
			if end := rawStringEnd([]byte(s+"\n\n"), n); end >= 0 {
				return token{kind: tokString}, end
			}
		}
		return quotedToken(s, n)
	}
	if mode&modeNamedOps != 0 {
		if op, ok := namedOp(w); ok {
			return token{kind: tokPunct, op: op}, n
		}
	}
	return token{kind: tokWord, sym: syms.intern(w)}, n
}

// isLiteralPrefix reports whether w before a quote is part of the literal. The
// prefixes of C11 exist wherever raw strings do, and in C11 itself; elsewhere
// such a literal is an error in every directive that this matters for.
func isLiteralPrefix(w string, quote byte, mode lexMode) bool {
	switch w {
	case "L", "u", "U", "u8":
		return true
	case "R", "LR", "uR", "UR", "u8R":
		return quote == '"' && mode&modeRawStrings != 0
	}
	return false
}

// quotedToken returns the literal whose quote is at s[i]. An unterminated one
// takes the rest of the line.
func quotedToken(s string, i int) (token, int) {
	quote := s[i]
	for n := i + 1; n < len(s); n++ {
		switch s[n] {
		case '\\':
			n++
		case quote:
			if quote == '"' {
				return token{kind: tokString}, n + 1
			}
			return token{kind: tokChar}, n + 1
		}
	}
	return token{kind: tokOther}, len(s)
}
