// Package filestate is the shared memory of what files hold: it answers "does
// this file still have that digest?" and "is that name still absent?" for the
// price of a stat. All requests of a local server share one State; depscan's
// scanners and localserver/pipeline use it.
package filestate
