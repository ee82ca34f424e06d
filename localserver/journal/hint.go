package journal

// hint says what a reason means, and what a user may do, for those that are met
// most; empty for the others.
func hint(reason string) string {
	switch reason {
	case "link":
		return "the call links; only compiles are cached"
	case "preprocess", "preprocess-only":
		return "the call only preprocesses, which is as fast as a look-up"
	case "query":
		return "the call asks the compiler about itself"
	case "unknown-argument":
		return "no table knows the option; the setting extra_flags can classify it"
	case "compiler-is-script":
		return "the compiler is a script, which may start any program; rexwrap inside of it works"
	case "not-a-compiler", "other-wrapper":
		return "the program is no compiler that rexwrap knows"
	case "several-sources":
		return "one call compiles several sources; one call each can be cached"
	case "stdin":
		return "the source comes through standard input"
	case "modified-during-compile":
		return "a file was so young, or changed meanwhile, that what the compiler read is not certain"
	case "compile-failed", "failed":
		return "failures are not kept"
	case "time-macro":
		return "the text holds the time of the compile"
	case "date-changed":
		return "the text holds the date of the compile"
	case "incbin":
		return "the text includes a binary file in a way that does not tell which"
	case "rust-incremental":
		return "code that is made incrementally is not the same each time; CARGO_INCREMENTAL=0, or rust_incremental = \"drop\""
	case "rust-uncached":
		return "the setting rust_uncached names the crate or its package"
	case "proc-macro-exec":
		return "a procedural macro started a program, which may do anything"
	case "proc-macro-network":
		return "a procedural macro used the network"
	case "proc-macro-writes":
		return "a procedural macro changed files, which a hit would not do"
	case "proc-macro-system-call", "proc-macro-machine", "proc-macro-special-file":
		return "a procedural macro asked the system for what no file holds"
	case "config":
		return "the settings have errors: rexwrap config shows them"
	case "disabled":
		return "the setting disable is on"
	case "read-only":
		return "the setting read_only is on"
	case "other-namespace":
		return "the server sees other files than this process; give each view a REXWRAP_CACHE_DIR of its own"
	case "version":
		return "the server is of another version: rexwrap server stop"
	case "verify-difference":
		return "the compiler did not make the same bytes again; the entry was dropped"
	case "recorded-command-line":
		return "the command line lands in the object, so that nothing can be added to it"
	case "scan-difference":
		return "the scanner and the compiler disagree about the files read: nothing is stored, and this source is not scanned until it changes; a bug, please report it with the call below"
	case "remote-unproven":
		return "it is not proven that a worker makes the same bytes of such a compile"
	case "remote-unknown-inputs":
		return "the inputs are known only after a run, so that there was nothing to send"
	case "remote-not-portable":
		return "servers differ in what they make of such an Action"
	case "remote-parity":
		return "the workers have not, or not provably, the compiler and the system headers of this machine"
	case "remote-bad-result":
		return "the worker failed, or made something else than the compiler does; rexwrap action shows what it was given"
	case "remote-no-workers":
		return "the remote executes no compiles: rexwrap doctor says why"
	case "remote-failed":
		return "the remote did not answer, or not in time: rexwrap doctor tries it"
	case "remote-messages":
		return "messages of workers are without this terminal's colours, so that they came from here"
	case "output-missing":
		return "the compiler succeeded without making a file that it was asked for"
	default:
		return ""
	}
}
