// Package depscan says what a compile reads: every file, and every name that it
// looks for and does not find. The exact scanner is depscan/cpp; depscan/ask
// takes the answer from the compiler itself; depscan/filestate remembers the
// digests. All are used by localserver/pipeline.
package depscan

import (
	"context"
	"errors"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// Inputs is what one compile reads and looks for. Paths are as the compiler
// spells them: relative ones are relative to the call's working directory.
type Inputs struct {
	// Files are the files read, in the order the compiler lists them in
	// `-E -MD`, the source first. No path occurs twice.
	Files []File
	// Probed are files that were found but not read as text: by
	// __has_include, as identical copies under #pragma once, by .incbin,
	// as precompiled headers, as files named by arguments. Their content
	// is in the key like that of Files.
	Probed []File
	// Absent are names that were looked for and did not exist, sorted; one
	// with a slash at its end stands for a directory and all names in it. A
	// compile that would find one of them needs a new scan.
	Absent []string
	// Dirs are directories that must exist for the search to go the same
	// way, although no file in them is read: -I directories, "x/..".
	Dirs []string
	// Symlinks are the symbolic links on the way to Files and Probed.
	Symlinks []Symlink
	// Identifiers are those whose expansion the text can contain.
	Identifiers Identifiers
	// Opened is set where File.Opened is known.
	Opened bool
	// Fallbacks are the reasons why this answer is not the exact
	// scanner's, empty where it is.
	Fallbacks []string
}

// A File is one file of Inputs.
type File struct {
	Path   string // as spelled
	Real   string // absolute, without symbolic links; may be empty if equal to Path
	Digest digest.Digest
	// Opened is the name under which the compiler finds the file where Path
	// is another one, the real path that gcc prefers for being shorter: "..."
	// if there are several.
	Opened string
	// System is set for files that -MMD leaves out.
	System bool
	// Unread is set for files that clang lists though it need not read them:
	// __has_include found them, or #pragma once kept them out under this name.
	Unread bool
	// ModTime is the modification time, in seconds since 1970, where the
	// compiler looks at it (clang's precompiled headers), else 0: it belongs
	// to what must not change, like Digest.
	ModTime int64
}

// A Symlink is one symbolic link.
type Symlink struct{ Path, Target string }

// Identifiers is a set of predefined identifiers that carry a path or a time
// into the text.
type Identifiers uint16

const (
	// IdentFile: __FILE__, __builtin_FILE, __builtin_source_location.
	IdentFile Identifiers = 1 << iota
	// IdentBaseFile: __BASE_FILE__.
	IdentBaseFile
	// IdentDate: __DATE__.
	IdentDate
	// IdentTime: __TIME__.
	IdentTime
	// IdentTimestamp: __TIMESTAMP__, the source's modification time.
	IdentTimestamp
	// IdentCounter: __COUNTER__ in text. Carries nothing by itself.
	IdentCounter
	// IdentSignature: __PRETTY_FUNCTION__, __FUNCSIG__. clang spells in them the
	// files of lambdas and of types without a name, as in "T = (lambda at
	// /src/x.cc:4:28)", and clang 14 maps no prefix there. gcc names no file.
	IdentSignature
	// IdentAssertion: the same, but nowhere else than in what assert makes of its
	// argument: the text reaches the result as it is or not at all.
	IdentAssertion
)

// ErrFallback is wrapped by a Scanner's error when it must give up on a
// compile: the caller takes the answer from elsewhere. Its text says why.
var ErrFallback = errors.New("scan fell back")

// A Scanner finds Inputs before the compile runs. Implementations are safe for
// concurrent use. An error that wraps ErrFallback is normal.
type Scanner interface {
	Scan(ctx context.Context, c *toolchains.Compile) (*Inputs, error)
}
