package wrapper

import "strings"

// A streamFilter takes something out of what a compiler says.
type streamFilter interface {
	// take returns what is certain to stay after p has come.
	take(p []byte) []byte
	// rest returns what was held back, at the end of the stream.
	rest() []byte
}

// A textFilter takes every occurrence of some texts out: an argument that was
// added, where the compiler quotes its command line. The first of them it replaces
// by others. Texts that end alike do not overlap.
type textFilter struct {
	texts   []string
	instead []string
	held    string // what may become one of texts
}

func (f *textFilter) take(p []byte) []byte {
	text := f.held + string(p)
	for i, hidden := range f.texts {
		other := ""
		if i < len(f.instead) {
			other = f.instead[i]
		}
		text = strings.ReplaceAll(text, hidden, other)
	}
	keep := f.pending(text)
	f.held = text[len(text)-keep:]
	return []byte(text[:len(text)-keep])
}

// pending returns how much of text's end could be the beginning of a hidden text.
func (f *textFilter) pending(text string) int {
	longest := 0
	for _, hidden := range f.texts {
		for n := min(len(hidden)-1, len(text)); n > longest; n-- {
			if strings.HasSuffix(text, hidden[:n]) {
				longest = n
			}
		}
	}
	return longest
}

func (f *textFilter) rest() []byte {
	out := []byte(f.held)
	f.held = ""
	return out
}
