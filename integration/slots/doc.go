// Package slots runs many compiles at once with the released binaries and a
// remote (client/clienttest, in this process): however many a build has under
// way, all of them end, and never more run on this machine than local_jobs, also
// while the remote, the local server or both die.
package slots
