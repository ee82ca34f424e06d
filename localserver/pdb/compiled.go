package pdb

import (
	"bytes"
	"errors"
)

// A Compiled is an object with CodeView sections, as /Zi writes it.
type Compiled struct {
	object *Object
	types  int // number of its .debug$T
	server TypeServer
	fixed  error // why it cannot be renumbered, nil if it can
}

// ErrNoTypeServer says that an object names no PDB: it holds its types itself, or
// none.
var ErrNoTypeServer = errors.New("object names no type server")

// ParseCompiled reads an object that names a type server. One that names none is
// ErrNoTypeServer. It keeps data.
func ParseCompiled(data []byte) (*Compiled, error) {
	object, err := ParseObject(data)
	if err != nil {
		return nil, err
	}
	c := &Compiled{object: object, types: -1}
	for i, s := range object.Sections() {
		switch s.Name {
		case precompiledName, hashesSection:
			c.fixed = &UnsupportedError{What: "section " + s.Name}
		case typesSection:
			if c.types >= 0 {
				return nil, &UnsupportedError{What: "second section " + s.Name}
			}
			c.types = i
		}
	}
	if c.types < 0 {
		return nil, ErrNoTypeServer
	}
	server, ok, err := readTypeServer(object.Sections()[c.types].Data)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNoTypeServer
	}
	c.server = server
	return c, nil
}

// TypeServer returns what the object says of its PDB.
func (c *Compiled) TypeServer() TypeServer { return c.server }

// WithTypeServer returns the object with ts in place of its own type server and with
// all numbers as they are.
func (c *Compiled) WithTypeServer(ts TypeServer) ([]byte, error) {
	section, err := ts.Section()
	if err != nil {
		return nil, err
	}
	return c.object.Replace(map[int][]byte{c.types: section})
}

// Renumbered returns the object with ts in place of its own type server and with all
// numbers of its symbols translated by m. An object with precompiled types or hashes of
// types, which would no longer fit, is an UnsupportedError, and so is one with a symbol
// of unknown kind; Renumberable tells them beforehand.
func (c *Compiled) Renumbered(m *Map, ts TypeServer) ([]byte, error) {
	if c.fixed != nil {
		return nil, c.fixed
	}
	section, err := ts.Section()
	if err != nil {
		return nil, err
	}
	content := map[int][]byte{c.types: section}
	for i, s := range c.object.Sections() {
		if s.Name != symbolsSection {
			continue
		}
		data := bytes.Clone(s.Data)
		if err := VisitSymbolNumbers(data, m.translate); err != nil {
			return nil, err
		}
		content[i] = data
	}
	return c.object.Replace(content)
}

// Renumberable returns the error that Renumbered would have for any Map.
func (c *Compiled) Renumberable() error {
	if c.fixed != nil {
		return c.fixed
	}
	for _, s := range c.object.Sections() {
		if s.Name != symbolsSection {
			continue
		}
		if err := VisitSymbolNumbers(s.Data, func(Space, []byte) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}
