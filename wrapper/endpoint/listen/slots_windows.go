package listen

import "github.com/rexwrap/rexwrap/wrapper/endpoint"

// Slots keeps no slot files: no wrapper looks for them here.
type Slots struct{}

// NewSlots returns Slots that do nothing.
func NewSlots(endpoint.Place) *Slots { return &Slots{} }

// Keep does nothing.
func (s *Slots) Keep(int) error { return nil }

// Discard does nothing.
func (s *Slots) Discard() error { return nil }
