package endpoint

// A Conn is a connection to the server.
type Conn struct{}

// Dial returns ErrUnsupported.
func (p Place) Dial(int) (*Conn, error) { return nil, ErrUnsupported }

// DialNow returns ErrUnsupported.
func (p Place) DialNow() (*Conn, error) { return nil, ErrUnsupported }

// SetTimeout returns ErrUnsupported.
func (c *Conn) SetTimeout(int) error { return ErrUnsupported }

// Read returns ErrUnsupported.
func (c *Conn) Read([]byte) (int, error) { return 0, ErrUnsupported }

// Write returns ErrUnsupported.
func (c *Conn) Write([]byte) (int, error) { return 0, ErrUnsupported }

// Close does nothing.
func (c *Conn) Close() error { return nil }

func private(string, int) bool { return false }

func foreign(string, int) bool { return false }
