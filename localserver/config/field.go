package config

import (
	"math"
	"slices"
	"strings"
	"time"
)

// A scope says which sources may set a key.
type scope uint8

const (
	perCall scope = iota
	// ofServer keys count only for the server itself.
	ofServer
	// ofWrapper keys are needed before any file is read: they count in the
	// environment only.
	ofWrapper
	// inProject keys may be set by a project file that is not trusted.
	inProject
)

// A field is one key: how it is read and shown. Shown values read back.
type field struct {
	key    string
	scope  scope
	secret bool
	about  string // one line for people
	set    func(*Settings, value) error
	show   func(*Settings) string
}

// A Key describes one setting to people.
type Key struct {
	Name     string
	Variable string
	Server   bool // counts for the server only
	Project  bool // may be set by a project file that is not trusted
	Secret   bool // its value is never shown
	About    string
}

// Keys are all settings in the order of listings.
func Keys() []Key {
	t := newTable()
	keys := make([]Key, len(t))
	for i, f := range t {
		keys[i] = Key{
			Name: f.key, Variable: variable(f.key), Server: f.scope == ofServer || f.scope == ofWrapper,
			Project: f.scope == inProject, Secret: f.secret, About: f.about,
		}
	}
	return keys
}

// Show returns the value of key as it would stand in the environment, and
// "(set)" for one that is secret and set.
func (s *Settings) Show(key string) string {
	f := &s.table[s.table.index(key)]
	text := f.show(s)
	if f.secret && text != "" {
		return "(set)"
	}
	return text
}

func variable(key string) string {
	return "REXWRAP_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// A table holds all settings. It is immutable.
type table []field

// index returns where key stands in t, -1 for none.
func (t table) index(key string) int {
	return slices.IndexFunc(t, func(f field) bool { return f.key == key })
}

func newTable() table {
	strategies := []string{string(Auto), string(Local), string(Race), string(Remote)}
	levels := []string{"off", "error", "warn", "info", "debug"}
	return table{
		pathField("cache_dir", ofServer, "folder of the cache", func(s *Settings) *string { return &s.CacheDir }),
		sizeField("cache_size", ofServer, "limit of the cache on disk", func(s *Settings) *int64 { return &s.CacheSize }),
		pathField("socket", ofWrapper, "socket of the server (environment only)", func(s *Settings) *string { return &s.Socket }),
		durationField("idle_exit", ofServer, "the server ends after so long without calls; 0: never", func(s *Settings) *time.Duration { return &s.IdleExit }),
		choiceField("log", ofServer, "level of the server's log", levels, func(s *Settings) *string { return &s.Log }),
		intField("local_jobs", ofServer, "compiles at once on this machine", 1, 1<<16, func(s *Settings) *int { return &s.LocalJobs }),
		intField("remote_jobs", ofServer, "compiles at once on workers", 1, 1<<16, func(s *Settings) *int { return &s.RemoteJobs }),

		addressField("remote", "address of the remote: grpc://, grpcs:// or unix:", func(s *Settings) *string { return &s.Remote }),
		addressField("cas", "address of the CAS where it is another", func(s *Settings) *string { return &s.CAS }),
		addressField("action_cache", "address of the ActionCache where it is another", func(s *Settings) *string { return &s.ActionCache }),
		textField("instance", perCall, "instance name of the remote", func(s *Settings) *string { return &s.Instance }),
		mapField("platform", inProject, "platform properties of remote Actions", func(s *Settings) *map[string]string { return &s.Platform }),
		intField("priority", perCall, "priority of remote Actions", math.MinInt32, math.MaxInt32, func(s *Settings) *int { return &s.Priority }),
		durationField("exec_timeout", perCall, "longest time of a remote Action", func(s *Settings) *time.Duration { return &s.ExecTimeout }),
		secret(mapField("headers", perCall, "headers sent to the remote", func(s *Settings) *map[string]string { return &s.Headers })),
		pathField("tls.ca", perCall, "certificates that sign the remote's", func(s *Settings) *string { return &s.TLS.CA }),
		pathField("tls.cert", perCall, "our certificate", func(s *Settings) *string { return &s.TLS.Cert }),
		pathField("tls.key", perCall, "the key of our certificate", func(s *Settings) *string { return &s.TLS.Key }),
		textField("tls.server_name", perCall, "name in the remote's certificate", func(s *Settings) *string { return &s.TLS.ServerName }),
		textField("credential_helper", perCall, "program that supplies headers", func(s *Settings) *string { return &s.CredentialHelper }),
		boolField("remote_upload", "upload local results", func(s *Settings) *bool { return &s.RemoteUpload }),
		textField("browser_url", perCall, "address of the remote's web page", func(s *Settings) *string { return &s.BrowserURL }),

		choiceField("strategy", inProject, "where a miss runs", strategies, func(s *Settings) *string { return (*string)(&s.Strategy) }),
		choiceField("paths", inProject, "exact or relocatable objects", []string{PathsExact, PathsRelocatable}, func(s *Settings) *string { return &s.Paths }),
		pathField("exec_root", inProject, "root of the InputRoot", func(s *Settings) *string { return &s.ExecRoot }),
		toolchainField(),
		toolchainRootField(),

		boolField("read_only", "answer from the cache, store nothing", func(s *Settings) *bool { return &s.ReadOnly }),
		boolField("recache", "compile everything and store it anew", func(s *Settings) *bool { return &s.Recache }),
		shareField("verify", "share of hits to compile again and compare", func(s *Settings) *float64 { return &s.Verify }),
		boolField("disable", "run every compiler unchanged", func(s *Settings) *bool { return &s.Disable }),
		pathsField("extra_inputs", inProject, "files whose content is in every key", func(s *Settings) *[]string { return &s.ExtraInputs }),
		extraFlagsField(),
		textField("xattr_digest", perCall, "extended attribute that holds a file's digest", func(s *Settings) *string { return &s.XattrDigest }),

		choiceField("rust_incremental", perCall, "what becomes of -C incremental", []string{"aside", "drop"}, func(s *Settings) *string { return &s.RustIncremental }),
		listField("rust_uncached", "crates that are never cached", func(s *Settings) *[]string { return &s.RustUncached }),
		boolField("rust_remote_proc_macros", "run crates with proc-macros remotely", func(s *Settings) *bool { return &s.RustRemoteProcMacros }),
		choiceField("msvc_pdb", perCall, "what becomes of /Zi", []string{"session", "private", "embed", "batch", "local"}, func(s *Settings) *string { return &s.MSVCPdb }),
		choiceField("msvc_pch", perCall, "what becomes of /Yu", []string{"strip", "remote", "local"}, func(s *Settings) *string { return &s.MSVCPch }),
	}
}

func secret(f field) field {
	f.secret = true
	return f
}
