package gnu

import "strings"

// A Target is a target that -MT or -MQ names for the dep-file's rule.
type Target struct {
	Name string
	// Quoted is set for -MQ.
	Quoted bool
}

// Deps are the dependency options of a Line.
type Deps struct {
	MD, MMD, MP bool
	// File is the value of the last -MF, HasFile whether there is one.
	File    string
	HasFile bool
	Targets []Target
	// The same for what stands behind -Wp,.
	PassMD, PassMMD bool
	PassFile        string
	PassFiles       int
	PassTargets     []Target
}

// Asked reports whether a dep-file is asked for.
func (d *Deps) Asked() bool { return d.MD || d.MMD || d.PassMD || d.PassMMD }

// option takes note of a dependency option and reports whether name is one.
func (d *Deps) option(name, value string) bool {
	switch name {
	case "-MD":
		d.MD = true
	case "-MMD":
		d.MMD = true
	case "-MP", "-Wp,-MP":
		d.MP = true
	case "-MF":
		d.File, d.HasFile = value, true
	case "-MT", "-MQ":
		d.Targets = append(d.Targets, Target{value, name == "-MQ"})
	case "-Wp,-MT,", "-Wp,-MQ,":
		d.PassTargets = append(d.PassTargets, Target{value, name == "-Wp,-MQ,"})
	case "-Wp,-MD,", "-Wp,-MMD,":
		d.PassMD = d.PassMD || name == "-Wp,-MD,"
		d.PassMMD = d.PassMMD || name == "-Wp,-MMD,"
		d.PassFile = value
		d.PassFiles++
	default:
		return false
	}
	return true
}

// QuoteTarget quotes name for Make as both families quote the targets of -MQ
// and default targets: "$" is doubled, "#", blanks and the backslashes before
// blanks get a backslash.
func QuoteTarget(name string) string {
	if !strings.ContainsAny(name, "$# \t") {
		return name
	}
	var b strings.Builder
	slashes := 0
	for i := range len(name) {
		switch c := name[i]; c {
		case '$':
			b.WriteByte('$')
		case ' ', '\t':
			b.WriteString(strings.Repeat(`\`, slashes+1))
		case '#':
			b.WriteByte('\\')
		}
		if name[i] == '\\' {
			slashes++
		} else {
			slashes = 0
		}
		b.WriteByte(name[i])
	}
	return b.String()
}
