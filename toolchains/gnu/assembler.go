package gnu

import "strings"

// IsAssemblerFlag reports whether word, from behind -Wa, is known to change the
// object or messages only, for the GNU assembler and clang's own.
func IsAssemblerFlag(word string) bool {
	switch word {
	case "--noexecstack", "--execstack", "--fatal-warnings", "--warn", "--no-warn", "-W", "-L", "--keep-locals",
		"-Z", "-J", "-K", "-f", "-D", "-n", "-EL", "-EB", "-KPIC", "-k", "-q", "--32", "--64", "--x32", "--divide",
		"--strip-local-absolute", "--traditional-format", "--reduce-memory-overheads", "--no-pad-sections",
		"--trap", "--no-trap", "--break", "--no-break", "--pic", "-Qy", "-Qn", "-s", "-w", "-x", "--sectname-subst":
		return true
	}
	for _, prefix := range []string{
		"-m", "-g", "--g", "-O", "--compress-debug-sections", "--nocompress-debug-sections", "--elf-stt-common=",
		"--generate-missing-build-notes=", "--size-check=", "--hash-size=", "--multibyte-handling=", "--debug-prefix-map=",
	} {
		if strings.HasPrefix(word, prefix) {
			return true
		}
	}
	return false
}
