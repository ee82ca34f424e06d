package rustdeps

import "testing"

func TestAssembles(t *testing.T) {
	for text, want := range map[string]bool{
		`global_asm!(".incbin \"t\"")`: true, `asm!(".include \"t\"")`: true, "\t.include\t\"t.s\"": true, ".include\n": false,
		`cc::Build::new().include("x")`: false, `builder .include ("x")`: false, "": false, ".include": false, ".include x .include \"y\"": true,
	} {
		if assembles([]byte(text)) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

func TestCargoLints(t *testing.T) {
	for text, want := range map[string]bool{
		"-Wclippy::cargo": true, "#![warn(clippy::all, clippy::multiple_crate_versions)]": true, "clippy::wildcard_dependencies": true,
		"-Wclippy::all": false, "clippy::cargo_x": false, "": false,
	} {
		if cargoLints().MatchString(text) != want {
			t.Errorf("%q: want %v", text, want)
		}
	}
}

// TestStaticNames checks how the values of -l are read.
func TestStaticNames(t *testing.T) {
	for value, want := range map[string]staticName{
		"static=n": {name: "n"}, "static:+whole-archive,-bundle=n:m": {name: "n"}, "static:+verbatim=libn.a": {name: "libn.a", verbatim: true},
		"static-nobundle=n": {name: "n"},
	} {
		if got, ok := staticNameOf(value); !ok || got != want {
			t.Errorf("%s: %+v, %v", value, got, ok)
		}
	}
	for _, value := range []string{"n", "dylib=n", "framework=n", "dylib:+verbatim=n"} {
		if got, ok := staticNameOf(value); ok {
			t.Errorf("%s: %+v", value, got)
		}
	}
}
