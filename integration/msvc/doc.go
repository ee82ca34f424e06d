// Package msvc tests what rexwrap does with cl.exe's objects and PDBs by what linkers
// make of them: a link of objects whose types were merged into one type server must
// give the bytes that a link of the same objects with their types inside gives. It
// holds no other code.
package msvc
