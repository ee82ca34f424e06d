// Package pdbsession does what Microsoft's mspdbsrv does for compiles that share one
// PDB (cl.exe /Zi with one /Fd), when each of them has run with a PDB of its own:
// elsewhere, earlier, or here. It merges the private type servers into the PDB that the
// build expects and renumbers the objects, while they are put in place.
//
// A session is the time during which one PDB is open. It begins with the first member,
// a compile with that /Fd, and ends by Seal: when it has been idle, or when the server
// stops. No compiler writes the PDB meanwhile, because every member, also one that runs
// locally, has a private /Fd.
//
// A member is answered when the PDB that holds its types is on disk, so that a link may
// start when the last compile has returned; the caller then puts the object in place.
// Members that wait while the PDB is written are written together, as the next group.
//
// # The order of writes
//
// Up to Options.InPlace bytes the PDB is written anew beside its place and renamed. From
// there on it is changed in place: new blocks first, then the directory and the free map,
// and the superblock last (see pdb.Update). The server may be killed at any point: the PDB
// then holds the types of before or of after, both of which have those of all objects that
// are in place, since an object is put in place only afterwards.
//
// Like compilers, a session does not wait for the disk, unless Options.Durable is set. What
// a loss of power leaves is not trusted: the Journal tells a session that was not sealed
// from one of another run of the system, and the PDB is then begun anew with another GUID,
// so that an object never refers to types that were lost.
//
// # What can go wrong
//
//	event                                    what becomes of the member
//	record or symbol of unknown kind,        Private, "unknown-record"
//	  .debug$P
//	object without a type server             Plain
//	private PDB missing, damaged, of         ErrMismatch: compile it again
//	  another GUID or age
//	PDB locked by another process            Private, "locked", after Options.Patience
//	PDB held by another server               Private, "other-server"
//	PDB changed by another process           the session goes on if its types are still
//	                                         there, else Private, "changed"
//	PDB deleted, or an older one put back    begun anew, with another GUID
//	something else at the place of the PDB   Private, "foreign"
//	PDB cannot be written                    Private, "unwritable"
//	PDB at the limits of its format          Private, "full"
//
// A Private member keeps its own PDB, beside the object and under a name and a GUID that no
// other has.
//
// # Names of files
//
// A compile that had an object and a PDB of its own, on another machine perhaps, is put in
// place as if it had run where the build is: the name that an object has for itself, those
// of sources, and the texts of build records become those of here (Origin). Of a command
// line only the object and the PDB are renamed, and a Private member's PDB stays as it is.
// Edit and continue does not work with merged types.
//
// Not modelled: which compiles are members, and where they run (toolchains/msvc,
// localserver/pipeline). Used by localserver/materialize.
package pdbsession
