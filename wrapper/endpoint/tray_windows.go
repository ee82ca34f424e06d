package endpoint

// Leave returns ErrUnsupported: messages are sent.
func (Place) Leave([]byte) error { return ErrUnsupported }
