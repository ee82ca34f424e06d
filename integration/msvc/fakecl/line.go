package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// A line is a command line of cl.exe.
type line struct {
	sources  []source
	object   string // /Fo
	database string // /Fd
	header   string // /Fp
	creates  string // the header of /Yc
	uses     string // the header of /Yu
	types    bool   // /Zi
	shares   bool   // /FS or /MP
	parallel bool
	nologo   bool
	// preprocesses is set for /E.
	preprocesses bool
	depends      string   // /sourceDependencies
	rest         []string // for clang-cl
}

type source struct{ name, option string }

// words returns the arguments with those of CL and _CL_ and of response files.
func words(args []string) ([]string, error) {
	var all []string
	add := func(list []string) {
		for _, w := range list {
			all = append(all, strings.Replace(w, "#", "=", 1))
		}
	}
	before, err := argtable.Windows.Split(os.Getenv("CL"))
	if err != nil {
		return nil, err
	}
	after, err := argtable.Windows.Split(os.Getenv("_CL_"))
	if err != nil {
		return nil, err
	}
	add(before)
	for _, arg := range args {
		name, ok := strings.CutPrefix(arg, "@")
		if !ok {
			all = append(all, arg)
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		list, err := argtable.Windows.Split(strings.TrimPrefix(string(text), "\ufeff"))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	add(after)
	return all, nil
}

func parse(args []string) (*line, error) {
	args, err := words(args)
	if err != nil {
		return nil, err
	}
	l := &line{}
	for i := 0; i < len(args); i++ {
		word := args[i]
		if word == "" || word[0] != '/' && word[0] != '-' || word[0] == '/' && strings.Contains(word[1:], "/") && isFile(word) {
			l.sources = append(l.sources, source{name: word})
			continue
		}
		i += l.option(word[1:], args[i+1:])
	}
	if len(l.sources) == 0 {
		return nil, errors.New("missing source filename")
	}
	if l.creates != "" || l.uses != "" {
		l.parallel = false
	}
	return l, nil
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// option takes one option and returns how many of the words behind it are its value.
func (l *line) option(name string, behind []string) int {
	value := func(prefix string) (string, int) {
		if v := name[len(prefix):]; v != "" || len(behind) == 0 {
			return v, 0
		}
		return behind[0], 1
	}
	taken := 0
	switch {
	case name == "nologo":
		l.nologo = true
	case name == "E":
		l.preprocesses = true
		l.rest = append(l.rest, "/E")
	case name == "FS":
		l.shares = true
	case name == "Zi":
		l.types = true
	case name == "Z7":
		l.types = false
		l.rest = append(l.rest, "/Z7")
	case strings.HasPrefix(name, "MP"):
		l.shares, l.parallel = true, true
	case strings.HasPrefix(name, "Fo"):
		l.object = strings.TrimPrefix(name[2:], ":")
		if name == "Fo:" {
			l.object, taken = value("Fo:")
		}
	case strings.HasPrefix(name, "Fd"):
		l.database = name[2:]
	case strings.HasPrefix(name, "Fp"):
		l.header = name[2:]
	case strings.HasPrefix(name, "Yc"):
		l.creates = name[2:]
	case strings.HasPrefix(name, "Yu"):
		l.uses = name[2:]
	case strings.HasPrefix(name, "sourceDependencies"):
		l.depends, taken = value("sourceDependencies")
	case strings.HasPrefix(name, "Tc"), strings.HasPrefix(name, "Tp"):
		var file string
		file, taken = value(name[:2])
		l.sources = append(l.sources, source{file, "/" + name[:2]})
	case name == "I", name == "D", name == "U", name == "FI", name == "external:I":
		taken = min(1, len(behind))
		l.rest = append(append(l.rest, "/"+name), behind[:taken]...)
	default:
		l.rest = append(l.rest, "/"+name)
	}
	return taken
}

// place returns where an output goes: value, a folder if it ends with a separator.
func place(value, stem, ext string) string {
	switch {
	case value == "":
		return stem + ext
	case os.IsPathSeparator(value[len(value)-1]):
		return value + stem + ext
	case filepath.Ext(value) == "":
		return value + ext
	}
	return value
}

func stem(name string) string {
	base := filepath.Base(name)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// pdb is the absolute path of the program database.
func (l *line) pdb() string {
	path, err := filepath.Abs(place(l.database, "vc140", ".pdb"))
	if err != nil {
		return l.database
	}
	return path
}
