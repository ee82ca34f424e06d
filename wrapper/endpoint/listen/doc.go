// Package listen is the local server's side of package endpoint: it takes the
// cache directory for one server, listens where wrappers look, and lets nobody
// in but the user and root. It is a package of its own because it links net,
// which the wrapper must not.
package listen
