package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scalarField makes a field of a parser of scalars and its inverse.
func scalarField[T any](key string, sc scope, about string, at func(*Settings) *T, parse func(string, value) (T, error), show func(T) string) field {
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			text, err := v.scalar()
			if err != nil {
				return err
			}
			parsed, err := parse(text, v)
			if err == nil {
				*at(s) = parsed
			}
			return err
		},
		show: func(s *Settings) string { return show(*at(s)) },
	}
}

func itself(s string) string { return s }

func textField(key string, sc scope, about string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (string, error) { return s, nil }, itself)
}

func pathField(key string, sc scope, about string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, v value) (string, error) {
		if s == "" {
			return "", errEmpty
		}
		return v.path(s)
	}, itself)
}

func sizeField(key string, sc scope, about string, at func(*Settings) *int64) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (int64, error) {
		n, err := ParseSize(s)
		if err == nil && n < 1<<20 {
			err = errors.New("must be 1MiB or more")
		}
		return n, err
	}, func(n int64) string { return FormatSize(n) })
}

func durationField(key string, sc scope, about string, at func(*Settings) *time.Duration) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (time.Duration, error) { return ParseDuration(s) }, showDuration)
}

func showDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func boolField(key, about string, at func(*Settings) *bool) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (bool, error) { return ParseBool(s) }, strconv.FormatBool)
}

func intField(key string, sc scope, about string, low, high int, at func(*Settings) *int) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (int, error) { return parseInt(s, low, high) }, strconv.Itoa)
}

func shareField(key, about string, at func(*Settings) *float64) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (float64, error) { return parseShare(s) },
		func(f float64) string { return strconv.FormatFloat(f*100, 'g', 6, 64) + "%" })
}

func choiceField(key string, sc scope, about string, choices []string, at func(*Settings) *string) field {
	return scalarField(key, sc, about, at, func(s string, _ value) (string, error) {
		if slices.Contains(choices, s) {
			return s, nil
		}
		return "", choiceError(s, choices)
	}, itself)
}

func choiceError(got string, choices []string) error {
	msg := "must be one of " + strings.Join(choices, ", ")
	if near := nearest(strings.ToLower(got), choices); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return errors.New(msg)
}

func addressField(key, about string, at func(*Settings) *string) field {
	return scalarField(key, perCall, about, at, func(s string, _ value) (string, error) {
		if s == "none" {
			return "", nil
		}
		return s, checkAddress(s)
	}, itself)
}

func checkAddress(s string) error {
	if path, ok := strings.CutPrefix(s, "unix:"); ok && path != "" {
		return nil
	}
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case s == "":
		return nil
	case ok && (scheme == "grpc" || scheme == "grpcs") && rest != "" && rest[0] != '/':
		return nil
	case ok && scheme == "http":
		return errors.New("must start with grpc:// rather than http://")
	case ok && scheme == "https":
		return errors.New("must start with grpcs:// rather than https://")
	default:
		return errors.New("must be grpc://HOST:PORT, grpcs://HOST:PORT, unix:PATH or none")
	}
}

func toolchainRootField() field {
	return scalarField("toolchain_root", inProject, "workers' root is what is sent: chroot, property:NAME or none",
		func(s *Settings) *string { return &s.ToolchainRoot },
		func(s string, _ value) (string, error) {
			name, isProperty := strings.CutPrefix(s, RootProperty)
			switch {
			case s == "none":
				return "", nil
			case s == "" || s == RootChroot || isProperty && name != "":
				return s, nil
			}
			return s, errors.New("must be chroot, property:NAME or none")
		}, itself)
}

func toolchainField() field {
	const file = "file:"
	choices := []string{"auto", "host", "ship"}
	return scalarField("toolchain", inProject, "compiler of remote Actions: auto, host, ship, file:PACK",
		func(s *Settings) *string { return &s.Toolchain },
		func(s string, v value) (string, error) {
			if pack, ok := strings.CutPrefix(s, file); ok && pack != "" {
				return packList(file, pack, v)
			}
			if slices.Contains(choices, s) {
				return s, nil
			}
			return "", choiceError(s, append(choices, "file:PACK"))
		}, itself)
}

// packList makes the paths of file:PACK, separated as in PATH, absolute.
func packList(prefix, list string, v value) (string, error) {
	packs := filepath.SplitList(list)
	for i, p := range packs {
		abs, err := v.path(p)
		if err != nil {
			return "", err
		}
		packs[i] = abs
	}
	return prefix + strings.Join(packs, string(os.PathListSeparator)), nil
}

func pathsField(key string, sc scope, about string, at func(*Settings) *[]string) field {
	const sep = string(os.PathListSeparator)
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			list, err := v.strings(sep)
			if err != nil {
				return err
			}
			abs := make([]string, len(list))
			for i, p := range list {
				if abs[i], err = v.path(p); err != nil {
					return err
				}
			}
			*at(s) = abs
			return nil
		},
		show: func(s *Settings) string { return strings.Join(*at(s), sep) },
	}
}

func listField(key, about string, at func(*Settings) *[]string) field {
	return field{
		key: key, about: about,
		set: func(s *Settings, v value) error {
			list, err := v.strings(",")
			*at(s) = list
			return err
		},
		show: func(s *Settings) string { return strings.Join(*at(s), ",") },
	}
}

func mapField(key string, sc scope, about string, at func(*Settings) *map[string]string) field {
	return field{
		key: key, scope: sc, about: about,
		set: func(s *Settings, v value) error {
			m, err := v.pairs()
			*at(s) = m
			return err
		},
		show: func(s *Settings) string {
			var pairs []string
			for _, name := range slices.Sorted(maps.Keys(*at(s))) {
				pairs = append(pairs, name+"="+(*at(s))[name])
			}
			return strings.Join(pairs, ",")
		},
	}
}
