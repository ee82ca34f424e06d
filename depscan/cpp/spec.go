package cpp

import "strings"

// A searchSpec is what the command line and the environment say about the
// search for headers. Its fields are in the compiler's order.
type searchSpec struct {
	clang     bool
	microsoft bool // of clang-cl: a "header" is looked for beside all includers
	cwd       string
	canonical bool // gcc: shorten the paths of system headers
	noOwn     bool // -I-: a header's own directory is not searched
	quote     []specDir
	bracket   []specDir
	system    []specDir
	after     []specDir
}

// A specDir is one directory as given.
type specDir struct {
	path      string
	framework bool
}

// key returns a string that is equal for equal specs.
func (s *searchSpec) key() string {
	var b strings.Builder
	for _, f := range []bool{s.clang, s.canonical, s.noOwn, s.microsoft} {
		if f {
			b.WriteByte('1')
		}
		b.WriteByte(';')
	}
	b.WriteString(s.cwd)
	for _, list := range [][]specDir{s.quote, s.bracket, s.system, s.after} {
		b.WriteByte(0)
		for _, d := range list {
			if d.framework {
				b.WriteByte(1)
			}
			b.WriteString(d.path)
			b.WriteByte(0)
		}
	}
	return b.String()
}
