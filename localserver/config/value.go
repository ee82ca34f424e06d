package config

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A value is what a source holds for a key, before it is understood.
type value struct {
	text  string            // a scalar, or everything where env is set
	list  []string          // an array
	table map[string]string // a table
	shape shape
	env   bool   // from the environment: text holds lists and tables too
	base  string // directory that relative paths are below
	home  string // what "~" stands for; empty where unknown
}

type shape uint8

const (
	scalar shape = iota
	array
	mapping
)

var (
	errScalar = errors.New("must be one value, not a list or table")
	errArray  = errors.New("must be a list of strings")
	errTable  = errors.New("must be a table of strings")
	errEmpty  = errors.New("must not be empty")
)

// newValue makes a value of what the TOML decoder returned.
func newValue(v any) (value, error) {
	switch v := v.(type) {
	case []any:
		list := make([]string, len(v))
		for i, item := range v {
			text, err := scalarText(item)
			if err != nil {
				return value{}, errArray
			}
			list[i] = text
		}
		return value{shape: array, list: list}, nil
	case map[string]any:
		m := make(map[string]string, len(v))
		for name, item := range v {
			text, err := scalarText(item)
			if err != nil {
				return value{}, errTable
			}
			m[name] = text
		}
		return value{shape: mapping, table: m}, nil
	default:
		text, err := scalarText(v)
		return value{text: text}, err
	}
}

func scalarText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64), nil
	default:
		return "", errScalar
	}
}

func (v value) scalar() (string, error) {
	if v.shape != scalar {
		return "", errScalar
	}
	return v.text, nil
}

func (v value) strings(sep string) ([]string, error) {
	switch {
	case v.shape == array:
		return v.list, nil
	case v.shape == scalar && v.env:
		return splitList(v.text, sep), nil
	default:
		return nil, errArray
	}
}

func splitList(text, sep string) []string {
	var list []string
	for item := range strings.SplitSeq(text, sep) {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

func (v value) pairs() (map[string]string, error) {
	if v.shape == mapping {
		return v.table, nil
	}
	if v.shape != scalar || !v.env {
		return nil, errTable
	}
	m := map[string]string{}
	for _, item := range splitList(v.text, ",") {
		name, val, ok := strings.Cut(item, "=")
		if !ok || name == "" {
			return nil, errors.New("must be NAME=VALUE, separated by commas")
		}
		m[name] = val
	}
	return m, nil
}

// path makes an absolute path of a spelled one.
func (v value) path(spelled string) (string, error) {
	if rest, ok := strings.CutPrefix(spelled, "~/"); ok {
		if v.home == "" {
			return "", errors.New(`"~" stands for nothing, as HOME is not set`)
		}
		spelled = filepath.Join(v.home, rest)
	}
	if spelled == "" || filepath.IsAbs(spelled) {
		return filepath.Clean(spelled), nil
	}
	if v.base == "" {
		return "", errors.New("must be an absolute path")
	}
	return filepath.Join(v.base, spelled), nil
}

// ParseBool reads a boolean in any of the usual spellings.
func ParseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	default:
		return false, errors.New("must be true or false")
	}
}

// ParseSize reads a number of bytes: "10GiB", "500M", "4096".
func ParseSize(s string) (int64, error) {
	malformed := errors.New("must be a size like 10GiB or 500M")
	number, factor := strings.TrimSuffix(s, "B"), 1.0
	base := 1000.0
	if trimmed, ok := strings.CutSuffix(number, "i"); ok {
		number, base = trimmed, 1024
	}
	if power := strings.IndexByte("KMGT", upperLast(number)); power >= 0 {
		number, factor = number[:len(number)-1], math.Pow(base, float64(power+1))
	} else if base == 1024 {
		return 0, malformed
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || n < 0 || n*factor > 1<<62 || math.IsNaN(n) {
		return 0, malformed
	}
	return int64(n * factor), nil
}

func upperLast(s string) byte {
	if s == "" {
		return ' '
	}
	c := s[len(s)-1]
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return c
}

// FormatSize is ParseSize's inverse for people: "10GiB", "1.5MiB", "812B".
func FormatSize(n int64) string {
	const units = "KMGT"
	v, unit := float64(n), -1
	for v >= 1024 && unit < len(units)-1 {
		v /= 1024
		unit++
	}
	if unit < 0 {
		return strconv.FormatInt(n, 10) + "B"
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") + units[unit:unit+1] + "iB"
}

// ParseDuration reads a duration as time.ParseDuration does, with days and
// weeks besides: "10m", "1d12h", "2w". It is never negative.
func ParseDuration(s string) (time.Duration, error) {
	malformed := errors.New("must be a duration like 10m, 1h30m or 7d")
	if s == "0" {
		return 0, nil
	}
	var total time.Duration
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789."))
		rest := s[digits:]
		unit := len(rest) - len(strings.TrimLeft(rest, "hmsdw"))
		d, err := durationPart(s[:digits], rest[:unit])
		if err != nil || total+d < total {
			return 0, malformed
		}
		total += d
		s = rest[unit:]
	}
	return total, nil
}

func durationPart(number, unit string) (time.Duration, error) {
	units := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour,
		"d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || units[unit] == 0 || n*float64(units[unit]) > math.MaxInt64/2 {
		return 0, errScalar
	}
	return time.Duration(n * float64(units[unit])), nil
}

// parseShare reads a percentage as a share between 0 and 1.
func parseShare(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(n >= 0 && n <= 100) {
		return 0, errors.New("must be a percentage from 0% to 100%")
	}
	return n / 100, nil
}

func parseInt(s string, low, high int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("must be a whole number from %d to %d", low, high)
	}
	return n, nil
}
