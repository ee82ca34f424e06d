//go:build linux

package projects

// A project is one upstream source and how it is built.
type project struct {
	name string
	// sources are Debian source packages by the folder they go to; "" is
	// the project's own.
	sources map[string]string
	// configure, if any, and script run in the project's folder. $CC and
	// $CXX are names of compilers, found on PATH, where masquerade links
	// stand for rexwrap. Hits are asked of script only: what configure
	// compiles has names of its own in every run.
	configure, script string
	// noise are patterns of files that no two builds leave the same, by
	// name or by path: logs, dependency databases.
	noise []string
	// large projects are built on demand only.
	large bool
	// anywhere: no path reaches an object, so that a second checkout can
	// share all entries. CMake gives compilers absolute paths, which
	// __FILE__ then carries.
	anywhere bool
}

func projects() []project {
	cmakeNoise := []string{
		".ninja_log", ".ninja_deps", "CMakeOutput.log", "CMakeError.log", "CMakeCache.txt", "CMakeTmp/*", "Testing/*",
		// They name the compiler that CMake has found: ours in one build.
		"CMakeCCompiler.cmake", "CMakeCXXCompiler.cmake", "rules.ninja", "build.make", "flags.make", "link.txt",
	}
	return []project{
		{
			name: "lua5.4", sources: map[string]string{"": "lua5.4"},
			script:   `make -j2 -C src linux CC="$CC -std=gnu99" MYCFLAGS=-O0`,
			anywhere: true,
		},
		{
			name: "zlib", sources: map[string]string{"": "zlib"},
			configure: `CFLAGS=-O0 ./configure`,
			script:    `make -j2 libz.a`,
			noise:     []string{"configure.log"},
			anywhere:  true,
		},
		{
			name: "redis", sources: map[string]string{"": "redis"}, large: true,
			script:   `make -j2 MALLOC=libc CC="$CC" OPTIMIZATION=-O2 DEBUG= DEBUG_FLAGS= V=1`,
			anywhere: true,
		},
		{
			// autotools and libtool; the files of configure hold the path.
			name: "xz-utils", sources: map[string]string{"": "xz-utils"}, large: true,
			configure: `./configure --disable-nls CC="$CC" CFLAGS=-O1`,
			script:    `make -j2`,
			noise:     []string{"config.log"},
		},
		{
			name: "fmtlib", sources: map[string]string{"": "fmtlib", "gt": "googletest"}, large: true,
			configure: `mkdir -p test/gtest && cat >test/gtest/CMakeLists.txt <<'EOF'
set(GT ${PROJECT_SOURCE_DIR}/gt)
add_library(gtest STATIC ${GT}/googletest/src/gtest-all.cc ${GT}/googlemock/src/gmock-all.cc)
target_include_directories(gtest PUBLIC ${GT}/googletest ${GT}/googletest/include ${GT}/googlemock ${GT}/googlemock/include)
EOF
cmake -G Ninja -S . -B build -DFMT_DOC=OFF`,
			script: `ninja -j2 -C build`,
			noise:  cmakeNoise,
		},
		{
			name: "protobuf", sources: map[string]string{"": "protobuf"}, large: true,
			configure: `cmake -S . -B build -Dprotobuf_BUILD_TESTS=OFF -DCMAKE_BUILD_TYPE=Release`,
			script:    `make -j2 -C build`,
			noise:     cmakeNoise,
		},
	}
}
