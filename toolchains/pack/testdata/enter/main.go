//go:build linux

// Enter makes BASE the root, enters DIR there and executes the rest.
package main

import (
	"fmt"
	"os"
	"syscall"
)

func main() {
	base, dir, argv := os.Args[1], os.Args[2], os.Args[3:]
	for _, step := range []func() error{
		func() error { return syscall.Chroot(base) },
		func() error { return syscall.Chdir(dir) },
		func() error { return syscall.Exec(argv[0], argv, os.Environ()) },
	} {
		if err := step(); err != nil {
			fmt.Fprintln(os.Stderr, "enter:", err)
			os.Exit(125)
		}
	}
}
