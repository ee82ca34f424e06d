// Package cpp finds what a compile of gcc, clang or clang-cl reads before it runs, as the
// compiler itself would: the list of `-E -MD`, in its order and spelling, and
// beside it what no dep-file tells — headers that __has_include found, copies
// that #pragma once left out, files of .incbin, names that do not exist,
// directories and symbolic links on the way. localserver/pipeline uses it; the
// answer is never a superset.
//
// # Layers
//
//   - files and watcher: what exists. Each scan looks at everything again (one
//     stat for each file and directory; names that a directory does not list need
//     none), or trusts inotify where the file system is local: the queue of
//     events is read until it is empty before a scan begins, see watcher.
//   - lexer: bytes to directives, once for each content and lexMode, kept in a
//     bounded cache (texts). Text between directives leaves a mark only where it
//     can matter. Branches are linked, so a group that is not taken costs a jump.
//   - chain: the search directories that exist, joined by gcc's or clang's rules,
//     and where names were found in them.
//   - base: predefined macros and lexical rules of one class of flags.
//   - evaluator: runs the directives of one compile. The macro table is an array
//     by symbol over the base; macros are expanded token by token as conditions ask
//     for them. Each #if remembers results by the definitions it looked at.
//   - subtree and variant: what reading a file, with all that it includes, looks
//     at and changes, recorded when it is read for the second time. Another
//     source that comes to the file in the same state replays it: some ten
//     variants stand for a compile.
//   - interests: definitions of names that no condition asks for are not run.
//   - compiles: the answers of whole compiles, good while every look-up ends as it
//     did and every file has the same directives.
//
// # What is understood
//
// #define and #undef; #if, #ifdef, #ifndef, #elif, #elifdef, #elifndef (where the
// compiler has them), #else, #endif; #include, #include_next and #import with
// "…", <…> or macros; #line; #pragma once, push_macro, pop_macro, GCC poison, GCC
// and clang system_header; #warning, #ident and #sccs have no effect. Digraphs,
// trigraphs, splices, comments, raw strings and digit separators follow language
// and standard. Conditions have defined, __has_include, __has_include_next,
// __FILE__, __LINE__, __INCLUDE_LEVEL__, __COUNTER__, and all operators on 64 bits;
// __has_attribute and its like are asked of the compiler, many at once.
//
// Options: -I -iquote -isystem -idirafter -I- -iprefix -iwithprefix
// -iwithprefixbefore -F -iframework, header maps, --sysroot with = and $SYSROOT,
// -D -U -include -imacros (also behind -Wp,), CPATH and the three language
// variables. What else changes predefined macros or built-in directories comes
// with toolchains.Facts.
//
// gcc: system headers under their shorter real path; #pragma once and #import by
// modification time, size and content; stdc-predef.h after -imacros; directories
// that repeat a system directory dropped. clang: files and directories by inode,
// listed under each name that was asked for; __has_include listed. clang-cl besides:
// see microsoftSwitches and includers; its system directories come with the Facts.
//
// # Where it gives up
//
// Scan then returns an error that wraps depscan.ErrFallback. Reasons:
//
//	assertion                #assert
//	asm-include              .include in assembler text
//	backslashes              "a\\b.h" with clang-cl before 14, __has_include("a\b.h") with
//	                         others than 14
//	builtin-macro            __DATE__, __TIME__, __TIMESTAMP__ or _Pragma in a condition
//	carriage-return          a carriage return that ends no line
//	cl                       cl.exe, whose preprocessor has not been tried
//	clang-names              two names of one directory, clang 15 and later
//	counter                  __COUNTER__ in a condition after it stood in text
//	embed                    #embed, __has_embed
//	error-directive          #error
//	expansion-too-long       more than 4 M tokens for one directive
//	file-macro               __FILE__ as a header name under a prefix map or #line
//	flag                     an option not known here: modules, -remap, -traditional-cpp, …
//	if-*                     an expression that is an error, or would be to some version
//	implicit-header          another stdc-predef.h comes first
//	import                   #import with clang-cl, an error
//	incbin                   .incbin of a file that is not found from the directory of the
//	                         call, or in a macro
//	include-syntax           an #include of something else
//	intmax                   intmax_t has not 64 bits
//	line-macro               __LINE__ after #line or in a directive of several lines
//	linemarker               # 1 "file" 2
//	macro-*, token-paste     a definition or call that is an error
//	missing-include          the compiler's own message is wanted
//	missing-source           the same
//	modules                  import, module or export begins a line where these have meaning
//	old-compiler             gcc before 10, clang before 11
//	pch                      a precompiled header may be in use
//	pragma-dependency        #pragma GCC dependency, and pragma-diagnostic (of clang-cl's
//	                         search), pragma-hdrstop, pragma-include_alias, pragma-module, pragma-pch_preprocess, pragma-push-macro alike
//	pragma-operator          _Pragma with a pragma that matters, or the words push_macro or
//	                         pop_macro where _Pragma could be given them
//	pragma-options           a condition asks for a macro that #pragma GCC target or
//	                         optimize may have changed; gcc 12 itself answers -E and -c
//	                         differently there
//	question                 the compiler gives no number for __has_attribute or its like
//	raw-string-in-directive  a raw string of several lines there
//	search-cache             clang-cl may look for a header in the wrong place: see trusts
//	too-many-questions       answers kept leading to new questions
//	trigraph                 trigraphs in C23, which dropped them in some version
//	unbalanced-conditional   #if without #endif and its like
//	unknown-directive        the same error as the compiler's
//	unreadable               no permission, or 200 files deep
//	unterminated-comment     the same error as the compiler's
//	windows                  the search does not understand drives and backslashes
//
// Not modelled: cl.exe, file systems that fold case, changes through memory mappings or by other
// machines while a directory is watched.
package cpp
