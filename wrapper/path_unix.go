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

// shortestName is the length of the shortest name of a variable.
const shortestName = 0

// sameName reports whether a and b name one environment variable.
func sameName(a, b string) bool { return a == b }

// foldName returns what is equal for two names of one file.
func foldName(name string) string { return name }

// isOption holds for an argument that no compiler is called.
func isOption(arg string) bool { return len(arg) > 0 && arg[0] == '-' }

// plainNames are the compilers of C and of C++ that CC=rexwrap stands for by
// default.
func plainNames([]string) (c, cPlusPlus string) { return "cc", "c++" }

// spellings are the files that a program called name may be.
func spellings(name string) [1]string { return [1]string{name} }

// fullPath returns an absolute path as the system has it.
func fullPath(path string) string { return path }

// override returns a compiler that goes before those on PATH, empty for none.
func override(string, environ) string { return "" }

// systemReads holds for the variables that a server's libraries read.
func systemReads(name string) bool {
	switch name {
	case "HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy":
		return true
	}
	return false
}
