package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func rulesOf(text string) []rule {
	var out []rule
	for word := range strings.FieldsSeq(text) {
		old, to, _ := strings.Cut(word, "=")
		out = append(out, rule{old, to})
	}
	return out
}

func TestCompose(t *testing.T) {
	for _, tt := range []struct{ name, user, want string }{
		{"none", "", "W=/p/b"},
		{"above", "/p=X", "W=X/b"},
		{"root", "/=R/", "W=R/p/b"},
		{"itself", "/p/b=.", "W=."},
		{"below", "/p/b/gen=G", "W/gen=G W=/p/b"},
		{"part of a name", "/p/b/sr=Q", "W/sr=Q W=/p/b"},
		{"several", "/p/b/gen=G /p/b=B /p=P", "W/gen=G W=B"},
		{"hidden", "/p=P /p/b=B", "W=P/b"},
		{"elsewhere", "/q=Q", "W=/p/b"},
		{"with a slash", "/p/=", "W=b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := compose(rule{"W", "/p/b"}, rulesOf(tt.user))
			if diff := cmp.Diff(rulesOf(tt.want), got, cmp.AllowUnexported(rule{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzCompose checks compose by its meaning: what the composed maps make of a
// worker's name is what the user's maps make of the client's.
func FuzzCompose(f *testing.F) {
	f.Add("/p", "/x.c", "/p=X /p/s=Y")
	f.Add("/p/b", "/gen/x.h", "/p/b/=. /p=Q /=R")
	f.Fuzz(func(t *testing.T, local, rest, user string) {
		if strings.ContainsAny(local+rest, "=") || strings.Contains(user, "W") || strings.Contains(rest, "W") {
			return
		}
		rules := rulesOf(user)
		composed := compose(rule{"W", local}, rules)
		if got, want := apply(composed, "W"+rest), apply(rules, local+rest); got != want {
			t.Errorf("%q with %q: %q, want %q, by %v", local+rest, user, got, want, composed)
		}
	})
}

func apply(rules []rule, p string) string {
	for _, r := range rules {
		if rest, ok := strings.CutPrefix(p, r.old); ok {
			return r.new + rest
		}
	}
	return p
}

func TestOrders(t *testing.T) {
	rules := rulesOf("/a=1 /a/b=2 /a=3")
	if diff := cmp.Diff(rulesOf("/a=3 /a/b=2 /a=1"), lastFirst(rules), cmp.AllowUnexported(rule{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(rulesOf("/a/b=2 /a=3 /a=1"), longestFirst(rules), cmp.AllowUnexported(rule{})); diff != "" {
		t.Error(diff)
	}
}
