// Package ask takes a compile's inputs from the compiler itself: from the run
// that makes the object (Asker, Plan), or from a run of the preprocessor alone
// (Scanner). It is what depscan/cpp falls back to, and what it is checked
// against.
//
// # The list
//
// The files that were read are the compiler's own list, got in such a way that
// object, stdout, stderr and the user's dep-file stay as they are (Plan):
//
//	the call has        gcc                          clang
//	-MD                 the user's file              the user's file
//	no such option      -MD -MF OWN                  CC_PRINT_HEADERS_FILE
//	-MMD                -H, out of stderr again,     -MD -MF OWN instead
//	                    or -MD -MF OWN instead
//
// Where -MD takes the place of -MMD, the user's file is made of the full list
// (tree). gcc's -H cannot be used with -g, where it shows in the object, nor with
// -include, which it leaves out; CC_PRINT_HEADERS_FILE not with -MMD, which it
// makes list everything. Nothing is added where the object holds the command line.
//
// # What it leaves out
//
// The files of the list are read once more for what they mention (Text): names
// that were looked for and absent, files probed by __has_include, files that the
// assembler reads, and the identifiers that carry a path or a time into the text.
// No condition is evaluated: what a skipped group mentions counts as well. So the
// answer names every file whose appearance could change the compile, and some
// whose appearance could not. It leaves none out, as far as names are spelled
// literally; where they are not (a computed __has_include or .incbin), the compile
// is reported as not cacheable.
//
// Not modelled: which of two contents of a file was read that changed during a
// compile (such compiles are reported as not cacheable), a header that was only
// probed for and has gone since, modules, and header maps.
//
// Used by localserver/pipeline. Compared with gcc 12.2 and clang 14.
package ask
