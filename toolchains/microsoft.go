package toolchains

// The families of Microsoft's command line, as Toolchain.Family has them.
const (
	FamilyMSVC    = "msvc"     // cl.exe
	FamilyClangCL = "clang-cl" // clang's imitation of it
)

// Microsoft is what a call of cl.exe or clang-cl says besides.
type Microsoft struct {
	// Debug is where debug information goes.
	Debug DebugFormat
	// PDB is the value of /Fd, empty where there is none or it has no effect:
	// a file, or a folder with a separator at its end. It counts for
	// DebugDatabase only.
	PDB string
	// Includes is set for /showIncludes: the headers are listed among the
	// messages. UserIncludes leaves those of the system out.
	Includes, UserIncludes bool
	// Echo is set where the compiler prints the source's name.
	Echo bool
}

// A DebugFormat says where cl.exe puts debug information.
type DebugFormat uint8

const (
	// NoDebug: nowhere.
	NoDebug DebugFormat = iota
	// DebugEmbedded: into the object (/Z7, and with clang-cl also /Zi).
	DebugEmbedded
	// DebugDatabase: types into the program database that /Fd names, which
	// compiles share (/Zi).
	DebugDatabase
)
