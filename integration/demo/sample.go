package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sampleFiles is how many sources the sample has.
const sampleFiles = 24

// writeSample writes a program of many small sources with a Makefile.
func writeSample(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var objects, calls, names strings.Builder
	for i := range sampleFiles {
		fmt.Fprintf(&objects, " f%d.o", i)
		fmt.Fprintf(&names, "int f%d(int);\n", i)
		fmt.Fprintf(&calls, "\tn += f%d(argc);\n", i)
		if err := write(dir, fmt.Sprintf("f%d.c", i), sampleSource(i)); err != nil {
			return err
		}
	}
	if err := write(dir, "main.c", fmt.Sprintf("%sint main(int argc, char **argv)\n{\n\tint n = 0;\n\t(void)argv;\n%s\treturn n == 0;\n}\n", names.String(), calls.String())); err != nil {
		return err
	}
	return write(dir, "Makefile", fmt.Sprintf("sample: main.o%s\n\t$(CC) -o $@ $^\n", objects.String()))
}

// sampleSource is a source that keeps a compiler busy for a moment.
func sampleSource(i int) string {
	var b strings.Builder
	b.WriteString("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n")
	for j := range 40 {
		fmt.Fprintf(&b, "static int g%d(const char *s, int n)\n{\n\tchar buf[64];\n\tfor (int k = 0; k < n; k++)\n\t\tn ^= snprintf(buf, sizeof buf, \"%%s-%%d\", s, k * %d) + (int)strlen(buf);\n\treturn n;\n}\n", j, i+j)
	}
	fmt.Fprintf(&b, "int f%d(int n)\n{\n", i)
	for j := range 40 {
		fmt.Fprintf(&b, "\tn += g%d(\"%d\", n %% 7);\n", j, j)
	}
	b.WriteString("\treturn n;\n}\n")
	return b.String()
}

func write(dir, name, text string) error {
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}
