package client

import (
	"errors"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct {
		in, target string
		secure     bool
	}{
		{"grpc://host:8980", "dns:///host:8980", false},
		{"grpc://host", "dns:///host:80", false},
		{"grpcs://host/", "dns:///host:443", true},
		{"grpcs://[::1]:9", "dns:///[::1]:9", true},
		{"grpc://[::1]", "dns:///[::1]:80", false},
		{"unix:/run/s", "unix:/run/s", false},
		{"unix:///run/s", "unix:/run/s", false},
	} {
		a, err := ParseAddress(test.in)
		if err != nil || a.target != test.target || a.secure != test.secure || a.String() != test.in {
			t.Errorf("ParseAddress(%q) = %+v, %v", test.in, a, err)
		}
	}
}

func TestParseAddressRejects(t *testing.T) {
	for _, s := range []string{"", "host:1", "http://host", "grpc://", "grpc://a b", "grpc://u@h:1", "grpc://h/x", "unix:"} {
		if a, err := ParseAddress(s); !errors.Is(err, ErrAddress) {
			t.Errorf("ParseAddress(%q) = %+v, %v", s, a, err)
		}
	}
}
