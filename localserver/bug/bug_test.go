package bug

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

func TestReportPanicsUnderTest(t *testing.T) {
	defer func() {
		if got := recover(); got != "bug: entry 3 of 2" {
			t.Errorf("recovered %v", got)
		}
	}()
	Report(zerolog.Nop(), "entry %d of %d", 3, 2)
	t.Error("Report returned")
}

func TestCheck(t *testing.T) {
	if !Check(zerolog.Nop(), true, "never said") {
		t.Error("Check(true) = false")
	}
	defer func() {
		if recover() == nil {
			t.Error("Check(false) did not report")
		}
	}()
	Check(zerolog.Nop(), false, "said")
}

func TestWriteNamesPlaceAndInvariant(t *testing.T) {
	var out bytes.Buffer
	write(zerolog.New(&out), "pkg.F:12", "lost lock")
	for _, want := range []string{`"bug":"lost lock"`, `"at":"pkg.F:12"`, `"level":"error"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("log line %s lacks %s", out.String(), want)
		}
	}
}
