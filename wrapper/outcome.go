package wrapper

import "github.com/rexwrap/rexwrap/wrapper/wire"

// An outcome is how a compiler ended that we ran as a child.
type outcome struct {
	wire.Ran
	kept bool // Chunks were not passed on
}

// say passes on what was kept.
func (o *outcome) say() {
	if !o.kept {
		return
	}
	o.kept = false
	for _, chunk := range o.Chunks {
		if replay(chunk) != nil {
			return // nobody reads it any more
		}
	}
}
