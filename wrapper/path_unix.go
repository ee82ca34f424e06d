//go:build unix

package wrapper

const (
	listSeparator = ':'
	// defaultPath is where programs are looked for when PATH is unset.
	defaultPath = "/bin:/usr/bin"
	// exeSuffix ends the names of programs.
	exeSuffix = ""
)

func isSeparator(c byte) bool { return c == '/' }

func isAbsolute(path string) bool { return len(path) > 0 && path[0] == '/' }
