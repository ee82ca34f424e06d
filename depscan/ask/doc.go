// Package ask takes a compile's inputs from the compiler itself: from the run
// that makes the object (Asker, Plan), or from a run of the preprocessor alone
// (Scanner). It is what depscan/cpp falls back to, and what it is checked
// against.
//
// The list of the files read is the compiler's own: its dep-file, gcc's -H or
// clang's CC_PRINT_HEADERS. What such lists leave out is found by reading the
// files of the list once more for what they mention (see Text): names that were
// looked for and absent, files probed by __has_include, files that the assembler
// reads, and the identifiers that carry a path or a time into the text. No
// condition is evaluated: what a skipped group mentions counts as well. So the
// answer names every file whose appearance could change the compile, and some
// whose appearance could not; it never leaves one out, as far as names are
// spelled literally. Where they are not (a computed __has_include or .incbin), the
// compile is reported as not cacheable.
//
// Not modelled: which of two files that changed during a compile was read (such
// compiles are reported as not cacheable), modules, and header maps.
//
// Used by localserver/pipeline. Files are compared with gcc 12.2 and clang 14.
package ask
