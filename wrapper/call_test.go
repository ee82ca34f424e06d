package wrapper

import (
	"strings"
	"testing"
)

func TestSharesDatabase(t *testing.T) {
	for call, want := range map[string]bool{
		"/vc/cl.exe /c /Zi a.c": true, "/vc/CL.EXE -c -ZI a.c": foldName("CL") == "cl", "/bin/cl @args.rsp": true,
		"/vc/cl.exe /c /Z7 a.c": false, "/vc/cl.exe /c /Zinline a.c": false, "/usr/bin/clang-cl /Zi a.c": false, "/usr/bin/gcc @args": false,
	} {
		words := strings.Fields(call)
		if got := sharesDatabase(words[0], words[1:]); got != want {
			t.Errorf("%s: %t", call, got)
		}
	}
}
