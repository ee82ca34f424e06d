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
	microsoft string // FamilyMSVC or FamilyClangCL, empty for gcc's and clang's
	reason    string // of refusedName
}

// driverNamed knows the basenames, bare of triple and version, that belong to a
// driver of gcc or clang. Which of the two families it is, the program itself is
// asked.
func driverNamed(stem string) (cPlusPlus, ok bool) {
	switch stem {
	case "gcc", "cc", "clang", "c89", "c99":
		return false, true
	case "g++", "c++", "clang++":
		return true, true
	}
	return false, false
}

// refusalOf returns the reason why programs of a basename, bare of triple and
// version, are run unchanged without a further look; empty for none.
func refusalOf(stem string) string {
	switch stem {
	case "nvcc", "ispc":
		return stem
	case "hipcc":
		return "hip"
	case "gfortran", "flang", "f77", "f95", "ifort", "ifx":
		return "fortran"
	case "swift", "swiftc":
		return "swift"
	case "icl":
		return "not-a-compiler"
	case "go", "gccgo":
		return "go"
	case "gdc", "ldc2", "dmd":
		return "d"
	case "gnat", "gnatmake":
		return "ada"
	case "cpp", "clang-cpp", "tcc":
		return "not-a-compiler"
	case "ccache", "sccache", "distcc", "icecc", "icerun", "colorgcc", "buildcache", "kache", "recc", "rewrapper",
		"gomacc", "rexwrap", "afl-gcc", "afl-g++", "afl-clang", "afl-clang++", "afl-clang-fast", "afl-clang-fast++",
		"afl-cc", "afl-c++":
		return "other-wrapper"
	}
	return ""
}

// nameOf judges a basename: "gcc", "x86_64-linux-gnu-g++-12", "clang++-14.exe",
// "x86_64-w64-mingw32-gcc-posix", "clang-cl-14", "CL.EXE".
func nameOf(base string) naming {
	if name := strings.ToLower(base); name == "cl" || name == "cl.exe" {
		return naming{kind: compilerName, microsoft: FamilyMSVC}
	}
	for stem, more := bareName(base), true; more; _, stem, more = strings.Cut(stem, "-") {
		if reason := refusalOf(stem); reason != "" {
			return naming{kind: refusedName, reason: reason}
		}
		if cPlusPlus, ok := driverNamed(stem); ok {
			return naming{kind: compilerName, cPlusPlus: cPlusPlus}
		}
		if stem == FamilyClangCL {
			return naming{kind: compilerName, microsoft: FamilyClangCL}
		}
	}
	return naming{}
}

// bareName cuts ".exe", the thread model of MinGW and a version off a basename.
func bareName(base string) string {
	stem := strings.TrimSuffix(base, ".exe")
	if _, ok := driverNamed(stem); ok {
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
