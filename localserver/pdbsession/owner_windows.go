package pdbsession

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// own makes this process the only server that writes the PDB with key, by the existence of
// a named mutex. It returns errOwned where another one is.
func own(_, key string) (release func(), err error) {
	name, err := windows.UTF16PtrFromString(`Local\rexwrap-pdb-` + key)
	if err != nil {
		return nil, fmt.Errorf("own PDB: %w", err)
	}
	h, err := windows.CreateMutex(nil, false, name)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		windows.CloseHandle(h)
		return nil, errOwned
	}
	if err != nil {
		return nil, fmt.Errorf("own PDB: %w", err)
	}
	return func() { windows.CloseHandle(h) }, nil
}
