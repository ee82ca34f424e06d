package layout

import (
	"bytes"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// What clang has assert print of the function names the files of lambdas and of types
// without a name as the compiler spells them, and no prefix map reaches that. Such texts
// are rare, though what could make them is in nearly every C++ compile: so a worker is
// asked all the same, and its result is looked through.

// showsSignatures reports whether the texts of c can be seen in its outputs: they are
// not packed, as in bitcode.
func showsSignatures(c *toolchains.Compile) bool {
	return c.Toolchain.Family == "clang" && c.Mode != toolchains.Precompile && !slices.ContainsFunc(c.Args, func(a toolchains.Arg) bool {
		return strings.HasPrefix(a.Option, "-flto") || strings.HasPrefix(a.Option, "-emit-") || strings.HasPrefix(a.Option, "-fembed-bitcode") ||
			strings.HasPrefix(a.Option, "-fthin") || strings.HasPrefix(a.Option, "-X")
	})
}

// ForeignSignature returns the name that a signature in an object or assembly gives to a
// file where that is not what the client's compiler calls it, empty where there is none.
// NamesWorker would refuse too much: relocatable debug information has such names.
//
//	signature = ( "lambda" | "unnamed" | "anonymous" | kind ) " at " FILE ":" LINE ":" COLUMN ;
//	kind      = "struct" | "class" | "union" | "enum" | "interface" ;
//
// (clang/lib/AST/TypePrinter.cpp, printTag.)
func (n Names) ForeignSignature(output []byte) string {
	at := []byte(" at ")
	for rest := output; ; {
		i := bytes.Index(rest, at)
		if i < 0 {
			return ""
		}
		if endsInKind(rest[:i]) {
			if name := fileOf(rest[i+len(at):]); n.ClientPath(name) != name || strings.HasPrefix(name, Here) {
				return name
			}
		}
		rest = rest[i+len(at):]
	}
}

func endsInKind(text []byte) bool {
	for _, kind := range []string{"lambda", "unnamed", "anonymous", "struct", "class", "union", "enum", "interface"} {
		if bytes.HasSuffix(text, []byte(kind)) {
			return true
		}
	}
	return false
}

// fileOf returns the name that text begins with, which ends before a line number.
func fileOf(text []byte) string {
	if i := bytes.IndexByte(text, ':'); i >= 0 {
		text = text[:i]
	}
	return string(text[:min(len(text), maxName)])
}

// maxName bounds the names of files that are looked at.
const maxName = 1 << 12
