package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// script runs a program with its output in files, and says in a third how it ended.
const script = `program=$1 dir=$2; shift 2; "$program" "$@" >"$dir/out" 2>"$dir/err"; echo $? >"$dir/ending"; mv "$dir/ending" "$dir/ended"`

// bridge runs Linux's clang-cl, which is there where Wine is, and returns its status.
// Wine starts such a program, but does not tell how it ends. FAKECL_DRIVE_C is the
// folder that Wine shows as drive C:.
func bridge(args []string) int {
	dir, err := os.MkdirTemp(filepath.Dir(os.Getenv("FAKECL_LOG")), "bridge")
	if err != nil {
		return fail("D8037", "%v", err)
	}
	defer os.Remove(dir)
	argv := []string{"sh", "-c", script, "sh", "clang-cl-14", onLinux(dir)}
	for _, arg := range args {
		argv = append(argv, onLinux(arg))
	}
	if _, err := os.StartProcess(`Z:\bin\sh`, argv, &os.ProcAttr{Files: []*os.File{nil, nil, nil}}); err != nil {
		return fail("D8037", "%v", err)
	}
	ended := filepath.Join(dir, "ended")
	await(ended)
	status := 0
	for name, to := range map[string]*os.File{"out": os.Stdout, "err": os.Stderr, "ended": nil} {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return fail("D8037", "%v", err)
		}
		if to != nil {
			_, _ = to.Write(text)
		} else if _, err := fmt.Sscan(string(text), &status); err != nil {
			return fail("D8037", "%v", err)
		}
		_ = os.Remove(path)
	}
	return status
}

// onLinux returns an argument with its paths as Linux has them.
func onLinux(arg string) string {
	arg = strings.ReplaceAll(arg, `\`, "/")
	arg = strings.ReplaceAll(arg, "C:/", os.Getenv("FAKECL_DRIVE_C")+"/")
	return strings.ReplaceAll(arg, "Z:/", "/")
}
