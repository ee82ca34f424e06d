package rustdeps

import (
	"bytes"
	"strings"
)

// linkedFiles returns what a linker's dependency file lists, nil where it is none:
//
//	file   = output ":" { " \" newline indent path } newline { newline path ":" newline } ;
//	indent = "  " | " " ;               (* GNU ld and gold; LLVM's *)
//
// GNU ld writes paths as they are, LLVM's escapes spaces, "#" and "$" for Make.
func linkedFiles(text []byte) []string {
	var out []string
	for raw := range bytes.Lines(text) {
		line, ok := strings.CutPrefix(strings.TrimSuffix(string(raw), "\n"), " ")
		if !ok {
			continue
		}
		line = strings.TrimPrefix(line, " ")
		if path := strings.TrimSuffix(line, ` \`); path != "" {
			out = append(out, path)
		}
	}
	return out
}

// unquoteMake undoes what LLVM's linker does to a path.
func unquoteMake(path string) string {
	return strings.NewReplacer(`\ `, " ", `\#`, "#", `$$`, "$", `\\`, `\`).Replace(path)
}
