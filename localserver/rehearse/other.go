//go:build !linux || !(amd64 || arm64)

package rehearse

import "context"

// Confine fails: there is nothing to confine a program by.
func Confine([]string) int { return 126 }

func (x *execution) run(context.Context, []string) (*Report, error) { return nil, ErrUnavailable }
