//go:build !linux

package ask

import (
	"os"
	"time"
)

// A stamp changes whenever a name appears in a directory or goes.
type stamp struct{}

// age is not asked for.
func (stamp) age() time.Duration { return 0 }

// stampOf reports that no directory has a stamp: file systems of these systems
// find names in other spellings than they list, so that each name is looked up.
// missing is set where there is no directory.
func stampOf(dir string) (s stamp, known, missing bool) {
	info, err := os.Stat(dir)
	return stamp{}, false, err == nil && !info.IsDir() || os.IsNotExist(err)
}
