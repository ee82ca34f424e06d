package cpp

import (
	"math"
	"math/bits"
	"strings"
)

// A value is a number of an #if: 64 bits, signed or not.
type value struct {
	n        uint64
	unsigned bool
}

func truth(b bool) value {
	if b {
		return value{n: 1}
	}
	return value{}
}

// A condParser evaluates one controlling expression while it reads it.
//
//	condition = conditional end
//	conditional = binary(1) [ "?" conditional ":" conditional ]
//	binary(p) = unary { operator of precedence ≥ p  binary(p+1) }
//	unary = ( "+" | "-" | "!" | "~" ) unary | primary
//	primary = "(" conditional ")" | number | character | word | "defined" name
type condParser struct {
	x   *expander
	t   token // the next token
	off int   // positive in operands that are not evaluated
}

func (p *condParser) advance() { p.t = p.x.next() }

// evaluate returns the value of the whole expression.
func (p *condParser) evaluate() value {
	p.advance()
	v := p.conditional()
	if p.t.kind != tokEnd {
		p.x.fail("if-syntax")
	}
	return v
}

func (p *condParser) conditional() value {
	cond := p.binary(1)
	if p.t.op != opQuestion || p.t.kind != tokPunct {
		return cond
	}
	p.advance()
	yes := p.skipIf(cond.n == 0, p.conditional)
	if p.t.op != opColon {
		p.x.fail("if-syntax")
		return value{}
	}
	p.advance()
	no := p.skipIf(cond.n != 0, p.conditional)
	if cond.n != 0 {
		no.n = yes.n
	}
	return value{no.n, yes.unsigned || no.unsigned}
}

// skipIf runs parse without evaluating what it reads if skip is set.
func (p *condParser) skipIf(skip bool, parse func() value) value {
	if skip {
		p.off++
		defer func() { p.off-- }()
	}
	return parse()
}

func precedence(o op) int {
	switch o {
	case opOrOr:
		return 1
	case opAndAnd:
		return 2
	case opOr:
		return 3
	case opXor:
		return 4
	case opAnd:
		return 5
	case opEq, opNe:
		return 6
	case opLt, opGt, opLe, opGe:
		return 7
	case opShl, opShr:
		return 8
	case opPlus, opMinus:
		return 9
	case opMul, opDiv, opMod:
		return 10
	}
	return 0
}

func (p *condParser) binary(lowest int) value {
	left := p.unary()
	for {
		o, prec := p.t.op, precedence(p.t.op)
		if prec < lowest || p.t.kind != tokPunct || p.x.err != "" {
			return left
		}
		p.advance()
		skip := o == opOrOr && left.n != 0 || o == opAndAnd && left.n == 0
		right := p.skipIf(skip, func() value { return p.binary(prec + 1) })
		left = p.apply(o, left, right)
	}
}

func (p *condParser) unary() value {
	o := p.t.op
	if p.t.kind != tokPunct {
		return p.primary()
	}
	switch o {
	case opPlus, opMinus, opNot, opCompl:
		p.advance()
		v := p.unary()
		switch o {
		case opMinus:
			v.n = -v.n
		case opCompl:
			v.n = ^v.n
		case opNot:
			return truth(v.n == 0)
		}
		return v
	}
	return p.primary()
}

func (p *condParser) primary() value {
	t := p.t
	switch {
	case p.x.err != "":
		return value{}
	case t.kind == tokNumber:
		p.advance()
		return p.number(t.text)
	case t.kind == tokChar:
		p.advance()
		return p.character(t.text)
	case t.kind == tokWord:
		return p.word(t)
	case t.kind == tokPunct && t.op == opOpen:
		p.advance()
		v := p.conditional()
		if p.t.op != opClose {
			p.x.fail("if-syntax")
		}
		p.advance()
		return v
	}
	p.x.fail("if-syntax")
	return value{}
}

func (p *condParser) word(t token) value {
	if t.sym == symDefined {
		return p.defined()
	}
	p.advance()
	if p.x.mode&modeTrueFalse != 0 {
		return truth(t.sym == symTrue)
	}
	return value{}
}

// defined evaluates the operator, whose word has been read.
func (p *condParser) defined() value {
	p.x.hold++
	t := p.x.next()
	paren := t.kind == tokPunct && t.op == opOpen
	if paren {
		t = p.x.next()
	}
	if t.kind != tokWord {
		p.x.fail("if-syntax")
	}
	if paren {
		if c := p.x.next(); c.op != opClose {
			p.x.fail("if-syntax")
		}
	}
	p.x.hold--
	v := truth(t.kind == tokWord && p.x.e.lookup(t.sym) != nil)
	p.advance()
	return v
}

// apply returns left o right.
func (p *condParser) apply(o op, left, right value) value {
	unsigned := left.unsigned || right.unsigned
	switch o {
	case opOrOr:
		return truth(left.n != 0 || right.n != 0)
	case opAndAnd:
		return truth(left.n != 0 && right.n != 0)
	case opOr:
		return value{left.n | right.n, unsigned}
	case opXor:
		return value{left.n ^ right.n, unsigned}
	case opAnd:
		return value{left.n & right.n, unsigned}
	case opEq:
		return truth(left.n == right.n)
	case opNe:
		return truth(left.n != right.n)
	case opLt:
		return truth(less(left.n, right.n, unsigned))
	case opGt:
		return truth(less(right.n, left.n, unsigned))
	case opLe:
		return truth(!less(right.n, left.n, unsigned))
	case opGe:
		return truth(!less(left.n, right.n, unsigned))
	case opShl, opShr:
		return p.shift(o == opShl, left, right)
	case opPlus:
		return value{left.n + right.n, unsigned}
	case opMinus:
		return value{left.n - right.n, unsigned}
	case opMul:
		return value{left.n * right.n, unsigned}
	}
	return p.divide(o == opMod, value{left.n, unsigned}, right.n)
}

func less(a, b uint64, unsigned bool) bool {
	if unsigned {
		return a < b
	}
	return int64(a) < int64(b)
}

// shift shifts as the compiler at hand does where the standard leaves it open:
// gcc takes a negative count the other way round; clang takes counts as
// unsigned, those to the right modulo 2^32, and stops at 63 there.
func (p *condParser) shift(left bool, v, by value) value {
	count := by.n
	if p.x.mode&modeClang != 0 {
		if !left {
			count = min(count&math.MaxUint32, 63)
		}
	} else if !by.unsigned && int64(by.n) < 0 {
		left, count = !left, -by.n
	}
	switch {
	case left && count > 63:
		v.n = 0
	case left:
		v.n <<= count
	case v.unsigned && count > 63:
		v.n = 0
	case v.unsigned:
		v.n >>= count
	default:
		v.n = uint64(int64(v.n) >> min(count, 63))
	}
	return v
}

func (p *condParser) divide(modulo bool, a value, b uint64) value {
	if b == 0 {
		if p.off == 0 {
			p.x.fail("if-division-by-zero")
		}
		return a
	}
	switch {
	case a.unsigned && modulo:
		a.n %= b
	case a.unsigned:
		a.n /= b
	case a.n == 1<<63 && b == math.MaxUint64: // overflows
		if modulo {
			a.n = 0
		}
	case modulo:
		a.n = uint64(int64(a.n) % int64(b))
	default:
		a.n = uint64(int64(a.n) / int64(b))
	}
	return a
}

// number evaluates an integer constant.
//
//	number = ( decimal | "0" octal | "0x" hex | "0b" binary ) suffix
func (p *condParser) number(s string) value {
	s = strings.ToLower(strings.ReplaceAll(s, "'", ""))
	base, digits := uint64(10), s
	switch {
	case strings.HasPrefix(s, "0x"):
		base, digits = 16, s[2:]
	case strings.HasPrefix(s, "0b"):
		base, digits = 2, s[2:]
	case s[0] == '0':
		base = 8
	}
	n, rest, ok := parseDigits(digits, base)
	if p.x.mode&modeMicrosoft != 0 {
		rest = microsoftSuffix(rest)
	}
	unsigned, known := integerSuffix(rest)
	if !ok || !known {
		p.x.fail("if-number")
		return value{}
	}
	return value{n, unsigned || int64(n) < 0}
}

// parseDigits reads digits of a base up to the suffix.
func parseDigits(s string, base uint64) (n uint64, rest string, ok bool) {
	i := 0
	for ; i < len(s); i++ {
		d := digitValue(s[i])
		if d >= base {
			break
		}
		hi, lo := bits.Mul64(n, base)
		sum, carry := bits.Add64(lo, d, 0)
		if hi+carry != 0 {
			return 0, "", false
		}
		n = sum
	}
	return n, s[i:], i > 0
}

func digitValue(c byte) uint64 {
	switch {
	case c >= '0' && c <= '9':
		return uint64(c - '0')
	case c >= 'a' && c <= 'f':
		return uint64(c-'a') + 10
	}
	return math.MaxUint64
}

func integerSuffix(s string) (unsigned, ok bool) {
	switch s {
	case "", "l", "ll":
		return false, true
	case "u", "ul", "ull", "lu", "llu":
		return true, true
	}
	return false, false // z, imaginary and user-defined ones differ between versions
}

// microsoftSuffix returns a suffix without the width that Microsoft's have: ui64.
func microsoftSuffix(s string) string {
	for _, width := range []string{"i8", "i16", "i32", "i64"} {
		if sign, ok := strings.CutSuffix(s, width); ok && (sign == "" || sign == "u") {
			return sign
		}
	}
	return s
}

// character evaluates a character constant with an optional prefix.
func (p *condParser) character(s string) value {
	i := strings.IndexByte(s, '\'')
	prefix, s := s[:i], s[i+1:len(s)-1]
	var n uint64
	count := 0
	for s != "" {
		c, size, ok := characterAt(s)
		if !ok {
			p.x.fail("if-character")
			return value{}
		}
		s = s[size:]
		n = n<<8 | uint64(c)
		count++
	}
	switch {
	case count == 1 && prefix == "":
		if p.x.mode&modeUnsignedChar != 0 {
			return value{n: n}
		}
		return value{n: uint64(int64(int8(n)))}
	case count == 1 && n < 0x80:
		return value{n, prefix != "L" || p.x.mode&modeMicrosoft != 0}
	case count > 1 && count <= 4 && prefix == "":
		return value{n: uint64(int64(int32(n)))}
	}
	p.x.fail("if-character")
	return value{}
}

// characterAt decodes the character or escape at the head of s.
func characterAt(s string) (c byte, size int, ok bool) {
	if s[0] != '\\' {
		return s[0], 1, s[0] < 0x80
	}
	if len(s) < 2 {
		return 0, 0, false
	}
	if i := strings.IndexByte(`abfnrtv\'"?`, s[1]); i >= 0 {
		return "\a\b\f\n\r\t\v\\'\"?"[i], 2, true
	}
	if s[1] == 'x' {
		n, rest, ok := parseDigits(strings.ToLower(s[2:]), 16)
		return byte(n), len(s) - len(rest), ok && n < 256
	}
	if s[1] < '0' || s[1] > '7' {
		return 0, 0, false
	}
	n, rest, _ := parseDigits(s[1:min(4, len(s))], 8)
	return byte(n), min(4, len(s)) - len(rest), n < 256
}
