package trace

import (
	"encoding/json"
	"os"

	"github.com/rexwrap/rexwrap/depscan/rustdeps"
)

// Verb is the first argument by which this program is told to call Main with the
// words that follow.
const Verb = "trace-compile"

// A Tracer has compiles traced by this program. It is safe for concurrent use.
type Tracer struct {
	self string
	file os.FileInfo
}

// New returns a Tracer, nil where this system cannot trace.
func New() *Tracer {
	if !available() {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	file, err := os.Stat(self)
	if err != nil {
		return nil
	}
	return &Tracer{self, file}
}

// Argv returns the command by which p is run. It reports false where nothing can be
// traced: t is nil, or the file of this program is another one by now.
func (t *Tracer) Argv(p *Plan) ([]string, bool) {
	if t == nil {
		return nil, false
	}
	now, err := os.Stat(t.self)
	if err != nil || !os.SameFile(now, t.file) || now.Size() != t.file.Size() || !now.ModTime().Equal(t.file.ModTime()) {
		return nil, false
	}
	return append([]string{t.self, Verb}, p.words()...), true
}

// ReadReport returns what a traced run has reported, nil where it was not traced
// from beginning to end.
func ReadReport(path string) *rustdeps.Trace {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	t := &rustdeps.Trace{}
	if json.Unmarshal(text, t) != nil {
		return nil
	}
	return t
}
