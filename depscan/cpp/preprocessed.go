package cpp

import (
	"bytes"

	"github.com/rexwrap/rexwrap/depscan"
)

// preprocessed reports whether a language's sources are read as they are.
func preprocessed(language string) bool {
	switch language {
	case "cpp-output", "c++-cpp-output", "objective-c-cpp-output", "objc-cpp-output", "objective-c++-cpp-output",
		"objc++-cpp-output", "assembler":
		return true
	}
	return false
}

// scanPreprocessed returns the inputs of a source without directives: itself,
// unless it tells the assembler or the compiler to read others.
func scanPreprocessed(cfg *config, path string, files Files) (*depscan.Inputs, error) {
	data, d, err := files.Read(path, nil)
	if err != nil {
		return nil, stop("missing-source")
	}
	for word, reason := range map[string]string{".incbin": "incbin", ".include": "asm-include", "pch_preprocess": "pch"} {
		if bytes.Contains(data, []byte(word)) {
			return nil, stop(reason)
		}
	}
	in := &depscan.Inputs{}
	for word, id := range map[string]depscan.Identifiers{
		"__builtin_FILE": depscan.IdentFile, "__builtin_source_location": depscan.IdentFile,
		"__PRETTY_FUNCTION__": depscan.IdentSignature, "FUNCSIG": depscan.IdentSignature,
	} {
		if bytes.Contains(data, []byte(word)) {
			in.Identifiers |= id
		}
	}
	real := resolveLinks(path)
	in.Files = []depscan.File{{Path: trimDots(cfg.source), Real: real.path, Digest: d}}
	in.Symlinks = real.links
	return in, nil
}
