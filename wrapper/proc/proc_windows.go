package proc

import "os"

// Args returns the program's arguments, its own name first.
func Args() []string { return os.Args }

// Environ returns the environment of the process.
func Environ() []string { return os.Environ() }

// Exit ends the process.
func Exit(status int) { os.Exit(status) }

// Executable returns the path of the program's file, empty where it is unknown.
func Executable() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return path
}
