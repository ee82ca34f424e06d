package wrapper

import (
	"strings"

	"github.com/rexwrap/rexwrap/wrapper/endpoint"
)

// serverEnv is what a server gets of the environment: where things are, our own
// settings, and what TLS and proxies need. A server answers many builds, and
// must not depend on which one started it. Settings that are relative to this
// process's working directory are made absolute.
func serverEnv(env environ, place endpoint.Place) environ {
	var out environ
	for _, kv := range env {
		if serverReads(nameOf(kv)) {
			out = append(out, kv)
		}
	}
	if dir := env.get("REXWRAP_CACHE_DIR"); dir != "" {
		out = out.with("REXWRAP_CACHE_DIR=" + place.CacheDir)
	}
	if socket := env.get("REXWRAP_SOCKET"); socket != "" && !isAbsolute(socket) && place.Address == "" {
		out = out.with("REXWRAP_SOCKET=" + place.Socket)
	}
	return out
}

func serverReads(name string) bool {
	if sameName(name, guardVariable) || sameName(name, slotVariable) {
		return false
	}
	return systemReads(name) || strings.HasPrefix(name, "REXWRAP_") || strings.HasPrefix(name, "XDG_")
}
