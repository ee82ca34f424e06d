package gcc

import (
	"strings"

	"github.com/rexwrap/rexwrap/toolchains"
	"github.com/rexwrap/rexwrap/toolchains/gnu"
)

// profile adds the profile that -fprofile-use reads: DIR/CWD#STEM.gcda with the
// slashes of the path as "#" where a directory is given, else STEM.gcda (gcc 11
// and newer). A call whose profile is missing, or that uses one and makes one,
// steps aside.
func (p *parser) profile() error {
	switch {
	case p.use == 0:
		return nil
	case p.use > 1 || p.generate || p.arcs || p.test:
		return toolchains.Unsupported(gnu.ReasonProfileTwice, "-fprofile-use")
	case p.version < 11:
		return toolchains.Unsupported(gnu.ReasonProfile, "-fprofile-use")
	}
	path := p.Call.ApparentDir() + "/" + p.aux() + ".gcda"
	if strings.HasPrefix(p.aux(), "/") {
		path = p.aux() + ".gcda"
	}
	dir := p.useDir
	if dir == "" {
		dir = p.profileDir
	}
	if dir != "" {
		path = dir + "/" + mangled(path)
	}
	p.Carries |= toolchains.CarriesDir | toolchains.CarriesOutput
	return p.input(path, gnu.ReasonProfile)
}

// mangled turns a path into one file name: "/" becomes "#", a component ".."
// becomes "^", and "." is left out.
func mangled(path string) string {
	parts := strings.Split(path, "/")
	kept := parts[:0]
	for _, part := range parts {
		switch part {
		case ".":
			continue
		case "..":
			part = "^"
		}
		kept = append(kept, part)
	}
	return strings.Join(kept, "#")
}

func (p *parser) autoProfile(value string) error {
	if value == "" {
		value = "fbdata.afdo"
	}
	return p.input(value, gnu.ReasonProfile)
}
