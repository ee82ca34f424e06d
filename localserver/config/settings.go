package config

import (
	"time"

	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// Strategy says where a miss runs.
type Strategy string

// The strategies.
const (
	Local  Strategy = "local"
	Remote Strategy = "remote"
	Race   Strategy = "race"
	Auto   Strategy = "auto"
)

// The values of Settings.Paths.
const (
	PathsExact       = "exact"
	PathsRelocatable = "relocatable"
)

// The values of Settings.ToolchainRoot: workers that chroot into the InputRoot, and
// those that take the digest of a root as a property of the platform.
const (
	RootChroot   = "chroot"
	RootProperty = "property:"
)

// Settings are the settings in effect for the server or for one call. They are
// immutable and shared: callers must not change what they point to.
type Settings struct {
	// Of the server.
	CacheDir   string
	CacheSize  int64
	IdleExit   time.Duration // 0: never
	Log        string        // a level: "off", "error", "warn", "info", "debug"
	LocalJobs  int
	RemoteJobs int
	Socket     string // empty: found by user, namespace and cache directory

	// Of each call.
	Remote, CAS, ActionCache string // grpc://, grpcs://, unix:; empty for none
	Instance                 string
	Platform                 map[string]string
	Priority                 int
	ExecTimeout              time.Duration
	Headers                  map[string]string // secret
	TLS                      TLS
	CredentialHelper         string
	RemoteUpload             bool
	BrowserURL               string

	Strategy  Strategy
	Paths     string
	ExecRoot  string // absolute; empty: found by repository
	Toolchain string // "auto", "host", "ship", "file:PACK"
	// ToolchainRoot says where a shipped toolchain is the root of the file
	// system: empty for nowhere, RootChroot, or RootProperty with a name.
	ToolchainRoot string

	ReadOnly    bool
	Recache     bool
	Verify      float64 // share of hits to verify, 0 to 1
	Disable     bool
	ExtraInputs []string // absolute paths
	ExtraFlags  []ExtraFlag
	XattrDigest string // name of the attribute; empty: none is read

	RustIncremental      string // "aside", "drop"
	RustUncached         []string
	RustRemoteProcMacros bool
	MSVCPdb              string // "session", "private", "embed", "batch", "local"
	MSVCPch              string // "strip", "remote", "local"

	table    table
	origins  []Origin // by index into table
	warnings []string
	files    []string
}

// TLS are the settings of grpcs connections.
type TLS struct {
	CA, Cert, Key string // files
	ServerName    string // empty: the host of the address
}

// An ExtraFlag classifies a compiler option that no table lists.
type ExtraFlag struct {
	Option string
	Form   argtable.Form
	Class  argtable.Class
}

// Warnings are what the sources held beside the settings: ignored keys of
// project files, ignored files. Each is one line.
func (s *Settings) Warnings() []string { return s.warnings }

// Files are the files that the settings were read from, the strongest first.
func (s *Settings) Files() []string { return s.files }

// Origin returns where the value of key came from. The key must be one of Keys.
func (s *Settings) Origin(key string) Origin { return s.origins[s.table.index(key)] }

// Source is a kind of source.
type Source uint8

// The sources, the weakest first.
const (
	FromDefault Source = iota
	FromUser
	FromProject
	FromEnvironment
)

// String returns the name used in listings.
func (s Source) String() string {
	return [...]string{"default", "user file", "project file", "environment"}[s]
}

// An Origin says where a value came from.
type Origin struct {
	Source   Source
	File     string // of FromUser and FromProject
	Line     int
	Variable string // of FromEnvironment
}

// String returns "default", "FILE:LINE" or the variable's name.
func (o Origin) String() string {
	switch o.Source {
	case FromDefault:
		return "default"
	case FromEnvironment:
		return o.Variable
	default:
		return position(o.File, o.Line)
	}
}
