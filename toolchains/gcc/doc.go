// Package gcc is the command-line language of gcc and g++: the option table and
// the parser that makes a toolchains.Compile of a call.
//
// What a call writes is derived by the driver's own rules, which changed with
// gcc 11 (-dumpbase); older versions step aside where the rules differ. Checked
// against gcc 12.2 by this package's tests, which run it.
//
// Not modelled: languages other than C, C++, Objective-C(++) and assembler,
// linking, modules, and the meaning of specs. The package reads files only where
// their content decides what a call does (response files, specs) or to see that
// they are there (profiles, plugins); it starts no process.
package gcc
