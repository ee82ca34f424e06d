// Look opens the files of its arguments, of those after "stat:" it only asks for
// the attributes, and writes the names of those that are there into the file
// "out".
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	var found strings.Builder
	for _, name := range os.Args[1:] {
		var err error
		if asked, ok := strings.CutPrefix(name, "stat:"); ok {
			_, err = os.Stat(asked)
		} else {
			_, err = os.ReadFile(name)
		}
		if err == nil {
			fmt.Fprintln(&found, name)
		}
	}
	if os.WriteFile("out", []byte(found.String()), 0o600) != nil {
		os.Exit(3)
	}
}
