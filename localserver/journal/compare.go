package journal

import (
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
)

// comparison collects what differs between the keys of two records.
type comparison struct {
	lists   func(digest.Digest) *InputList // nil for a list that is gone
	changes []Change
	notes   []string
}

// compare returns all differences from was to is, in the order of Cause. Both
// have a Key.
func (j *Journal) compare(was, is *Record) ([]Change, []string) {
	c := comparison{lists: j.list}
	c.toolchain(was, is)
	c.arguments(was.Key.Args, is.Key.Args)
	c.variables(was.Key.Env, is.Key.Env)
	if was.Key.Dir != is.Key.Dir {
		c.add(ChangeDirectory, is.Key.Dir, was.Key.Dir, is.Key.Dir)
	}
	if was.Key.Source != is.Key.Source {
		c.add(ChangeSource, is.Source, was.Key.Source.String(), is.Key.Source.String())
	}
	c.inputs(was, is)
	return c.changes, c.notes
}

func (c *comparison) add(kind, name, was, is string) {
	c.changes = append(c.changes, Change{Kind: kind, Name: name, Old: was, New: is})
}

func (c *comparison) toolchain(was, is *Record) {
	if was.Key.Toolchain == is.Key.Toolchain {
		return
	}
	if was.Compiler != is.Compiler {
		c.add(ChangeCompiler, is.Compiler, was.Compiler, is.Compiler)
	}
	before := len(c.changes)
	a, b := c.lists(was.Key.Programs), c.lists(is.Key.Programs)
	if a != nil && b != nil {
		moved := common(a.Files, b.Files)
		eachDifference(a.Files, b.Files, func(path string, was, is digest.Digest) {
			if was.IsZero() && moved[is] || is.IsZero() && moved[was] {
				return // the same program under another name, like the driver
			}
			c.add(ChangeProgram, path, text(was), text(is))
		})
	}
	if len(c.changes) == before && was.Compiler == is.Compiler {
		c.add(ChangeProgram, is.Compiler, was.Key.Toolchain.String(), is.Key.Toolchain.String())
		if a == nil || b == nil {
			c.notes = append(c.notes, "which of the compiler's programs changed is no longer known")
		}
	}
}

// common returns the digests that both lists have.
func common(a, b []Input) map[digest.Digest]bool {
	in, both := map[digest.Digest]bool{}, map[digest.Digest]bool{}
	for _, f := range a {
		in[f.Digest] = true
	}
	for _, f := range b {
		both[f.Digest] = in[f.Digest]
	}
	return both
}

// text returns d as shown, empty for no file.
func text(d digest.Digest) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// eachDifference walks two lists sorted by path. A file that one of them lacks
// has the zero digest there.
func eachDifference(a, b []Input, differ func(path string, was, is digest.Digest)) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Path < b[0].Path:
			differ(a[0].Path, a[0].Digest, digest.Digest{})
			a = a[1:]
		case len(a) == 0 || b[0].Path < a[0].Path:
			differ(b[0].Path, digest.Digest{}, b[0].Digest)
			b = b[1:]
		default:
			if a[0].Digest != b[0].Digest {
				differ(a[0].Path, a[0].Digest, b[0].Digest)
			}
			a, b = a[1:], b[1:]
		}
	}
}

func (c *comparison) variables(was, is []Variable) {
	old := map[string]uint32{}
	for _, v := range was {
		old[v.Name] = v.Sum
	}
	for _, v := range is {
		sum := old[v.Name]
		delete(old, v.Name)
		switch {
		case sum == v.Sum:
		case sum == 0:
			c.add(ChangeVariableSet, v.Name, "", "")
		case v.Sum == 0:
			c.add(ChangeVariableUnset, v.Name, "", "")
		default:
			c.add(ChangeVariable, v.Name, "", "")
		}
	}
	for _, v := range was {
		if sum, gone := old[v.Name]; gone && sum != 0 {
			c.add(ChangeVariableUnset, v.Name, "", "")
		}
	}
}

func (c *comparison) inputs(was, is *Record) {
	if was.Key.Inputs == is.Key.Inputs {
		return
	}
	if !was.Key.complete() || !is.Key.complete() {
		c.notes = append(c.notes, "the files that a compile reads are known only once it has succeeded")
		return
	}
	a, b := c.lists(was.Key.Inputs), c.lists(is.Key.Inputs)
	if a == nil || b == nil {
		c.add(ChangeInputsNotKnown, is.Source, text(was.Key.Inputs), text(is.Key.Inputs))
		c.notes = append(c.notes, "the list of files that one of the two compiles read is no longer kept")
		return
	}
	source := is.Source
	eachDifference(a.Files, b.Files, func(path string, old, now digest.Digest) {
		switch {
		case path == source: // said already
		case now.IsZero():
			c.add(ChangeInputRemoved, path, text(old), "")
		case !old.IsZero():
			c.add(ChangeInput, path, text(old), text(now))
		case hasAbsent(a.Absent, path):
			c.add(ChangeInputAppeared, path, "", text(now))
		default:
			c.add(ChangeInputAdded, path, "", text(now))
		}
	})
}

// hasAbsent reports whether path, or a folder that it is in, was absent.
func hasAbsent(absent []string, path string) bool {
	for {
		if _, found := slices.BinarySearch(absent, path); found {
			return true
		}
		slash := strings.LastIndexByte(path, '/')
		if slash <= 0 {
			return false
		}
		path = path[:slash]
	}
}

// maxAligned bounds the lists whose arguments are aligned one by one.
const maxAligned = 2000

// arguments aligns two argument lists by their longest common subsequence.
func (c *comparison) arguments(was, is []string) {
	if slices.Equal(was, is) {
		return
	}
	if slices.Equal(slices.Sorted(slices.Values(was)), slices.Sorted(slices.Values(is))) {
		i := 0
		for was[i] == is[i] {
			i++
		}
		c.add(ChangeArgOrder, is[i], was[i], is[i])
		return
	}
	for len(was) > 0 && len(is) > 0 && was[0] == is[0] {
		was, is = was[1:], is[1:]
	}
	for len(was) > 0 && len(is) > 0 && was[len(was)-1] == is[len(is)-1] {
		was, is = was[:len(was)-1], is[:len(is)-1]
	}
	if len(was) > maxAligned || len(is) > maxAligned {
		c.run(was, is)
		return
	}
	c.align(was, is)
}

func (c *comparison) align(was, is []string) {
	length := commonLengths(was, is)
	i, j := 0, 0
	for i < len(was) || j < len(is) {
		fromI, fromJ := i, j
		for i < len(was) || j < len(is) {
			if i < len(was) && j < len(is) && was[i] == is[j] {
				break
			}
			if j == len(is) || i < len(was) && length[i+1][j] >= length[i][j+1] {
				i++
			} else {
				j++
			}
		}
		c.run(was[fromI:i], is[fromJ:j])
		if i < len(was) && j < len(is) {
			i, j = i+1, j+1
		}
	}
}

// commonLengths returns the table whose element i, j is the length of the
// longest common subsequence of a[i:] and b[j:].
func commonLengths(a, b []string) [][]uint16 {
	t := make([][]uint16, len(a)+1)
	for i := range t {
		t[i] = make([]uint16, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				t[i][j] = t[i+1][j+1] + 1
			} else {
				t[i][j] = max(t[i+1][j], t[i][j+1])
			}
		}
	}
	return t
}

// run reports that the arguments was stood where the arguments is stand now.
func (c *comparison) run(was, is []string) {
	if len(was) == len(is) {
		for i := range was {
			if alike(was[i], is[i]) {
				c.add(ChangeArg, is[i], was[i], is[i])
			} else {
				c.add(ChangeArgRemoved, was[i], was[i], "")
				c.add(ChangeArgAdded, is[i], "", is[i])
			}
		}
		return
	}
	for _, arg := range was {
		c.add(ChangeArgRemoved, arg, arg, "")
	}
	for _, arg := range is {
		c.add(ChangeArgAdded, arg, "", arg)
	}
}

// alike reports whether two arguments look like one option with two values.
func alike(a, b string) bool {
	if name, _, ok := strings.Cut(a, "="); ok && len(name) > 2 {
		return strings.HasPrefix(b, name+"=")
	}
	return strings.HasPrefix(a, "-O") && strings.HasPrefix(b, "-O") || strings.HasPrefix(a, "-g") && strings.HasPrefix(b, "-g")
}
