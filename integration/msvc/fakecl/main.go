// Fakecl speaks cl.exe's command line, for tests: clang-cl makes the objects, whose types
// fakecl then moves into a program database, as cl.exe /Zi does. It shows what makes cl.exe
// hard to cache:
//
//   - A database is locked while its types are written. Without /FS a second compile that
//     wants it fails with C1041; with /FS, or /MP, it is written under the lock of a
//     server, fakecl itself, that the first compile starts and that outlives the build. Each
//     value of _MSPDBSRV_ENDPOINT_ has its own, and starting one is noted in the file that
//     FAKECL_LOG names.
//   - A precompiled header fits only the database that it was made with: of another name
//     (C2858), or of another GUID (C2859).
//   - The names of sources go to stdout before everything else, with all messages. Those of
//     headers (/showIncludes) are absolute.
//   - Of several sources each is compiled, whatever becomes of the others; the status is 2
//     where one fails.
//
// A source of one line that begins with "// made-up" is not compiled: two numbers behind that
// say how many types of its own, and of those that all such sources have, it then has.
//
// The compiler behind it is the first clang-cl, or clang-cl-14, of PATH.
package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"sync"
)

// greeting is what cl.exe says when it has nothing to do.
const greeting = `Microsoft (R) C/C++ Optimizing Compiler Version 19.38.33130 for x64
Copyright (C) Microsoft Corporation.  All rights reserved.

usage: cl [ option... ] filename... [ /link linkoption... ]
`

// failed is cl.exe's status for everything that goes wrong.
const failed = 2

func main() {
	_ = os.Unsetenv("PWD") // of working directories the system's own names count
	if len(os.Args) == 3 && os.Args[1] == serverOption {
		serve(os.Args[2])
		return
	}
	if len(os.Args) == 1 && os.Getenv("CL") == "" {
		fmt.Fprint(os.Stderr, greeting)
		return
	}
	l, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "cl : Command line error D8003 :", err)
		os.Exit(failed)
	}
	if !l.nologo {
		fmt.Fprintln(os.Stderr, "Microsoft (R) C/C++ Optimizing Compiler Version 19.38.33130 for x64")
	}
	os.Exit(l.run())
}

// run compiles all sources and returns the status.
func (l *line) run() int {
	status := 0
	outputs := make([]bytes.Buffer, len(l.sources))
	statuses := make([]int, len(l.sources))
	done := make([]chan struct{}, len(l.sources))
	slots := make(chan struct{}, 1)
	if l.parallel {
		slots = make(chan struct{}, runtime.NumCPU())
	}
	var all sync.WaitGroup
	for i := range l.sources {
		done[i] = make(chan struct{})
		all.Go(func() {
			defer close(done[i])
			if !l.parallel && i > 0 {
				<-done[i-1]
			}
			slots <- struct{}{}
			statuses[i] = l.compile(&l.sources[i], &outputs[i])
			<-slots
		})
	}
	for i := range l.sources {
		<-done[i]
		_, _ = os.Stdout.Write(outputs[i].Bytes())
		status = max(status, statuses[i])
	}
	all.Wait()
	return status
}
