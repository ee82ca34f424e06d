// Package probe asks gcc, clang and clang-cl what holds for a class of flags: where they
// search for headers, which macros they predefine, which headers they include by
// themselves, and what they answer to __has_builtin and its like.
//
// All compiles whose flags of the class are equal share one answer, which is one
// compiler process of 10 to 15 ms, kept in a toolchains.Memory. What a call adds by
// -I, -D and their like, and by CPATH and its like, is not in the answer: the
// scanner applies it. The directories of clang-cl's -imsvc and INCLUDE are in it.
//
// An answer is used as long as the toolchain is the same, the same search
// directories exist, those that were one directory still are, and the headers that
// the compiler includes by itself have not changed.
//
// Not modelled: cl.exe, of which only its search directories are known; what a plugin or a precompiled header defines.
package probe
