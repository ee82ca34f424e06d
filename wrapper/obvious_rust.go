package wrapper

import "strings"

// obviousRust is obvious for rustc and clippy-driver, of which cargo asks several
// things before each build, and build scripts some more.
func obviousRust(args []string) string {
	for i, arg := range args {
		switch arg {
		case "-", "-V", "-vV", "-Vv", "--version", "-h", "--help", "--print", "--explain":
			return reasonQuery
		case "-C", "--codegen", "-W", "-Z":
			if i+1 < len(args) && args[i+1] == "help" {
				return reasonQuery
			}
		case "-Chelp", "-Whelp", "-Zhelp":
			return reasonQuery
		}
		if strings.HasPrefix(arg, "--print=") || strings.HasPrefix(arg, "--explain=") {
			return reasonQuery
		}
	}
	return ""
}

// speaksRust reports whether program is, by its name, rustc or clippy-driver.
func speaksRust(program string) bool {
	switch strings.TrimSuffix(base(program), ".exe") {
	case "rustc", "clippy-driver":
		return true
	}
	return false
}
