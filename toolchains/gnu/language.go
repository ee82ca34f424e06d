package gnu

import "slices"

// IsHeader reports whether lang is that of a header to precompile.
func IsHeader(lang string) bool {
	switch lang {
	case "c-header", "c++-header", "objective-c-header", "objective-c++-header":
		return true
	}
	return false
}

// IsPreprocessed reports whether sources in lang go through the preprocessor,
// so that they include files and have dep-files.
func IsPreprocessed(lang string) bool {
	switch lang {
	case "c", "c++", "objective-c", "objective-c++", "assembler-with-cpp":
		return true
	}
	return IsHeader(lang)
}

// IsAssembler reports whether sources in lang go to the assembler only.
func IsAssembler(lang string) bool { return lang == "assembler" || lang == "assembler-with-cpp" }

// IsCompiled reports whether the families compile lang.
func IsCompiled(lang string) bool {
	switch lang {
	case "cpp-output", "c++-cpp-output", "objective-c-cpp-output", "objective-c++-cpp-output", "assembler", "ir":
		return true
	}
	return IsPreprocessed(lang)
}

// ByLanguage returns list's answers for all languages that the families
// compile. They are shared by the calls of a family: not to be changed.
func ByLanguage(list func(lang string) []string) map[string][]string {
	lists := map[string][]string{}
	for _, lang := range []string{
		"assembler", "assembler-with-cpp", "c", "c++", "c++-cpp-output", "c++-header", "c-header", "cpp-output", "ir",
		"objective-c", "objective-c++", "objective-c++-cpp-output", "objective-c++-header", "objective-c-cpp-output",
		"objective-c-header",
	} {
		lists[lang] = slices.Clip(list(lang))
	}
	return lists
}

// Normal returns the one spelling of lang where compilers know several.
func Normal(lang string) string {
	switch lang {
	case "objc-cpp-output":
		return "objective-c-cpp-output"
	case "objc++-cpp-output":
		return "objective-c++-cpp-output"
	case "c-cpp-output":
		return "cpp-output"
	}
	return lang
}

// CPlusPlus returns the language in which a driver for C++ compiles files that
// by their suffix are in lang.
func CPlusPlus(lang string) string {
	switch lang {
	case "c":
		return "c++"
	case "c-header":
		return "c++-header"
	case "cpp-output":
		return "c++-cpp-output"
	}
	return lang
}

// SearchVariables returns the names of the variables that add directories to
// the include search path of lang, sorted.
func SearchVariables(lang string) []string {
	switch lang {
	case "c", "c-header", "assembler-with-cpp":
		return []string{"CPATH", "C_INCLUDE_PATH"}
	case "c++", "c++-header":
		return []string{"CPATH", "CPLUS_INCLUDE_PATH"}
	case "objective-c", "objective-c-header":
		return []string{"CPATH", "OBJC_INCLUDE_PATH"}
	case "objective-c++", "objective-c++-header":
		return []string{"CPATH", "OBJCPLUS_INCLUDE_PATH"}
	}
	return nil
}

// Variables returns the sorted union of lists.
func Variables(lists ...[]string) []string {
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all)
}
