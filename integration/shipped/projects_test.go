//go:build linux

package shipped

import (
	"slices"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A project is one upstream source with the compiles of its build.
type project struct {
	name    string
	sources map[string]string // Debian source packages by folder
	// configure and script run in the project's folder; $CC and $CXX are
	// compilers.
	configure, script string
	on                []string // compilers, by the name of the C one
	more              []string // those of a long run besides
	twice             []string // those by which it is built again, by another server
	large             bool
	// local says how many calls of the script are compiles that no worker
	// is asked for, by the reason that is counted.
	local map[string]int64
}

func (p *project) compilers() []string {
	if rig.Long() {
		return slices.Concat(p.on, p.more)
	}
	return p.on
}

func projects() []project {
	cross := "aarch64-linux-gnu-gcc"
	return []project{
		{
			name: "lua5.4", sources: map[string]string{"": "lua5.4"}, on: []string{"gcc"}, more: []string{"clang"}, twice: []string{"gcc"},
			script: `make -j4 -C src MYCFLAGS="-g -O0" liblua.a CC="$CC -std=gnu99"`,
		},
		{
			name: "zlib", sources: map[string]string{"": "zlib"}, on: []string{"clang", cross}, more: []string{"gcc"},
			configure: `CFLAGS="-O0" ./configure --static`,
			script:    `make -j4 libz.a`,
		},
		{
			name: "redis", sources: map[string]string{"": "redis"}, on: []string{"gcc", "clang"}, large: true,
			script: `make -j4 MALLOC=libc CC="$CC" OPTIMIZATION=-O2 DEBUG= DEBUG_FLAGS= V=1`,
		},
		{
			name: "fmtlib", sources: map[string]string{"": "fmtlib"}, on: []string{"gcc", "clang"}, large: true,
			configure: `cmake -G Ninja -S . -B build -DFMT_DOC=OFF -DFMT_TEST=OFF -DCMAKE_BUILD_TYPE=RelWithDebInfo`,
			script:    `ninja -j4 -C build`,
		},
		{
			name: "protobuf", sources: map[string]string{"": "protobuf"}, on: []string{"gcc", "clang"}, large: true,
			configure: `cmake -S . -B build -Dprotobuf_BUILD_TESTS=OFF -DCMAKE_BUILD_TYPE=Release`,
			script:    `make -j4 -C build`,
		},
	}
}
