// Package endpoint says where the local server of one view of the files is met,
// and is the wrapper's side of meeting it: dialling, the check of who is on the
// other end, the lock under which a server is started, and the marks that keep
// a server that hangs from being waited for twice. The server's side is package
// listen below it. Neither knows what is said over the connection (see wire).
//
// A server serves one view: a user, a group, a mount namespace and a cache
// directory. All four make the socket's name, so that two views never meet by
// accident. No file is read to find the place:
//
//	socket    = REXWRAP_SOCKET
//	          | XDG_RUNTIME_DIR "/rexwrap/" name   (* where that is ours, 0700 *)
//	          | "/tmp/rexwrap-" uid "/" name ;
//	name      = 16 hex digits ;                    (* FNV-1a of the view *)
//	cache dir = REXWRAP_CACHE_DIR
//	          | XDG_CACHE_HOME "/rexwrap"
//	          | HOME "/.cache/rexwrap"
//	          | "/tmp/rexwrap-" uid "/cache" ;     (* no HOME: no passwd is read *)
//
// Root passes over a XDG_CACHE_HOME and a HOME that belong to another user.
//
// A socket path that sockaddr_un cannot hold is replaced by one below
// /tmp/rexwrap-UID, named by its hash. Beside the socket lie
//
//	socket ".start"     locked by the wrapper that starts a server
//	socket ".held"      locked by the server as long as it listens
//	socket ".stalled"   its mtime is when a wrapper last waited in vain
//	socket ".slot" n    locked by one run of a compiler on this machine; the
//	                    server makes as many as may run at once
//	socket ".tray"      what wrappers have left for a server that need not
//	                    wake for it; it is there as long as the server is
//	socket ".queue"     locked by the wrapper that gets the next free slot
//
// and in the cache directory lies "lock", locked by the server and holding its
// socket's path in one line, so that a wrapper with another XDG_RUNTIME_DIR
// (ssh, cron, sudo) finds the server that already has the cache.
//
// The socket's directory must belong to the user, be closed to all others and
// be no symbolic link; it is created so. The peer must be the user or root.
//
// # Windows
//
// There the local part of the user's profile holds both, and the socket is a file
// that says where the server listens: at a pipe whose access list has the user
// alone, or, where REXWRAP_SOCKET is "tcp:127.0.0.1:PORT" (0 is any port), at a
// port for those who can read that file (see address_windows.go). The server takes
// the file away before it stops listening.
//
//	socket    = REXWRAP_SOCKET | local "\run\" name ;
//	cache dir = REXWRAP_CACHE_DIR | local "\cache" ;
//	local     = ( LOCALAPPDATA | USERPROFILE "\AppData\Local" | TEMP ) "\rexwrap" ;
//
// A lock is a file that is open for writing: others may read it only. The process
// on the other end of a pipe must be the user's.
//
// On Unix the package links neither net nor os nor time (see package proc for
// why); durations are milliseconds.
package endpoint
