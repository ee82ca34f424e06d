// Package rust builds Rust with the released binaries, real rustc and cargo, and
// compares with what they make by themselves: a workspace with every kind of
// crate, built plain, cold and warm; and single compiles in which one thing
// changes that must not go unnoticed.
//
// It takes Debian's rustc and cargo, which no proxy stands before, and no crate
// from a registry.
package rust
