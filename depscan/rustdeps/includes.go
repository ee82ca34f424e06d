package rustdeps

import "regexp"

// OnlyIncludes reports whether a source asks for a variable for no other purpose
// than to include a file: then its value does not reach the result, if the file
// has the same content.
//
//	use = include "!(" "concat!(" "env!(" `"` name `"` ")," … "))" ;
//	include = "include" | "include_str" | "include_bytes" ;
func OnlyIncludes(source []byte, name string) bool {
	quoted := regexp.QuoteMeta(`"` + name + `"`)
	const open = `\s*!\s*[(\[{]\s*`
	include := regexp.MustCompile(`\binclude(?:_str|_bytes)?` + open + `concat` + open + `env` + open + quoted)
	return !regexp.MustCompile(quoted).Match(include.ReplaceAll(source, nil))
}
