package wrapper

import (
	"slices"
	"strings"
	"syscall"
)

const (
	listSeparator = ';'
	// defaultPath is where programs are looked for when PATH is unset.
	defaultPath = ""
	// exeSuffix ends the names of programs.
	exeSuffix = ".exe"
	// shortestName is the length of the shortest name of a variable: cmd keeps
	// the directory of a drive in one that is called "=C:".
	shortestName = 1
)

func isSeparator(c byte) bool { return c == '/' || c == '\\' }

// isAbsolute holds for a path with a drive and for one of a share.
func isAbsolute(path string) bool {
	return len(path) > 2 && path[1] == ':' && isSeparator(path[2]) ||
		len(path) > 2 && isSeparator(path[0]) && isSeparator(path[1])
}

// sameName reports whether a and b name one environment variable.
func sameName(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// foldName returns what is equal for two names of one file.
func foldName(name string) string { return strings.ToLower(name) }

// isOption holds for an argument that no compiler is called.
func isOption(arg string) bool { return len(arg) > 0 && (arg[0] == '-' || arg[0] == '/') }

// plainNames are the compilers of C and of C++ that CC=rexwrap stands for by
// default: who writes options with a slash means cl.exe.
func plainNames(args []string) (c, cPlusPlus string) {
	if slices.ContainsFunc(args, func(arg string) bool { return arg[:min(1, len(arg))] == "/" }) {
		return "cl", "cl"
	}
	return "cc", "c++"
}

// spellings are the files that a program called name may be. Batch files are
// among them, because shells would run them.
func spellings(name string) []string {
	if i := strings.LastIndexByte(base(name), '.'); i > 0 {
		switch foldName(base(name)[i:]) {
		case exeSuffix, ".com", ".bat", ".cmd":
			return []string{name}
		}
	}
	return []string{name + exeSuffix, name + ".com", name + ".bat", name + ".cmd"}
}

// fullPath returns an absolute path as the system has it: with one kind of
// separator, and without dots.
func fullPath(path string) string {
	full, err := syscall.FullPath(path)
	if err != nil {
		return path
	}
	return full
}

// override returns a compiler that goes before those on PATH, empty for none.
// MSBuild calls our cl.exe by its path and says nothing of the one it stands
// for: that is REXWRAP_CL, else the one of the tools that the environment was
// set up for.
func override(name string, env environ) string {
	if strings.TrimSuffix(foldName(name), exeSuffix) != "cl" {
		return ""
	}
	if cl := env.get("REXWRAP_CL"); cl != "" {
		return cl
	}
	tools, host, target := env.get("VCToolsInstallDir"), env.get("VSCMD_ARG_HOST_ARCH"), env.get("VSCMD_ARG_TGT_ARCH")
	if tools == "" || host == "" || target == "" {
		return ""
	}
	return strings.TrimSuffix(tools, `\`) + `\bin\Host` + host + `\` + target + `\cl.exe`
}

// systemReads holds for the variables that a server, and what it asks, reads.
func systemReads(name string) bool {
	switch strings.ToUpper(name) {
	case "HOME", "USERPROFILE", "USERNAME", "LOCALAPPDATA", "APPDATA", "PROGRAMDATA", "PATH", "PATHEXT", "TEMP", "TMP",
		"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "NO_PROXY":
		return true
	}
	return false
}
