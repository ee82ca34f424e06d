package scancorpus

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A unit is one compile of the corpus.
type unit struct {
	corpus string
	dir    string
	argv   []string
}

// A project is a source package with the command lines of its compiles.
type project struct {
	name    string
	pkg     string // glob of the unpacked folder
	prepare string // shell commands that make what the sources include
	globs   []string
	flags   []string
	cxx     bool
}

func projects() []project {
	return []project{
		{
			name: "redis", pkg: "redis-*",
			prepare: `cd src && [ -e release.h ] || sh mkreleasehdr.sh`,
			globs:   []string{"src/*.c", "deps/hiredis/*.c", "deps/lua/src/*.c", "deps/linenoise/*.c", "deps/hdr_histogram/*.c"},
			flags: []string{
				"-std=c11", "-D_REDIS", "-DREDIS_STATIC=", "-O2", "-Ideps/hiredis", "-Ideps/linenoise",
				"-Ideps/lua/src", "-Ideps/hdr_histogram",
			},
		},
		{
			name: "git", pkg: "git-*",
			prepare: `make -s command-list.h config-list.h hook-list.h >/dev/null`,
			globs:   []string{"*.c", "*/*.c", "*/*/*.c"},
			flags: []string{
				"-I.", "-O2", "-DHAVE_ALLOCA_H", "-DUSE_CURL_FOR_IMAP_SEND", "-DSHA1_DC", "-DSHA256_BLK",
				"-DGIT_HOST_CPU=\"x\"", "-DHAVE_PATHS_H", "-DHAVE_CLOCK_GETTIME", "-DHAVE_SYNC_FILE_RANGE", "-DETC_GITCONFIG=\"x\"",
			},
		},
		{name: "lua", pkg: "lua5.4-*", prepare: `echo '#define DEB_HOST_MULTIARCH "x"' >src/lua5.4-deb-multiarch.h`, globs: []string{"src/*.c"}, flags: []string{"-std=gnu99", "-O2", "-DLUA_COMPAT_5_3", "-DLUA_USE_LINUX"}},
		{
			name: "sqlite", pkg: "sqlite3-*",
			prepare: `[ -e sqlite3.h ] || { cp src/sqlite.h.in sqlite3.h; touch opcodes.h parse.h keywordhash.h config.h; }`,
			globs:   []string{"src/*.c", "ext/*/*.c"},
			flags:   []string{"-I.", "-Isrc", "-Iext/rtree", "-Iext/fts3", "-O2", "-D_HAVE_SQLITE_CONFIG_H", "-DSQLITE_CORE", "-DSQLITE_ENABLE_FTS3"},
		},
		{name: "zlib", pkg: "zlib-*", globs: []string{"*.c", "test/*.c", "contrib/*/*.c", "examples/*.c"}, flags: []string{"-I.", "-O3", "-D_LARGEFILE64_SOURCE=1", "-DHAVE_HIDDEN"}},
		{
			name: "fmt", pkg: "fmtlib-*", cxx: true,
			globs: []string{"src/*.cc", "test/*.cc", "test/*/*.cc"},
			flags: []string{"-Iinclude", "-Itest", "-Itest/gtest", "-std=gnu++17", "-O2", "-DFMT_LIB_EXPORT"},
		},
		{
			name: "protobuf", pkg: "protobuf-*", cxx: true,
			globs: []string{"src/google/protobuf/*.cc", "src/google/protobuf/*/*.cc", "src/google/protobuf/*/*/*.cc"},
			flags: []string{"-Isrc", "-Ithird_party/googletest/googletest/include", "-DHAVE_PTHREAD=1", "-DHAVE_ZLIB=1", "-std=c++14", "-O2", "-g"},
		},
	}
}

// units lists the compiles of all projects below root.
func (p *project) units(t testing.TB, root, cc string) []unit {
	dirs, err := filepath.Glob(filepath.Join(root, "src", p.pkg))
	if err != nil {
		t.Fatal(err)
	}
	dirs = slices.DeleteFunc(dirs, func(d string) bool { fi, err := os.Stat(d); return err != nil || !fi.IsDir() })
	if len(dirs) != 1 {
		t.Fatalf("%s: %d folders %s", p.name, len(dirs), p.pkg)
	}
	if p.prepare != "" {
		cmd := exec.Command("sh", "-c", p.prepare)
		cmd.Dir = dirs[0]
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("prepare %s: %v: %s", p.name, err, out)
		}
	}
	var out []unit
	for _, g := range p.globs {
		files, err := filepath.Glob(filepath.Join(dirs[0], g))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no files %s", p.name, g)
		}
		for _, f := range files {
			rel, _ := filepath.Rel(dirs[0], f)
			argv := slices.Concat([]string{driver(cc, p.cxx)}, p.flags, []string{"-c", rel})
			out = append(out, unit{p.name, dirs[0], argv})
		}
	}
	return out
}

func driver(cc string, cxx bool) string {
	switch {
	case cxx && cc == "gcc":
		return "/usr/bin/g++"
	case cxx:
		return "/usr/bin/clang++"
	}
	return "/usr/bin/" + cc
}

// headers returns compiles of one header each, written into dir.
func headers(t testing.TB, dir, corpus string, cxx bool, list, flags []string, ccs ...string) []unit {
	var out []unit
	ext := ".c"
	if cxx {
		ext = ".cc"
	}
	for _, h := range list {
		src := corpus + "_" + strings.NewReplacer("/", "_", ".", "_").Replace(h) + ext
		if err := os.WriteFile(filepath.Join(dir, src), []byte("#include <"+h+">\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		for _, cc := range ccs {
			out = append(out, unit{corpus, dir, slices.Concat([]string{driver(cc, cxx)}, flags, []string{"-c", src})})
		}
	}
	return out
}

// walk lists the headers below root, relative to it, every nth of them.
func walk(t testing.TB, root string, nth int, keep func(rel string) bool) []string {
	var out []string
	n := 0
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, p)
		if keep(rel) {
			if n%nth == 0 {
				out = append(out, rel)
			}
			n++
		}
		return nil
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("headers below %s: %d, %v", root, len(out), err)
	}
	return out
}
