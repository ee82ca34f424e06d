package argtable

import (
	"strings"
	"testing"
)

func sample() []Option {
	return []Option{
		{"-D", AsJoined | AsSeparate, Macro, ""},
		{"-M", AsFlag, Aside, "dependencies-only"},
		{"-MF", AsJoined | AsSeparate, Dep | Path, ""},
		{"-W", AsFamily, Diagnostic, ""},
		{"-Wa,", AsJoined, Codegen, ""},
		{"-Xlinker", AsSeparate, Linker, ""},
		{"-fpack", AsFlag, Codegen, ""},
		{"-fpack=", AsJoined, Codegen, ""},
		{"-g", AsFlag | AsJoined, Debug, ""},
		{"-gcolumn", AsFlag, Debug, ""},
		{"-o", AsJoined | AsSeparate, Output, ""},
		{"-std=", AsJoined, Preprocessor, ""},
	}
}

func TestLookup(t *testing.T) {
	table := New(sample())
	for _, c := range []struct {
		word, row, name, value string
		form                   Form
	}{
		{"-D", "-D", "-D", "", Separate},
		{"-DX=1", "-D", "-D", "X=1", Joined},
		{"-MF", "-MF", "-MF", "", Separate},
		{"-MFx", "-MF", "-MF", "x", Joined},
		{"-Wno-error=x", "-W", "-Wno-error=", "x", Joined},
		{"-Wall", "-W", "-Wall", "", Flag},
		{"-Wa,-I=x", "-Wa,", "-Wa,", "-I=x", Joined},
		{"-W", "-W", "-W", "", Flag},
		{"-fno-pack", "-fpack", "-fno-pack", "", Flag},
		{"-fno-pack=3", "-fpack=", "-fno-pack=", "3", Joined},
		{"-g3", "-g", "-g", "3", Joined},
		{"-gno-column", "-g", "-g", "no-column", Joined},
		{"-std=", "-std=", "-std=", "", Joined},
	} {
		m, ok := table.Lookup(c.word)
		if !ok {
			t.Errorf("%s: no row, want %s", c.word, c.row)
			continue
		}
		if m.Option.Name != c.row || m.Name != c.name || m.Value != c.value || m.Form != c.form {
			t.Errorf("%s: row %s, name %q, value %q, form %d, want %+v", c.word, m.Option.Name, m.Name, m.Value, m.Form, c)
		}
	}
	for _, word := range []string{"-Mx", "-fpackx", "-f", "-fno-", "-fno-x", "-Xlinkerx", "-z", "-", "", "--x", "-\xff"} {
		if m, ok := table.Lookup(word); ok {
			t.Errorf("%q: row %s, want none", word, m.Option.Name)
		}
	}
}

func TestLaterRowsCount(t *testing.T) {
	table := New(sample(), []Option{{"-fpack", AsFlag, NoKey, ""}, {"-zz", AsFlag, Codegen, ""}})
	if m, _ := table.Lookup("-fpack"); m.Option == nil || m.Option.Class != NoKey {
		t.Errorf("-fpack: %+v, want the later row", m.Option)
	}
	if _, ok := table.Lookup("-zz"); !ok {
		t.Error("-zz: no row")
	}
	if n := len(table.Rows()); n != len(sample())+1 {
		t.Errorf("%d rows, want %d", n, len(sample())+1)
	}
}

func TestExtra(t *testing.T) {
	table := New(sample(), []Option{
		Extra("-fx=", Joined, Codegen), Extra("-y", Separate, NoKey), Extra("-fpack", Flag, Aside),
	})
	for word, form := range map[string]Form{"-fx=1": Joined, "-y": Separate, "-fpack": Flag} {
		if m, ok := table.Lookup(word); !ok || m.Form != form {
			t.Errorf("%s: %+v, %v, want form %d", word, m, ok, form)
		}
	}
	if err := Check(table.Rows()); err != nil {
		t.Error(err)
	}
}

func TestCheck(t *testing.T) {
	if err := Check(sample()); err != nil {
		t.Error(err)
	}
	for name, rows := range map[string][]Option{
		"order":       {{"-b", AsFlag, Codegen, ""}, {"-a", AsFlag, Codegen, ""}},
		"twice":       {{"-b", AsFlag, Codegen, ""}, {"-b", AsFlag, Codegen, ""}},
		"name":        {{"b", AsFlag, Codegen, ""}},
		"form":        {{"-b", 0, Codegen, ""}},
		"class":       {{"-b", AsFlag, 0, ""}},
		"only path":   {{"-b", AsJoined, Path, ""}},
		"reason":      {{"-b", AsFlag, Aside, ""}},
		"no aside":    {{"-b", AsFlag, Codegen, "x"}},
		"flag path":   {{"-b", AsFlag, Codegen | Path, ""}},
		"no key, key": {{"-b", AsFlag, Codegen | NoKey, ""}},
	} {
		if Check(rows) == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// FuzzParse checks that no byte of a word is lost: option and value make up the
// word again.
func FuzzParse(f *testing.F) {
	for _, word := range []string{"-DX", "-fno-pack=3", "-W", "-Wno-x=y", "--", "-g"} {
		f.Add(word)
	}
	table := New(sample())
	f.Fuzz(func(t *testing.T, word string) {
		m, ok := table.Lookup(word)
		if ok && m.Name+m.Value != word {
			t.Errorf("%q became %q and %q", word, m.Name, m.Value)
		}
		if ok && m.Form != Joined && m.Value != "" {
			t.Errorf("%q: form %d with the value %q", word, m.Form, m.Value)
		}
		if !ok && slow(sample(), word) {
			t.Errorf("%q: no row, but there is one", word)
		}
	})
}

// slow looks a word up by trying all rows.
func slow(rows []Option, word string) bool {
	for i := range rows {
		if strings.HasPrefix(word, rows[i].Name) {
			if _, ok := rows[i].match(word); ok {
				return true
			}
		}
	}
	return false
}
