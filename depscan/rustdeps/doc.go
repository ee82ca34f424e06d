// Package rustdeps says what a compile of rustc has read, from what the run left:
// the dep-info that the call asked for, the metadata that it made, and the list
// of files that the linker writes when told to.
//
//	sources, include!, include_str!   dep-info
//	env!, option_env!                 dep-info, variables that were unset included
//	--extern                          the arguments
//	crates that those need            metadata holds the extra filenames of all
//	                                  crates that were loaded; files of the -L
//	                                  folders that bear one of these are taken
//	-l static=…, in archives          searched for as rustc does
//	what the linker reads             its own list (-Wl,--dependency-file, which
//	                                  leaves the output as it is)
//
// Beside the files, names that must stay absent are listed: the other place of a
// module's file, and libraries that would be found before those that were.
//
// Procedural macros can read what nobody tells: Collect reports that one was
// loaded, so that the caller puts the whole environment (Environment) into the key.
// A Trace of the run shows which files they looked for. Those become inputs, but for
// what the compiler looks for itself: its outputs, its own files, crates. Where there
// is no Trace all files of the package are inputs (PackageListing). What a Trace shows
// that no list of files can stand for is an error.
//
// Foresee says beforehand what a worker has to have, by a run for the dep-info
// alone; what it lacks fails there, and what it reports is compared. Respell and
// OnlyIncludes serve results that hold at several places.
//
// Not modelled: what a procedural macro asks the clock for and, without a Trace, the
// network, or reads outside its user's package; a crate that is replaced, while it is compressed in a
// dylib, by one with the same hash. Only calls that write a dep-info file are
// understood. Used by localserver/pipeline. Compared with rustc 1.63 and 1.95.
package rustdeps
