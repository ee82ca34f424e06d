package wrapper

import (
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	escape := func(arg string) string { return "<" + arg + ">" }
	for _, tt := range []struct {
		raw       string
		own, argv string // words, separated by "|"
		want      string
	}{
		{`rexwrap cl /c a.c`, `rexwrap|cl|/c|a.c`, `cl|/c|a.c`, `cl /c a.c`},
		{`"C:\r w\rexwrap.exe"  cl  /DA="b c" `, `C:\r w\rexwrap.exe|cl|/DA=b c`, `cl|/DA=b c`, `cl  /DA="b c" `},
		{`rexwrap cl "a\"b c" d`, `rexwrap|cl|a"b c|d`, `C:\cl.exe|a"b c|d`, `<C:\cl.exe> "a\"b c" d`},
		{`"C:\x\" a\\ "b\\" c`, `C:\x\|a\\|b\|c`, `cl|a\\|b\|c`, `<cl> a\\ "b\\" c`},
		{`rexwrap /c a.c`, `rexwrap|/c|a.c`, `cl|-m32|/c|a.c`, `<cl> <-m32> /c a.c`},
		{`rexwrap cl /c a.c`, `rexwrap|cl|/c|a.c`, `cl|/c|a.c|/more`, `<cl> </c> <a.c> </more>`},
		{`rexwrap cl /c a.c`, `rexwrap|cl|/c|a.c`, `cl|/more|/c|a.c`, `<cl> </more> /c a.c`},
		{`rexwrap cl`, `rexwrap|cl`, `cl`, `cl`},
		{`cl`, `cl`, `C:\cl.exe`, `<C:\cl.exe>`},
		{`rexwrap`, `rexwrap|cl|x`, `C:\cl.exe|x`, `<C:\cl.exe> <x>`},
	} {
		got := commandLine(strings.Split(tt.argv, "|"), strings.Split(tt.own, "|"), tt.raw, escape)
		if got != tt.want {
			t.Errorf("%s for %s: %s, want %s", tt.raw, tt.argv, got, tt.want)
		}
	}
}
