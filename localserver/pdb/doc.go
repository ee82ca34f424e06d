// Package pdb reads and writes what Microsoft's compilers leave behind for
// debuggers: COFF objects, the CodeView records in them, MSF containers, and the
// type-server PDBs that objects compiled with /Zi refer to.
//
// An object compiled with /Zi holds, in place of its types, one record that names
// a PDB by GUID, age and path, and symbols that number the types in that PDB. A
// Store is such a PDB that grows: Merge puts the types of another one into it and
// returns the Map from the old numbers to the new, and Compiled.Renumbered gives
// the object that goes with it. A link of objects so treated gives the bytes that a
// link of objects with their types inside (/Z7) gives.
//
// Every record kind whose numbers are not known here ends in an UnsupportedError,
// before anything is changed: the caller then leaves object and PDB as they are.
// Damaged input ends in an error that is ErrMalformed.
//
// Not modelled: symbol, module and source-line streams of a linked program's PDB,
// precompiled types inside objects (.debug$P), object files of link-time code
// generation, and PDB formats before MSF 7.00.
//
// Sources of fact: microsoft/microsoft-pdb, the LLVM project's description of the
// PDB file format, and PDBs and objects written by cl.exe 19.2x and 19.3x. Used by
// localserver/pdbsession. Values are not safe for concurrent use unless they say so.
package pdb
