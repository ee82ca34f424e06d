//go:build !linux

package ask

import (
	"os"
	"time"
)

// A stamp changes whenever a name appears in a directory or goes.
type stamp struct{ changed time.Time }

// stampOf reports that there is none: file systems of these systems find names
// in other spellings than they list, so that each name is looked up.
func stampOf(os.FileInfo) (stamp, bool) { return stamp{}, false }
