package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/rexwrap/rexwrap/localserver/config"
)

// duration shows seconds as people say them: "0.45 s", "35.1 s", "2 min 5 s",
// "3 h 12 min", "2 d 4 h".
func duration(seconds float64) string {
	switch d := time.Duration(seconds * float64(time.Second)).Round(time.Second); {
	case seconds < 1:
		return fmt.Sprintf("%.2f s", seconds)
	case seconds < 59.95:
		return fmt.Sprintf("%.1f s", seconds)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	default:
		return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
	}
}

// size shows a number of bytes: "812 B", "1.5 GiB".
func size(n int64) string {
	s := config.FormatSize(n)
	i := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	return s[:i] + " " + s[i:]
}

// share shows a part of a whole: "100 / 123 (81.30%)".
func share(part, whole int64) string {
	if whole == 0 {
		return fmt.Sprintf("%8d", part)
	}
	return fmt.Sprintf("%8d / %d (%5.2f%%)", part, whole, 100*float64(part)/float64(whole))
}

// plural shows a number of things: "1 hit", "3 hits", "2 misses".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "s") {
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
