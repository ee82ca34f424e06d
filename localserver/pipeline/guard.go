package pipeline

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/depscan"
	"github.com/rexwrap/rexwrap/depscan/rustdeps"
	"github.com/rexwrap/rexwrap/toolchains"
)

// Needs is a set of facts, beside files and the key, that a result depends on.
// Which of them count is known only once the text has been seen, so they guard
// candidates instead of standing in the manifest key.
type Needs uint8

const (
	// needsPlace: __FILE__ or its like can expand to an absolute path.
	needsPlace Needs = 1 << iota
	// needsDay: __DATE__ can expand.
	needsDay
	// needsSourceTime: __TIMESTAMP__ can expand.
	needsSourceTime
	// needsEpoch: SOURCE_DATE_EPOCH may stand in for the clock.
	needsEpoch
	// needsEnvironment: a procedural macro may have put any variable into the
	// result.
	needsEnvironment
)

// epochVariable names the variable that stands in for the clock. It counts only
// where the text asks for a date or time, so it is in guards and not in keys.
const epochVariable = "SOURCE_DATE_EPOCH"

// needsOf says which facts a compile with these identifiers depends on. It
// returns an *UnsupportedError for results that no second call may have.
func needsOf(c *toolchains.Compile, in *depscan.Inputs, at place) (Needs, error) {
	var n Needs
	ids := in.Identifiers
	named := ids&(depscan.IdentFile|depscan.IdentBaseFile) != 0 && !at.shared ||
		ids&(depscan.IdentSignature|depscan.IdentAssertion) != 0 && c.SignatureNamesFile() // which no prefix map changes
	if named && (makesAbsolute(c) || spellsPlace(c, in, at)) {
		n |= needsPlace
	}
	_, epoch := c.Call.Env.Lookup(epochVariable)
	if ids&(depscan.IdentDate|depscan.IdentTime) != 0 {
		n |= needsEpoch
	}
	if ids&depscan.IdentTime != 0 && !(epoch && honoursEpoch(c.Toolchain)) {
		return 0, toolchains.Unsupported("time-macro", "")
	}
	if ids&depscan.IdentDate != 0 {
		n |= needsDay
	}
	if ids&depscan.IdentTimestamp != 0 {
		n |= needsSourceTime
	}
	return n, nil
}

// makesAbsolute reports whether a compiler may have absolute names for files that it was
// given relative ones for: cl.exe, which lists them so.
func makesAbsolute(c *toolchains.Compile) bool { return c.Toolchain.Family == toolchains.FamilyMSVC }

// spellsPlace reports whether any input is spelled by a path that the key
// holds without its exec root, so that another checkout spells it differently.
func spellsPlace(c *toolchains.Compile, in *depscan.Inputs, at place) bool {
	if at.encode(c.Source) != c.Source {
		return true
	}
	for _, f := range in.Files {
		if at.encode(f.Path) != f.Path {
			return true
		}
	}
	return false
}

// honoursEpoch reports whether __TIME__ follows SOURCE_DATE_EPOCH: gcc since 7,
// clang since 16.
func honoursEpoch(tc *toolchains.Toolchain) bool {
	major, _, _ := strings.Cut(tc.Version, ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return false
	}
	return tc.Family == "gcc" && n >= 7 || tc.Family == "clang" && n >= 16
}

// guard is the digest of the facts that n names, for this call at this time.
func guard(n Needs, c *toolchains.Compile, at place, now time.Time) (digest.Digest, error) {
	if n == 0 {
		return digest.Digest{}, nil
	}
	b := digest.NewBuilder("rexwrap guard 1")
	if n&needsPlace != 0 {
		b.String(at.root)
		b.String(at.dir)
		b.String(at.mounts)
	}
	if n&needsEnvironment != 0 {
		b.Digest(rustdeps.Environment(c.Call.Env, nil))
	}
	if n&(needsDay|needsSourceTime) != 0 {
		name, loc := zone(c.Call.Env)
		b.String(name)
		if n&needsDay != 0 {
			b.String(day(loc, now))
		}
	}
	if n&needsEpoch != 0 {
		epoch, set := c.Call.Env.Lookup(epochVariable)
		b.String(epoch)
		b.String(strconv.FormatBool(set))
	}
	if n&needsSourceTime != 0 {
		info, err := os.Stat(c.Call.Abs(c.Source))
		if err != nil {
			return digest.Digest{}, err
		}
		b.String(info.ModTime().UTC().Format(time.RFC3339))
	}
	return b.Sum(), nil
}

// zoneFile says which time zone holds where TZ is not set.
const zoneFile = "/etc/localtime"

// zone returns the time zone of the call and a name for it that changes with
// its rules. The location is nil for a zone that this process cannot read.
func zone(env toolchains.Environ) (name string, loc *time.Location) {
	if tz, set := env.Lookup("TZ"); set {
		loc, err := time.LoadLocation(tz)
		if err != nil {
			return "TZ=" + tz, nil
		}
		return "TZ=" + tz, loc
	}
	data, err := os.ReadFile(zoneFile)
	if err != nil {
		return "none", time.UTC // as the C library has it
	}
	loc, err = time.LoadLocationFromTZData("", data)
	if err != nil {
		loc = nil
	}
	return digest.Of(data).Hex(), loc
}

// day is the date of now in a zone. In one that is not known every quarter of an
// hour is a day of its own: zones differ from UTC by whole quarters.
func day(loc *time.Location, now time.Time) string {
	if loc == nil {
		return now.UTC().Truncate(15 * time.Minute).Format(time.RFC3339)
	}
	return now.In(loc).Format(time.DateOnly)
}
