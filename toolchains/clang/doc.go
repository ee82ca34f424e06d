// Package clang is the command-line language of clang and clang++: the option
// table and the parser that makes a toolchains.Compile of a call. clang-cl,
// which speaks the language of cl.exe, is not of this family.
//
// What a call writes is derived by the driver's own rules, checked against
// clang 14 by this package's tests, which run it.
//
// Not modelled: languages other than C, C++, Objective-C(++), LLVM's own and
// assembler, linking, modules, code for accelerators, configuration files named
// by the call, and steps of distributed ThinLTO, which read the bitcode of
// further modules. The package reads files only where their content decides
// what a call does (response files) or to see that they are there (profiles,
// plugins, lists); it starts no process.
package clang
