package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
)

// folders are the user's folders by the environment of one call. They are
// empty where the environment does not say. They are looked up one by one, as
// most calls need only one.
type folders struct{ env toolchains.Environ }

func (f folders) home() string {
	if runtime.GOOS == "windows" {
		return f.env.Value("USERPROFILE")
	}
	return absolute(f.env.Value("HOME"))
}

func (f folders) userFile() string {
	if runtime.GOOS == "windows" {
		return below(f.env.Value("APPDATA"), "rexwrap", "config.toml")
	}
	return below(f.xdg("XDG_CONFIG_HOME", ".config"), "rexwrap", "config.toml")
}

func (f folders) trustFile() string {
	if runtime.GOOS == "windows" {
		return below(f.env.Value("LOCALAPPDATA"), "rexwrap", "state", "trusted")
	}
	return below(f.xdg("XDG_STATE_HOME", ".local", "state"), "rexwrap", "trusted")
}

func (f folders) cache() string {
	if runtime.GOOS == "windows" {
		return below(f.env.Value("LOCALAPPDATA"), "rexwrap", "cache")
	}
	return below(f.xdg("XDG_CACHE_HOME", ".cache"), "rexwrap")
}

// xdg returns the folder that the variable names, else the one in the home
// directory. The XDG specification has relative ones ignored.
func (f folders) xdg(variable string, inHome ...string) string {
	if dir := absolute(f.env.Value(variable)); dir != "" {
		return dir
	}
	return below(f.home(), inHome...)
}

func absolute(p string) string {
	if !filepath.IsAbs(p) {
		return ""
	}
	return p
}

// below joins dir, which may be empty for none, and names, which are clean.
func below(dir string, names ...string) string {
	if dir == "" {
		return ""
	}
	const sep = string(os.PathSeparator)
	return strings.TrimRight(dir, sep) + sep + strings.Join(names, sep)
}
