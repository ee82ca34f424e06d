package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A scope says which sources may set a key.
type scope uint8

const (
	perCall scope = iota
	// ofServer keys count only for the server itself.
	ofServer
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
			Name: f.key, Variable: variable(f.key), Server: f.scope == ofServer,
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
		pathField("socket", ofServer, "socket of the server", func(s *Settings) *string { return &s.Socket }),
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

// scalarField makes a field of a parser of scalars and its inverse.
func scalarField[T any](key string, sc scope, about string, at func(*Settings) *T, parse func(string, value) (T, error), show func(T) string) field {
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			text, err := v.scalar()
			if err != nil {
				return err
			}
			parsed, err := parse(text, v)
			if err == nil {
				*at(s) = parsed
			}
			return err
		},
		show: func(s *Settings) string { return show(*at(s)) },
	}
}

func itself(s string) string { return s }

func textField(key string, sc scope, about string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (string, error) { return s, nil }, itself)
}

func pathField(key string, sc scope, about string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, v value) (string, error) {
		if s == "" {
			return "", errEmpty
		}
		return v.path(s)
	}, itself)
}

func sizeField(key string, sc scope, about string, at func(*Settings) *int64) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (int64, error) {
		n, err := ParseSize(s)
		if err == nil && n < 1<<20 {
			err = errors.New("must be 1MiB or more")
		}
		return n, err
	}, func(n int64) string { return FormatSize(n) })
}

func durationField(key string, sc scope, about string, at func(*Settings) *time.Duration) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (time.Duration, error) { return ParseDuration(s) }, showDuration)
}

func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func boolField(key, about string, at func(*Settings) *bool) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (bool, error) { return ParseBool(s) }, strconv.FormatBool)
}

func intField(key string, sc scope, about string, low, high int, at func(*Settings) *int) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (int, error) { return parseInt(s, low, high) }, strconv.Itoa)
}

func shareField(key, about string, at func(*Settings) *float64) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (float64, error) { return parseShare(s) },
		func(f float64) string { return strconv.FormatFloat(f*100, 'g', 6, 64) + "%" })
}

func choiceField(key string, sc scope, about string, choices []string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (string, error) {
		if slices.Contains(choices, s) {
			return s, nil
		}
		return "", choiceError(s, choices)
	}, itself)
}

func choiceError(got string, choices []string) error {
	msg := "must be one of " + strings.Join(choices, ", ")
	if near := nearest(strings.ToLower(got), choices); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return errors.New(msg)
}

func addressField(key, about string, at func(*Settings) *string) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (string, error) {
		if s == "none" {
			return "", nil
		}
		return s, checkAddress(s)
	}, itself)
}

func checkAddress(s string) error {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "":
		return nil
	case ok && (scheme == "grpc" || scheme == "grpcs") && rest != "" && rest[0] != '/':
		return nil
	case ok && scheme == "http":
		return errors.New("must start with grpc:// rather than http://")
	case ok && scheme == "https":
		return errors.New("must start with grpcs:// rather than https://")
	default:
		return errors.New("must be grpc://HOST:PORT, grpcs://HOST:PORT, unix:PATH or none")
	}
}

func toolchainField() field {
	const file = "file:"
	choices := []string{"auto", "host", "ship"}
	return scalarField("toolchain", inProject, "compiler of remote Actions: auto, host, ship, file:PACK",
		func(s *Settings) *string { return &s.Toolchain },
		func(s string, v value) (string, error) {
			if pack, ok := strings.CutPrefix(s, file); ok && pack != "" {
				abs, err := v.path(pack)
				return file + abs, err
			}
			if slices.Contains(choices, s) {
				return s, nil
			}
			return "", choiceError(s, append(choices, "file:PACK"))
		}, itself)
}

func pathsField(key string, sc scope, about string, at func(*Settings) *[]string) field {
	const sep = string(os.PathListSeparator)
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			list, err := v.strings(sep)
			if err != nil {
				return err
			}
			abs := make([]string, len(list))
			for i, p := range list {
				if abs[i], err = v.path(p); err != nil {
					return err
				}
			}
			*at(s) = abs
			return nil
		},
		show: func(s *Settings) string { return strings.Join(*at(s), sep) },
	}
}

func listField(key, about string, at func(*Settings) *[]string) field {
	return field{
		key: key, about: about,
		set: func(s *Settings, v value) error {
			list, err := v.strings(",")
			*at(s) = list
			return err
		},
		show: func(s *Settings) string { return strings.Join(*at(s), ",") },
	}
}

func mapField(key string, sc scope, about string, at func(*Settings) *map[string]string) field {
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			m, err := v.pairs()
			*at(s) = m
			return err
		},
		show: func(s *Settings) string {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(*at(s))) {
				pairs = append(pairs, name+"="+(*at(s))[name])
			}
			return strings.Join(pairs, ",")
		},
	}
}

// flagClasses are the words that classify an extra flag.
//
//	extra_flag = option [ "*" | " *" ] " " class ; (* "*": takes a value, in
//	                                                  the same or next word *)
func flagClasses() []flagClass {
	return []flagClass{
		{"codegen", argtable.Codegen},
		{"preprocessor", argtable.Preprocessor},
		{"diagnostic", argtable.Diagnostic},
		{"input", argtable.InputFile | argtable.Path},
		{"none", argtable.NoKey},
		{"local", argtable.Codegen | argtable.LocalOnly},
		{"aside", argtable.Aside},
	}
}

type flagClass struct {
	name  string
	class argtable.Class
}

func extraFlagsField() field {
	return field{
		key: "extra_flags", about: `options that no table lists: "-fx* codegen"`,
		set: func(s *Settings, v value) error {
			list, err := v.strings(",")
			if err != nil {
				return err
			}
			flags := make([]ExtraFlag, len(list))
			for i, item := range list {
				if flags[i], err = parseFlag(item); err != nil {
					return err
				}
			}
			s.ExtraFlags = flags
			return nil
		},
		show: func(s *Settings) string {
			items := make([]string, len(s.ExtraFlags))
			for i, f := range s.ExtraFlags {
				items[i] = showFlag(f)
			}
			return strings.Join(items, ",")
		},
	}
}

func parseFlag(item string) (ExtraFlag, error) {
	words := strings.Fields(item)
	malformed := errors.New(`must be items like "-fvendor codegen", "-fvendor=* codegen" or "-vendor * input"`)
	if len(words) < 2 || len(words) > 3 || !strings.HasPrefix(words[0], "-") {
		return ExtraFlag{}, malformed
	}
	f := ExtraFlag{Option: words[0]}
	if option, joined := strings.CutSuffix(words[0], "*"); joined {
		f.Option, f.Form = option, argtable.Joined
	}
	if len(words) == 3 {
		if words[1] != "*" || f.Form == argtable.Joined {
			return ExtraFlag{}, malformed
		}
		f.Form = argtable.Separate
	}
	classes := flagClasses()
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
		if c.name == words[len(words)-1] {
			f.Class = c.class
			return f, nil
		}
	}
	return ExtraFlag{}, fmt.Errorf("class %w", choiceError(words[len(words)-1], names))
}

func showFlag(f ExtraFlag) string {
	star := map[argtable.Form]string{argtable.Joined: "*", argtable.Separate: " *"}[f.Form]
	for _, c := range flagClasses() {
		if c.class == f.Class {
			return f.Option + star + " " + c.name
		}
	}
	return f.Option
}

// position names a place in a file.
func position(file string, line int) string {
	if line == 0 {
		return filepath.Clean(file)
	}
	return filepath.Clean(file) + ":" + strconv.Itoa(line)
}
