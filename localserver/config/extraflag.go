package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rexwrap/rexwrap/toolchains/argtable"
)

// flagClasses are the words that classify an extra flag.
//
//	extra_flag = option [ "*" | " *" ] " " class ; (* "*": takes a value, in
//	                                                  the same or next word *)
func flagClasses() []flagClass {
	return []flagClass{
		{"codegen", argtable.Codegen},
		{"preprocessor", argtable.Preprocessor},
		{"diagnostic", argtable.Diagnostic},
		{"input", argtable.InputFile | argtable.Path},
		{"none", argtable.NoKey},
		{"local", argtable.Codegen | argtable.LocalOnly},
		{"aside", argtable.Aside},
	}
}

type flagClass struct {
	name  string
	class argtable.Class
}

func extraFlagsField() field {
	return field{
		key: "extra_flags", about: `options that no table lists: "-fx* codegen"`,
		set: func(s *Settings, v value) error {
			list, err := v.strings(",")
			if err != nil {
				return err
			}
			flags := make([]ExtraFlag, len(list))
			for i, item := range list {
				if flags[i], err = parseFlag(item); err != nil {
					return err
				}
			}
			s.ExtraFlags = flags
			return nil
		},
		show: func(s *Settings) string {
			items := make([]string, len(s.ExtraFlags))
			for i, f := range s.ExtraFlags {
				items[i] = showFlag(f)
			}
			return strings.Join(items, ",")
		},
	}
}

func parseFlag(item string) (ExtraFlag, error) {
	words := strings.Fields(item)
	malformed := errors.New(`must be items like "-fvendor codegen", "-fvendor=* codegen" or "-vendor * input"`)
	if len(words) < 2 || len(words) > 3 || !strings.HasPrefix(words[0], "-") {
		return ExtraFlag{}, malformed
	}
	f := ExtraFlag{Option: words[0]}
	if option, joined := strings.CutSuffix(words[0], "*"); joined {
		f.Option, f.Form = option, argtable.Joined
	}
	if len(words) == 3 {
		if words[1] != "*" || f.Form == argtable.Joined {
			return ExtraFlag{}, malformed
		}
		f.Form = argtable.Separate
	}
	classes := flagClasses()
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
		if c.name == words[len(words)-1] {
			f.Class = c.class
			return f, nil
		}
	}
	return ExtraFlag{}, fmt.Errorf("class %w", choiceError(words[len(words)-1], names))
}

func showFlag(f ExtraFlag) string {
	star := map[argtable.Form]string{argtable.Joined: "*", argtable.Separate: " *"}[f.Form]
	for _, c := range flagClasses() {
		if c.class == f.Class {
			return f.Option + star + " " + c.name
		}
	}
	return f.Option
}
