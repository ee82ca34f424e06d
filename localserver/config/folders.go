package config

import (
	"path/filepath"
	"runtime"

	"github.com/rexwrap/rexwrap/toolchains"
)

// folders are the user's folders by the environment of one call. They are
// empty where the environment does not say.
type folders struct {
	home, config, state, cache string
}

func foldersOf(env toolchains.Environ) folders {
	if runtime.GOOS == "windows" {
		local := env.Value("LOCALAPPDATA")
		return folders{
			home: env.Value("USERPROFILE"), config: below(env.Value("APPDATA"), "rexwrap"),
			state: below(local, "rexwrap", "state"), cache: below(local, "rexwrap", "cache"),
		}
	}
	home := absolute(env.Value("HOME"))
	return folders{
		home:   home,
		config: below(either(env.Value("XDG_CONFIG_HOME"), below(home, ".config")), "rexwrap"),
		state:  below(either(env.Value("XDG_STATE_HOME"), below(home, ".local", "state")), "rexwrap"),
		cache:  below(either(env.Value("XDG_CACHE_HOME"), below(home, ".cache")), "rexwrap"),
	}
}

// either returns a if it is an absolute path, else b: the XDG specification
// has relative ones ignored.
func either(a, b string) string {
	if absolute(a) != "" {
		return a
	}
	return b
}

func absolute(p string) string {
	if !filepath.IsAbs(p) {
		return ""
	}
	return p
}

func below(dir string, names ...string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(append([]string{dir}, names...)...)
}

func (f folders) userFile() string  { return below(f.config, "config.toml") }
func (f folders) trustFile() string { return below(f.state, "trusted") }
