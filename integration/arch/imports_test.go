package arch

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Third-party modules, by what they are for.
const (
	badger     = "github.com/dgraph-io/badger/v4"
	blake3     = "github.com/zeebo/blake3"
	cli        = "github.com/urfave/cli/v2"
	googleAPIs = "google.golang.org/genproto/googleapis"
	grpc       = "google.golang.org/grpc"
	operations = "cloud.google.com/go/longrunning"
	protobuf   = "google.golang.org/protobuf"
	remoteAPIs = "github.com/bazelbuild/remote-apis"
	sync       = "golang.org/x/sync"
	sys        = "golang.org/x/sys"
	testscript = "github.com/rogpeppe/go-internal"
	toml       = "github.com/pelletier/go-toml/v2"
	zerolog    = "github.com/rs/zerolog"
	zstd       = "github.com/klauspost/compress"
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
	"wrapper/wire":     {},
	"wrapper/endpoint": {},
	"wrapper":          {"wrapper/wire", "wrapper/endpoint"},
	"cmd/rexwrap":      {"wrapper"},

	// What a compile is.
	"client/digest":       {blake3},
	"toolchains/argtable": {},
	"toolchains":          {"client/digest", "toolchains/argtable"},
	"toolchains/gcc":      {"client/digest", "toolchains", "toolchains/argtable"},
	"toolchains/clang":    {"client/digest", "toolchains", "toolchains/argtable"},

	// What it reads.
	"depscan":           {"client/digest", "toolchains"},
	"depscan/filestate": {"client/digest", "depscan", "toolchains", sys},
	"depscan/ask":       {"client/digest", "depscan", "toolchains", "toolchains/argtable"},
	"depscan/cpp":       {"client/digest", "depscan", "depscan/filestate", "toolchains", "toolchains/argtable"},

	// What it is called in a cache.
	"client/merkle": {"client/digest", remoteAPIs, protobuf},
	"client/action": {"client/digest", "client/merkle", remoteAPIs, protobuf},

	// The remote.
	"client":             {"client/bytestream", "client/digest", grpc, protobuf, remoteAPIs},
	"client/bytestream":  {grpc, protobuf},
	"client/cas":         {"client", "client/bytestream", "client/digest", "client/merkle", grpc, remoteAPIs, sync, zstd},
	"client/actioncache": {"client", "client/digest", "client/merkle", remoteAPIs},
	"client/clienttest":  {"client", "client/action", "client/actioncache", "client/bytestream", "client/cas", "client/digest", "client/execute", "client/merkle", googleAPIs, grpc, operations, protobuf, remoteAPIs, zstd},
	"client/execute":     {"client", "client/action", "client/digest", "client/merkle", googleAPIs, grpc, operations, remoteAPIs},

	// The server.
	"localserver/bug":         {zerolog},
	"localserver/config":      {toml},
	"localserver/diskstore":   {"client/digest", badger, zstd, sys},
	"localserver/journal":     {"client/digest", badger},
	"localserver/localexec":   {"toolchains", sys},
	"localserver/materialize": {"client/digest", "depscan/ask", "toolchains", "wrapper/wire", sys},

	// The tests and programs of this folder.
	"integration":              {"integration/rig", testscript},
	"integration/arch":         {},
	"integration/rig":          {testscript, sys},
	"integration/debsrc":       {},
	"integration/differential": {"integration/rig", testscript},
	"integration/keytable":     {"integration/rig", testscript},
	"integration/projects":     {"integration/rig", "integration/debsrc"},
	"integration/faults":       {"integration/rig", "integration/debsrc", testscript, sys},
	"integration/bench":        {"integration/rig", "integration/debsrc"},
	"integration/demo":         {"integration/rig", "integration/debsrc"},
}

// testImports are third-party modules free to all tests.
var testImports = []string{"github.com/google/go-cmp", testscript, "go.uber.org/goleak"}

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
	}
	return slices.ContainsFunc(allowed, func(m string) bool { return imp == m || strings.HasPrefix(imp, m+"/") })
}
