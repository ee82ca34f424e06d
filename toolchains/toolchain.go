package toolchains

import (
	"context"
	"errors"

	"github.com/rexwrap/rexwrap/client/digest"
)

// A Toolchain is a compiler with everything it starts, identified by content.
// It is immutable and shared by all calls that resolve to it.
type Toolchain struct {
	// Family is "gcc", "clang", "rustc", FamilyMSVC or FamilyClangCL.
	Family string
	// Program is the driver as the call names it, absolute, symbolic links
	// kept (g++ and gcc may be one file); Real is the file behind it.
	Program, Real string
	// Version is the compiler's own version ("12.2.0"), Target its triple.
	// They choose table rows and inform people; the identity is Digest.
	Version, Target string
	// CPlusPlus is set for drivers that compile .c as C++ (clang++, g++).
	CPlusPlus bool
	// Sysroot is rustc's, empty for others.
	Sysroot string
	// LibraryDirs are the folders that a driver of ResolveLinker names to the
	// linker, in order; for others nil.
	LibraryDirs []string
	// Programs are the driver, the programs it starts and the shared
	// libraries all these load, sorted by path.
	Programs []Program
	// Digest is the identity: over name, content and role of all Programs
	// and over how the driver was found to look for them.
	Digest digest.Digest
}

// A Program is one file of a Toolchain.
type Program struct {
	Name   string // as the driver asks for it: "cc1", "as", "libisl.so.23"
	Path   string // where it was found, absolute; empty when absent
	Digest digest.Digest
}

// Facts are what a compiler says of itself for one class of flags. They are
// immutable and shared.
type Facts struct {
	// QuoteDirs and AngleDirs are the built-in search directories in
	// search order as `-E -v` prints them, with nothing added by the call's
	// -I and its like. Compilers have no built-in QuoteDirs of their own;
	// a specs file may add one.
	QuoteDirs, AngleDirs []string
	// AbsentDirs are built-in search directories that do not exist. One
	// that appears changes the search.
	AbsentDirs []string
	// FrameworkDirs are the entries marked "(framework directory)".
	FrameworkDirs []string
	// Predefined is the text of `-E -dM` over an empty file: one #define a
	// line. The files that it comes from (stdc-predef.h) are in Implicit.
	Predefined []byte
	// Implicit are headers that the compiler includes by itself.
	Implicit []string
	// ReadFiles are files other than headers that the compiler reads because
	// of the flags, and that -M lists: clang's ignorelists of sanitizers.
	ReadFiles []string
}

// A Family is one command-line language. Implementations are safe for
// concurrent use.
type Family interface {
	// Name is "gcc", "clang", "rustc", FamilyMSVC or FamilyClangCL.
	Name() string
	// Parse makes a Compile of a call that resolved to tc. An error is an
	// *UnsupportedError: the wrapper then runs the compiler unchanged.
	Parse(call *Call, tc *Toolchain) (*Compile, error)
}

// A Prober is a Family whose compilers can be asked for Facts.
type Prober interface {
	// Facts asks the compiler of c, by run, what holds for c's class of
	// flags. FactsKey(c) says which compiles share an answer.
	Facts(ctx context.Context, c *Compile, run Runner) (*Facts, error)
	FactsKey(c *Compile) digest.Digest
}

// Files is the view of the file system that identities rest on; it is
// implemented by depscan/filestate.
type Files interface {
	// Digest returns the digest of the regular file that path names,
	// symbolic links followed. It is remembered by the file's stat key.
	Digest(path string) (digest.Digest, error)
}

// Guards spare looks at what is watched. A Files may be one.
type Guards interface {
	// Guard returns a function that returns what look does, or would, which
	// looks at the files, and at the folders of which the names in them
	// count. Paths are absolute; a folder may be missing.
	Guard(files, folders []string, look func() bool) (holds func() bool)
}

// A Command is a process that a probe needs.
type Command struct {
	Argv  []string // Argv[0] is an absolute path
	Dir   string
	Env   []string
	Stdin []byte
}

// A CommandResult is what a Command left.
type CommandResult struct {
	Status         int
	Stdout, Stderr []byte
}

// A Runner runs a Command to its end. A non-zero status is no error.
type Runner func(ctx context.Context, cmd Command) (*CommandResult, error)

// An UnsupportedError says why a call is run unchanged. Reason is one of a
// closed list of short names that are counted; Arg is the argument, file or
// program it is about, empty where there is none.
type UnsupportedError struct {
	Reason string
	Arg    string
}

// Error returns "REASON" or "REASON: ARG".
func (e *UnsupportedError) Error() string {
	if e.Arg == "" {
		return e.Reason
	}
	return e.Reason + ": " + e.Arg
}

// Unsupported is short for an *UnsupportedError as an error.
func Unsupported(reason, arg string) error {
	return &UnsupportedError{Reason: reason, Arg: arg}
}

// ReasonOf returns the Reason and Arg of an *UnsupportedError in err's chain.
func ReasonOf(err error) (reason, arg string, ok bool) {
	var u *UnsupportedError
	if errors.As(err, &u) {
		return u.Reason, u.Arg, true
	}
	return "", "", false
}
