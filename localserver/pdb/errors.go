package pdb

import (
	"errors"
	"fmt"
)

// ErrMalformed is in the chain of every error about bytes that cannot be what they
// should be.
var ErrMalformed = errors.New("malformed")

func malformed(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrMalformed)...)
}

// An UnsupportedError names something that is well-formed as far as can be seen, but
// whose meaning this package does not know.
type UnsupportedError struct {
	// What is "type record", "symbol", "subsection", "object", "feature" or "section".
	What string
	// Kind is its number; 0 where it has none.
	Kind uint32
}

func (e *UnsupportedError) Error() string {
	if e.Kind == 0 {
		return "unsupported " + e.What
	}
	return fmt.Sprintf("unsupported %s %#04x", e.What, e.Kind)
}
