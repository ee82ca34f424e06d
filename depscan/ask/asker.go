package ask

import (
	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan/filestate"
	"github.com/rexwrap/rexwrap/toolchains"
)

// Files is the view of the file system that an answer rests on; *filestate.State
// implements it. Paths are absolute.
type Files interface {
	// Digest returns the digest of a regular file.
	Digest(path string) (digest.Digest, error)
	// DigestSince is Digest; settled reports that the file surely has not
	// changed since m.
	DigestSince(path string, m filestate.Mark) (d digest.Digest, settled bool, err error)
	// Lookup says what path leads to.
	Lookup(path string) filestate.Kind
}

// Options are the settings of an Asker. The zero value is usable.
type Options struct {
	// TextLimit bounds the memory, in bytes, that is spent on remembering
	// what files mention; 0 stands for 64 MiB.
	TextLimit int
	// ModTimes is set by a caller that keeps depscan.File.ModTime in its
	// keys. Without it, compiles that depend on such times are reported as
	// not cacheable.
	ModTimes bool
	// Run runs the compiler where the user's dep-file cannot be made of a
	// full list. Without it such files name headers too many.
	Run toolchains.Runner
}

// An Asker makes Plans. What it learns of files is shared by all of them. It is
// safe for concurrent use.
type Asker struct {
	texts *texts
	dirs  *listings
	run   toolchains.Runner
	// modTimes is Options.ModTimes.
	modTimes bool
}

// New returns an Asker.
func New(o Options) *Asker {
	if o.TextLimit <= 0 {
		o.TextLimit = 64 << 20
	}
	return &Asker{texts: newTexts(o.TextLimit), dirs: newListings(), run: o.Run, modTimes: o.ModTimes}
}
