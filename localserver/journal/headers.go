package journal

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// A HeaderReport ranks what compiles read by what it costs to change it.
type HeaderReport struct {
	// Compiles is the number of compiles whose inputs are known: the latest
	// of each output.
	Compiles int `json:"compiles"`
	// Headers are the files beside the sources, the dearest first.
	Headers []Header `json:"headers"`
}

// A Header is one file that compiles read.
type Header struct {
	Path     string `json:"path"` // absolute
	Compiles int    `json:"compiles"`
	// Seconds is the CPU time of those compiles, as far as it is known:
	// what must be spent again when the file changes.
	Seconds float64 `json:"seconds"`
}

// Headers ranks the files below the absolute directory dir, all files where it is
// empty.
func (j *Journal) Headers(dir string) *HeaderReport {
	report := &HeaderReport{Headers: []Header{}}
	seen := make(map[string]bool)
	byPath := make(map[string]*Header)
	for r := range j.Down() {
		name := cmp.Or(r.Output, r.sourcePath())
		if r.Key == nil || r.Key.Inputs.IsZero() || seen[name] {
			continue
		}
		list := j.list(r.Key.Inputs)
		if list == nil {
			continue
		}
		seen[name] = true
		report.Compiles++
		r.addHeaders(list, dir, byPath)
	}
	for _, h := range byPath {
		report.Headers = append(report.Headers, *h)
	}
	slices.SortFunc(report.Headers, func(a, b Header) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(b.Compiles, a.Compiles), cmp.Compare(a.Path, b.Path))
	})
	return report
}

// addHeaders counts r for each file of list but the source.
func (r *Record) addHeaders(list *InputList, dir string, byPath map[string]*Header) {
	cost := r.compiling().Seconds()
	source := filepath.Clean(r.sourcePath())
	for _, f := range list.Files {
		path := f.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(r.Dir, path)
		}
		path = filepath.Clean(path)
		if path == source || dir != "" && !strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/") {
			continue
		}
		h := byPath[path]
		if h == nil {
			h = &Header{Path: path}
			byPath[path] = h
		}
		h.Compiles++
		h.Seconds += cost
	}
}
