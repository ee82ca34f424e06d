package arch

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Third-party modules, by what they are for.
const (
	analysis    = "golang.org/x/tools/go/analysis"
	badger      = "github.com/dgraph-io/badger/v4"
	blake3      = "github.com/zeebo/blake3"
	cli         = "github.com/urfave/cli/v2"
	cdc         = "github.com/buildbarn/go-cdc"
	cmp         = "github.com/google/go-cmp"
	errdetails  = "google.golang.org/genproto/googleapis/rpc"
	grpc        = "google.golang.org/grpc"
	longrunning = "cloud.google.com/go/longrunning"
	protobuf    = "google.golang.org/protobuf"
	protowire   = "google.golang.org/protobuf/encoding/protowire"
	remoteAPIs  = "github.com/bazelbuild/remote-apis"
	synchronize = "golang.org/x/sync"
	sys         = "golang.org/x/sys"
	testscript  = "github.com/rogpeppe/go-internal"
	toml        = "github.com/pelletier/go-toml/v2"
	xxhash      = "github.com/cespare/xxhash/v2"
	zerolog     = "github.com/rs/zerolog"
	zstd        = "github.com/klauspost/compress"
)

// policy is a statement of design, not a record of what happens to be true: do
// not add to it to make a build pass. Each package lists everything it may
// import: packages of this module by path, third-party modules by prefix. Only
// the standard library is free. A package that is not listed fails.
//
// The rules behind it: the thin side knows only the frames; protobuf and gRPC
// exist only in client and localserver; toolchains and depscan are pure
// functions of arguments, environment and files, and run no process by
// themselves; badger is one package deep; nothing imports cmd or integration;
// cmd/rexd composes.
var policy = map[string][]string{
	// The thin side.
	"wrapper/wire":            {},
	"wrapper/proc":            {},
	"wrapper/endpoint":        {},
	"wrapper/endpoint/listen": {"wrapper/endpoint", sys},
	"wrapper":                 {"wrapper/wire", "wrapper/endpoint", "wrapper/proc"},
	"cmd/rexwrap":             {"wrapper"},

	// What a compile is.
	"client/digest":           {blake3},
	"toolchains/argtable":     {},
	"toolchains":              {"client/digest", "toolchains/argtable", synchronize, sys},
	"toolchains/gnu":          {"toolchains", "toolchains/argtable"},
	"toolchains/gnu/gnutest":  {"toolchains", "toolchains/argtable"},
	"toolchains/gcc":          {"client/digest", "toolchains", "toolchains/argtable", "toolchains/gnu"},
	"toolchains/clang":        {"client/digest", "toolchains", "toolchains/argtable", "toolchains/gnu"},
	"toolchains/rustc":        {"toolchains", "toolchains/argtable"},
	"toolchains/pack/launch":  {},
	"toolchains/pack":         {"client/digest", "toolchains", "toolchains/pack/launch"},
	"toolchains/pack/archive": {"client/digest", "toolchains/pack", zstd},
	"cmd/rexlaunch":           {"toolchains/pack/launch"},
	"toolchains/msvc":         {"toolchains", "toolchains/argtable", "toolchains/clang", "toolchains/gnu"},
	"toolchains/probe":        {"client/digest", "toolchains", "toolchains/argtable", synchronize},

	// What it reads.
	"depscan":             {"client/digest", "toolchains"},
	"depscan/depfile":     {},
	"depscan/inotify":     {sys},
	"depscan/filestate":   {"client/digest", "depscan", "depscan/inotify", "toolchains", sys},
	"depscan/ask":         {"client/digest", "depscan", "depscan/depfile", "depscan/filestate", "toolchains", "toolchains/argtable", "toolchains/gnu"},
	"depscan/rustdeps":    {"client/digest", "depscan", "depscan/filestate", "toolchains"},
	"depscan/cpp":         {"client/digest", "depscan", "depscan/inotify", "toolchains", "toolchains/argtable", "toolchains/gnu", sys},
	"depscan/cpp/cpptest": {"client/digest", "toolchains", "toolchains/argtable"},

	// What it is called in a cache.
	"client/merkle": {"client/digest", remoteAPIs, protobuf},
	"client/action": {"client/digest", "client/merkle", remoteAPIs, protobuf},

	// The remote.
	"client":             {"client/bytestream", "client/chunking", "client/digest", grpc, protobuf, remoteAPIs},
	"client/bytestream":  {grpc, protobuf},
	"client/chunking":    {cdc},
	"client/cas":         {"client", "client/bytestream", "client/chunking", "client/digest", "client/merkle", grpc, remoteAPIs, synchronize, zstd},
	"client/actioncache": {"client", "client/digest", "client/merkle", grpc, remoteAPIs},
	"client/clienttest":  {"client", "client/action", "client/actioncache", "client/bytestream", "client/cas", "client/chunking", "client/digest", "client/execute", "client/merkle", errdetails, grpc, longrunning, protobuf, remoteAPIs, zstd},
	"client/execute":     {"client", "client/action", "client/cas", "client/digest", "client/merkle", errdetails, grpc, longrunning, remoteAPIs},
	"client/checkup":     {"client", "client/action", "client/actioncache", "client/cas", "client/digest", "client/execute", "client/merkle", remoteAPIs},

	// The server. badger reports its trouble and its tables by protobuf.
	"localserver/bug":         {zerolog},
	"localserver/config":      {"client/digest", "toolchains", "toolchains/argtable", toml, sys},
	"localserver/diskstore":   {"client/digest", badger, protobuf, sys, xxhash, zerolog, zstd},
	"localserver/journal":     {"client/digest", zerolog},
	"localserver/layout":      {"client/digest", "client/merkle", "depscan", "depscan/depfile", "toolchains", "toolchains/argtable", "toolchains/gnu", "toolchains/pack", "toolchains/pack/launch"},
	"localserver/localexec":   {"toolchains"},
	"localserver/materialize": {"toolchains"},
	"localserver/pdb":         {},
	"localserver/pdb/pdbtest": {"localserver/pdb"},
	"localserver/pdbsession":  {"localserver/pdb", sys},
	"localserver/clcheck":     {"localserver/pdb", "localserver/pdbsession", "toolchains"},
	"localserver/parity":      {"client/action", "client/cas", "client/digest", "client/execute", "client/merkle"},
	"localserver/rehearse":    {"client/digest", "client/merkle", "localserver/layout", "localserver/seccomp", "toolchains/pack", sys},
	"localserver/seccomp":     {sys},
	"localserver/trace":       {"depscan", "depscan/rustdeps", "localserver/seccomp", sys},
	"localserver/strategy":    {},
	"localserver/admin":       {"localserver/journal", "wrapper/wire"},
	"localserver/pipeline": {
		"client/action", "client/cas", "client/digest", "client/merkle", "depscan", "depscan/ask", "depscan/depfile",
		"depscan/filestate", "depscan/rustdeps", "localserver/config", "localserver/diskstore", "localserver/journal", "localserver/layout",
		"localserver/materialize", "localserver/parity", "localserver/pdbsession", "localserver/remote", "localserver/strategy", "localserver/trace", "toolchains",
		"toolchains/argtable", "toolchains/gnu", "toolchains/pack", "toolchains/pack/archive", "wrapper/wire", zerolog,
	},
	"localserver/remote": {
		"client", "client/action", "client/actioncache", "client/cas", "client/checkup", "client/digest", "client/execute", "client/merkle",
		"localserver/config", "localserver/parity", "toolchains/pack/launch", protobuf, remoteAPIs, synchronize, zerolog,
	},
	"localserver": {
		"client/digest", "depscan", "localserver/admin", "localserver/bug", "localserver/diskstore",
		"localserver/materialize", "localserver/pdbsession", "localserver/pipeline", "localserver/remote", "toolchains", "wrapper/endpoint/listen",
		"wrapper/wire", zerolog,
	},
	"cmd/rexd": {
		"client/checkup", "client/digest", "depscan/ask", "depscan/cpp", "depscan/filestate", "depscan/rustdeps", "localserver",
		"localserver/admin", "localserver/clcheck", "localserver/config", "localserver/diskstore", "localserver/journal",
		"localserver/layout", "localserver/localexec", "localserver/parity", "localserver/pdbsession", "localserver/pipeline", "localserver/rehearse", "localserver/remote", "localserver/strategy", "localserver/trace", "toolchains", "toolchains/argtable",
		"toolchains/clang", "toolchains/gcc", "toolchains/msvc", "toolchains/pack", "toolchains/pack/archive", "toolchains/probe", "toolchains/rustc", "wrapper/endpoint",
		"wrapper/endpoint/listen", cli, sys, zerolog,
	},

	// The tests and programs of this folder.
	"integration":                {"integration/rig", "integration/script", testscript},
	"integration/arch":           {},
	"integration/remote":         {"integration/rig", grpc, remoteAPIs},
	"integration/remotescripts":  {"integration/debsrc", "integration/rig", "integration/script", remoteAPIs, testscript},
	"integration/script":         {"integration/rig", testscript},
	"integration/rig":            {testscript, sys},
	"integration/shipped":        {"integration/rig", "integration/debsrc"},
	"integration/slots":          {"integration/rig"},
	"integration/debsrc":         {},
	"integration/differential":   {"integration/rig", testscript},
	"integration/keytable":       {"integration/rig", testscript},
	"integration/msvc":           {"client/clienttest", "integration/rig", "localserver/pdb", "localserver/pdb/pdbtest", "localserver/pdbsession", remoteAPIs},
	"integration/msvc/fakecl":    {"localserver/pdb", "localserver/pdb/pdbtest", "toolchains/argtable"},
	"integration/projects":       {"integration/rig", "integration/debsrc"},
	"integration/interop":        {"integration/rig", "integration/debsrc", remoteAPIs, testscript},
	"integration/faults":         {"integration/rig", "integration/debsrc", testscript, sys},
	"integration/rust":           {"integration/rig", testscript, sys},
	"integration/wine":           {"integration/rig"},
	"integration/wine/fakecl":    {},
	"integration/tools/crossvet": {analysis},
	"integration/bench":          {"integration/rig", "integration/debsrc", testscript},
	"integration/demo":           {"integration/rig", "integration/debsrc"},
	"integration/relocation":     {"client/digest", "client/merkle", "depscan", "depscan/ask", "depscan/cpp", "depscan/filestate", "localserver/layout", "toolchains", "toolchains/clang", "toolchains/gcc", "toolchains/pack", "toolchains/probe", testscript},
	"integration/scancorpus":     {sys, "integration/rig", "client/digest", "depscan", "depscan/cpp", "depscan/cpp/cpptest", "toolchains", "toolchains/clang", "toolchains/gcc", "toolchains/msvc", "toolchains/probe"},
}

// testImports are third-party modules free to all tests.
var testImports = []string{cmp, testscript}

// remoteTestImports are those of tests below client.
var remoteTestImports = []string{grpc, protobuf, remoteAPIs, errdetails, longrunning, zstd}

func TestImports(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range load(t) {
		seen[s.dir] = true
		allowed, listed := policy[s.dir]
		if !listed {
			t.Errorf("%s: no import policy for %s", s.name, s.dir)
			continue
		}
		for _, spec := range s.file.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if !mayImport(s, imp, allowed) {
				t.Errorf("%s must not import %s", s.name, imp)
			}
		}
	}
	for dir := range policy {
		if !seen[dir] {
			t.Errorf("policy names %s, which does not exist", dir)
		}
	}
}

func mayImport(s *source, imp string, allowed []string) bool {
	if in, ours := strings.CutPrefix(imp, module); ours {
		// A test may compose what its package must not know, but never
		// cmd, integration or, on the thin side, anything else.
		free := s.test && !strings.HasPrefix(in, "cmd/") &&
			(!strings.HasPrefix(in, "integration") || strings.HasPrefix(s.dir, "integration")) &&
			!strings.HasPrefix(s.dir, "wrapper") && !strings.HasPrefix(s.dir, "cmd/rexwrap")
		return free || in == s.dir || slices.Contains(allowed, in)
	}
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return true // standard library
	}
	if s.test {
		allowed = append(slices.Clone(testImports), allowed...)
		if strings.HasPrefix(s.dir, "client") || s.dir == "localserver/parity" {
			allowed = append(allowed, remoteTestImports...)
		}
	}
	return slices.ContainsFunc(allowed, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}
