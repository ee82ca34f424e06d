// Fakecl is a compiler for tests on Windows, or on what stands in for it: it has
// cl.exe's command line and its messages, and its "objects" are the text that it
// has read with the macros that it was given. Copies of other names are other
// programs:
//
//	clang-cl.exe       is the clang-cl of the Linux that Wine runs on
//	args.exe           prints its command line as the system holds it
//	hold.exe FILE HOW  opens FILE as HOW says (shared, alone), says so and waits for
//	                   the end of its input
//	kill.exe PID       kills a process
//	alive.exe PID      has status 0 as long as a process runs
//	together.exe ARGS  runs ARGS with one pipe for its output and its errors
//
// Variables make the compiler do what real ones do at times: FAKECL_LOG names a
// file that each run adds a line to, FAKECL_GATE one that it waits for before it
// ends, and FAKECL_LEAVE is set where it leaves a process behind that keeps its
// output open until the file of that name is there; its number is in a file beside that,
// called .pid. FAKECL_LOG's own .pid has the number of the compiler that ran last.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(os.Args[0])), ".exe")
	switch {
	case name == "clang-cl":
		os.Exit(bridge(os.Args[1:]))
	case name == "args":
		fmt.Println(rawCommandLine())
	case name == "hold":
		hold(os.Args[1], os.Args[2])
	case name == "kill":
		kill(os.Args[1])
	case name == "alive":
		if !isAlive(number(os.Args[1])) {
			os.Exit(1)
		}
	case name == "together":
		out, err := exec.Command(os.Args[1], os.Args[2:]...).CombinedOutput()
		_, _ = os.Stdout.Write(out)
		if err != nil {
			os.Exit(1)
		}
	case len(os.Args) == 3 && os.Args[1] == "await":
		await(os.Args[2])
	case len(os.Args) == 1:
		fmt.Fprint(os.Stderr, "Microsoft (R) C/C++ Optimizing Compiler Version 19.38.33130 for x64\r\n"+
			"Copyright (C) Microsoft Corporation.  All rights reserved.\r\n\r\n"+
			"usage: cl [ option... ] filename... [ /link linkoption... ]\r\n")
	default:
		status := compile(os.Args[1:])
		await(os.Getenv("FAKECL_GATE"))
		os.Exit(status)
	}
}

// await waits for a file, or not at all where there is no name.
func await(name string) {
	for name != "" {
		if _, err := os.Stat(name); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// compile is one run of the compiler. It returns the exit status.
func compile(words []string) int {
	note()
	if gate := os.Getenv("FAKECL_LEAVE"); gate != "" {
		left := exec.Command(os.Args[0], "await", gate)
		left.Stdout, left.Stderr = os.Stdout, os.Stderr
		if err := left.Start(); err != nil {
			return fail("D8037", "cannot leave a process behind: %v", err)
		}
		notePID(gate, left.Process.Pid)
	}
	c, err := parse(words)
	if err != nil {
		return fail("D8022", "%v", err)
	}
	status := 0
	for _, source := range c.sources {
		status = max(status, c.one(source))
	}
	return status
}

func note() {
	log := os.Getenv("FAKECL_LOG")
	if log == "" {
		return
	}
	notePID(log, os.Getpid()) // before there is the log, which tests wait for
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return
	}
	fmt.Fprintln(f, strings.Join(os.Args[1:], " "))
	f.Close()
}

func notePID(path string, pid int) {
	_ = os.WriteFile(path+".pid", []byte(strconv.Itoa(pid)), 0o666) // whoever reads it will miss it
}

func fail(code, format string, args ...any) int {
	fmt.Printf("Command line error "+code+" : "+format+"\r\n", args...)
	return 2
}

// hold keeps a file open until stdin ends.
func hold(path, how string) {
	f, err := openAs(path, how)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	f.Close()
}

func kill(pid string) {
	p, err := os.FindProcess(number(pid))
	if err == nil {
		err = p.Kill()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// number returns what a text says, 0, which no process has, for what is no number.
func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}
