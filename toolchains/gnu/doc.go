// Package gnu holds what the command lines of gcc and clang have in common, so
// that toolchains/gcc and toolchains/clang hold only what differs: taking an
// argument list apart by a family's table (Line), languages, the dependency
// options, the rules of file names, the variables that name search directories,
// the reasons for stepping aside, and the walk over a parsed call's options in
// canonical spelling that include scanners need (Options).
//
// It knows no option tables and starts nothing; it reads response files.
package gnu
