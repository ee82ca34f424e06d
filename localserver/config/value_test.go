package config

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	good := map[string]int64{
		"0": 0, "812": 812, "812B": 812, "500M": 500e6, "500MB": 500e6, "10GiB": 10 << 30, "10Gi": 10 << 30,
		"1.5k": 1500, "2 TiB": 2 << 40, "1KiB": 1024,
	}
	for in, want := range good {
		if got, err := ParseSize(in); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "G", "ten", "-1", "10i", "10XB", "1e40T", "NaN", "10GG"} {
		if got, err := ParseSize(in); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", in, got)
		}
	}
}

func TestFormatSizeReadsBack(t *testing.T) {
	for _, want := range []string{"0B", "812B", "1KiB", "1.5MiB", "10GiB", "2048TiB"} {
		n, err := ParseSize(want)
		if err != nil || FormatSize(n) != want {
			t.Errorf("FormatSize(ParseSize(%q)) = %q, %v", want, FormatSize(n), err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	good := map[string]time.Duration{
		"0": 0, "250ms": 250 * time.Millisecond, "90s": 90 * time.Second, "1h30m": 90 * time.Minute,
		"7d": 7 * 24 * time.Hour, "1w1d": 8 * 24 * time.Hour, "1.5h": 90 * time.Minute,
	}
	for in, want := range good {
		if got, err := ParseDuration(in); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"10", "m", "-5m", "5 m", "1y", "99999999999999h", "1..5h"} {
		if got, err := ParseDuration(in); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", in, got)
		}
	}
}

func TestShowDurationReadsBack(t *testing.T) {
	for _, d := range []time.Duration{0, time.Hour, 10 * time.Minute, 90 * time.Second, 90 * time.Minute, time.Second / 2} {
		if got, err := ParseDuration(showDuration(d)); err != nil || got != d {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", showDuration(d), got, err, d)
		}
	}
}

func TestParseBool(t *testing.T) {
	for in, want := range map[string]bool{"1": true, "Yes": true, "on": true, "0": false, "false": false, "NO": false, "off": false} {
		if got, err := ParseBool(in); err != nil || got != want {
			t.Errorf("ParseBool(%q) = %v, %v; want %v", in, got, err, want)
		}
	}
	if _, err := ParseBool("maybe"); err == nil {
		t.Error("ParseBool(maybe) is no error")
	}
}

func TestParseFlagReadsBack(t *testing.T) {
	for _, want := range []string{"-fvendor codegen", "-fvendor=* preprocessor", "-vendor * input", "-x local", "-y* none", "-z aside", "-w diagnostic"} {
		f, err := parseFlag(want)
		if err != nil || showFlag(f) != want {
			t.Errorf("showFlag(parseFlag(%q)) = %q, %v", want, showFlag(f), err)
		}
	}
	for _, in := range []string{"", "-x", "x codegen", "-x codgen", "-x* * codegen", "-x y codegen", "-x * y codegen"} {
		if f, err := parseFlag(in); err == nil {
			t.Errorf("parseFlag(%q) = %+v, want an error", in, f)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"cache_dir", "cache_size", "remote", "strategy"}
	for in, want := range map[string]string{
		"cachesize": "cache_size", "chache_dir": "cache_dir", "stratgey": "strategy", "remotes": "remote",
		"verify": "", "x": "",
	} {
		if got := nearest(in, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseSize(f *testing.F) {
	f.Add("10GiB")
	f.Add("1.5 k")
	f.Fuzz(func(t *testing.T, s string) {
		n, err := ParseSize(s)
		if err == nil && n < 0 {
			t.Errorf("ParseSize(%q) = %d", s, n)
		}
		d, err := ParseDuration(s)
		if err == nil && d < 0 {
			t.Errorf("ParseDuration(%q) = %v", s, d)
		}
	})
}
