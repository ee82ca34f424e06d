package toolchains

import (
	"path/filepath"
	"slices"
	"strings"
)

// What a program's name says of it.
type nameKind uint8

const (
	unknownName  nameKind = iota
	compilerName          // a driver of the gcc or clang family
	refusedName           // something else, with a reason
)

// A naming is the verdict on one basename.
type naming struct {
	kind      nameKind
	cPlusPlus bool
	reason    string // of refusedName
}

// drivers are the basenames, bare of triple and version, that belong to a
// driver of gcc or clang; the value says whether it compiles .c as C++. Which
// of the two families it is, the program itself is asked.
var drivers = map[string]bool{
	"gcc": false, "cc": false, "clang": false, "c89": false, "c99": false,
	"g++": true, "c++": true, "clang++": true,
}

// refused are the basenames, bare of triple and version, of programs that are
// run unchanged without a further look.
var refused = map[string]string{
	"nvcc": "nvcc", "hipcc": "hip", "ispc": "ispc",
	"gfortran": "fortran", "flang": "fortran", "f77": "fortran", "f95": "fortran", "ifort": "fortran", "ifx": "fortran",
	"swiftc": "swift", "swift": "swift", "rustc": "rustc-not-yet",
	"cl": "msvc-not-yet", "clang-cl": "msvc-not-yet", "icl": "msvc-not-yet",
	"gccgo": "go", "go": "go", "gdc": "d", "ldc2": "d", "dmd": "d", "gnat": "ada", "gnatmake": "ada",
	"cpp": "not-a-compiler", "clang-cpp": "not-a-compiler", "tcc": "not-a-compiler",
	"ccache": "other-wrapper", "sccache": "other-wrapper", "distcc": "other-wrapper", "icecc": "other-wrapper",
	"icerun": "other-wrapper", "colorgcc": "other-wrapper", "buildcache": "other-wrapper", "kache": "other-wrapper",
	"recc": "other-wrapper", "rewrapper": "other-wrapper", "gomacc": "other-wrapper", "rexwrap": "other-wrapper",
	"afl-gcc": "other-wrapper", "afl-g++": "other-wrapper", "afl-clang": "other-wrapper", "afl-clang++": "other-wrapper",
	"afl-clang-fast": "other-wrapper", "afl-clang-fast++": "other-wrapper", "afl-cc": "other-wrapper", "afl-c++": "other-wrapper",
}

// nameOf judges a basename: "gcc", "x86_64-linux-gnu-g++-12", "clang++-14.exe",
// "x86_64-w64-mingw32-gcc-posix".
func nameOf(base string) naming {
	stem := bareName(base)
	if reason, ok := refused[stem]; ok {
		return naming{kind: refusedName, reason: reason}
	}
	for {
		if cPlusPlus, ok := drivers[stem]; ok {
			return naming{kind: compilerName, cPlusPlus: cPlusPlus}
		}
		_, rest, ok := strings.Cut(stem, "-")
		if !ok {
			return naming{}
		}
		stem = rest
		if reason, ok := refused[stem]; ok {
			return naming{kind: refusedName, reason: reason}
		}
	}
}

// bareName cuts ".exe", the thread model of MinGW and a version off a basename.
func bareName(base string) string {
	stem := strings.TrimSuffix(base, ".exe")
	if _, ok := drivers[stem]; ok {
		return stem // c89
	}
	for _, model := range []string{"-posix", "-win32"} {
		stem = strings.TrimSuffix(stem, model)
	}
	if i := strings.LastIndexByte(stem, '-'); i > 0 && isVersion(stem[i+1:]) {
		stem = stem[:i]
	}
	if i := strings.LastIndexAny(stem, "gc+"); i >= 0 && isVersion(stem[i+1:]) {
		stem = stem[:i+1] // "gcc12", "clang++15" on the BSDs
	}
	return stem
}

func isVersion(s string) bool {
	return s != "" && s[0] >= '0' && s[0] <= '9' &&
		!strings.ContainsFunc(s, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
}

// judge combines what the name of a program and that of the file behind its
// symbolic links say: a wrapper or another language behind the link decides, else
// the first name that is known.
func judge(program, real string) naming {
	names := []naming{nameOf(filepath.Base(program)), nameOf(filepath.Base(real))}
	for _, kind := range []nameKind{refusedName, compilerName} {
		if i := slices.IndexFunc(names, func(n naming) bool { return n.kind == kind }); i >= 0 {
			return names[i]
		}
	}
	return naming{}
}
