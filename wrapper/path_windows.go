package wrapper

const (
	listSeparator = ';'
	// defaultPath is where programs are looked for when PATH is unset.
	defaultPath = ""
	// exeSuffix ends the names of programs.
	exeSuffix = ".exe"
)

func isSeparator(c byte) bool { return c == '/' || c == '\\' }

func isAbsolute(path string) bool {
	return len(path) > 0 && isSeparator(path[0]) || len(path) > 2 && path[1] == ':' && isSeparator(path[2])
}
