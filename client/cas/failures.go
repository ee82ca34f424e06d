package cas

import (
	"errors"
	"sync"

	"github.com/rexwrap/rexwrap/client/digest"
)

// failures collects the errors of one call's parts. All missing blobs become
// one error.
type failures struct {
	mu      sync.Mutex
	missing []digest.Digest
	others  []error
}

func (f *failures) add(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var missing *MissingError
	if errors.As(err, &missing) {
		f.missing = append(f.missing, missing.Digests...)
		return
	}
	f.others = append(f.others, err)
}

func (f *failures) err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	errs := f.others
	if len(f.missing) > 0 {
		errs = append(errs, &MissingError{distinct(f.missing)})
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
