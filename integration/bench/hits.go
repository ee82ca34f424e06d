//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rexwrap/rexwrap/integration/rig"
)

// A unit is a source whose hit is measured.
type unit struct {
	name   string
	file   string
	text   string
	driver string
	flags  []string
	// static and debian are the targets: how many times the time of a
	// static ccache and of Debian's a hit may take.
	static, debian float64
	generated      int // headers to write beside it
}

// units are the sources of the targets. The heavy one is made up to its size by
// generated headers where boost is not installed, and small where few hits are
// measured.
func (b *bench) units() []unit {
	const small = "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <unistd.h>\n\nint f(const char *s) { return (int)strlen(s) + getpid(); }\n"
	heavy := unit{
		name: "heavy, boost", file: "heavy.cpp", driver: "g++", static: 0.4, debian: 0.4,
		text: "#include <bits/stdc++.h>\n#include <boost/asio.hpp>\nint f() { boost::asio::io_context c; return (int)c.run(); }\n",
	}
	if _, err := os.Stat("/usr/include/boost/asio.hpp"); err != nil {
		heavy.name, heavy.generated = "heavy, generated", 590
		heavy.text = "#include <bits/stdc++.h>\n" + includeChains(heavy.generated) + "unsigned char object[360000] = {1};\n"
	}
	if b.quick {
		heavy.name, heavy.generated, heavy.text = "heavy, generated", 120, includeChains(120)
	}
	return []unit{
		{name: "small C", file: "small.c", text: small, driver: "gcc", static: 1, debian: 0.8},
		{name: "small C, -MD", file: "small.c", text: small, driver: "gcc", flags: []string{"-MD"}, static: 1, debian: 0.8},
		{name: "C++", file: "mid.cpp", text: "#include <iostream>\n#include <map>\n#include <string>\n#include <vector>\n\nint f() { return (int)std::map<std::string, int>{}.size(); }\n", driver: "g++", static: 0.6, debian: 0.6},
		heavy,
	}
}

// hits measures each unit's hits beside those of the ccaches at hand.
func (b *bench) hits() error {
	for i, u := range b.units() {
		if err := b.unitHits(u, filepath.Join(b.dir, fmt.Sprintf("hits%d", i))); err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
	}
	return nil
}

func (b *bench) unitHits(u unit, dir string) error {
	headers, err := u.write(dir)
	if err != nil {
		return err
	}
	r, err := b.newRig(filepath.Base(dir) + ".rig")
	if err != nil {
		return err
	}
	defer r.Close()
	ours := u.contender("rexwrap", filepath.Join(b.bin, "rexwrap"), dir, r.Env())
	ours.rig = r
	all, targets := []*contender{ours}, map[string]float64{}
	for _, rival := range b.rivals() {
		targets[rival.name] = map[bool]float64{true: u.static, false: u.debian}[rival.static]
		all = append(all, u.contender(rival.name, rival.path, dir, r.Env("CCACHE_DIR="+filepath.Join(dir, rival.name))))
	}
	for _, c := range all {
		if err := c.warm(); err != nil {
			return err
		}
	}
	before, err := r.Stats()
	if err != nil {
		return err
	}
	if err := interleave(b.ctx, b.counts.hits, all...); err != nil {
		return err
	}
	if err := checkHits(r, before, b.counts.hits, all[1:]); err != nil {
		return err
	}
	name := fmt.Sprintf("hit, %s (%d headers)", u.name, headers)
	if len(all) == 1 {
		b.rows = append(b.rows, Row{Name: name, Unit: "ms", Ours: ours.figures(), Note: "no ccache to compare with"})
	}
	for _, c := range all[1:] {
		b.rows = append(b.rows, ratio(name, c.name, ours.figures(), c.figures(), targets[c.name]))
	}
	return nil
}

// write writes the source to dir and returns the number of its headers.
func (u unit) write(dir string) (headers int, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	if err := os.WriteFile(filepath.Join(dir, u.file), []byte(u.text), 0o644); err != nil {
		return 0, err
	}
	if err := writeChains(dir, u.generated); err != nil {
		return 0, err
	}
	if err := rig.Settle(); err != nil {
		return 0, err
	}
	return u.countHeaders(dir)
}

func (u unit) countHeaders(dir string) (int, error) {
	cmd := exec.Command(u.driver, "-M", u.file)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return 0, fmt.Errorf("list headers: %w", err)
	}
	rule := strings.ReplaceAll(string(out), "\\\n", " ")
	return len(strings.Fields(rule)) - 2, nil // without target and source
}

// chain is how many generated headers include one another in a row: gcc allows
// 200.
const chain = 100

// writeChains writes n headers of 10 kB.
func writeChains(dir string, n int) error {
	for i := range n {
		text := declarations(i, 140)
		if i+1 < n && (i+1)%chain != 0 {
			text += fmt.Sprintf("#include \"h%d.h\"\n", i+1)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("h%d.h", i)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// includeChains includes all of them.
func includeChains(n int) string {
	var text strings.Builder
	for i := 0; i < n; i += chain {
		fmt.Fprintf(&text, "#include \"h%d.h\"\n", i)
	}
	return text.String()
}

// declarations is the text of a header: n functions.
func declarations(header, n int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "static inline int g%d(int n) { return n + %d; }\n", header, header)
	for i := range n {
		fmt.Fprintf(&text, "int function_%d_of_header_%d(const char *name, int flags, unsigned long size);\n", i, header)
	}
	return text.String()
}

func (u unit) contender(name, program, dir string, env []string) *contender {
	object := filepath.Join(dir, name+".o")
	return &contender{
		name: name, dir: dir, env: env,
		argv:   append(append([]string{program, u.driver, "-c", u.file}, u.flags...), "-o", object),
		remove: []string{object, filepath.Join(dir, name+".d")},
	}
}

// warm runs the command until it must be a hit: it is stored, read, and what
// was noted is dropped.
func (c *contender) warm() error {
	for range 3 {
		if err := c.run(); err != nil {
			return err
		}
	}
	c.forget()
	return nil
}

// A rival is a ccache.
type rival struct {
	name, path string
	static     bool
}

func (b *bench) rivals() []rival {
	var found []rival
	if path, err := exec.LookPath("ccache"); err == nil {
		found = append(found, rival{ccacheName("ccache", path), path, false})
	}
	if b.ccache != "" {
		found = append(found, rival{ccacheName("static-ccache", b.ccache), b.ccache, true})
	}
	return found
}

// ccacheName adds its version to the name of a ccache.
func ccacheName(name, path string) string {
	out, err := exec.Command(path, "--version").Output()
	if err != nil {
		return name
	}
	first, _, _ := strings.Cut(string(out), "\n")
	return name + "-" + first[strings.LastIndexByte(first, ' ')+1:]
}

// mostOther is the share of calls in percent that may be no hits: on a busy
// machine the server can miss a deadline, and the wrapper then compiles.
const mostOther = 1

// checkHits fails where what was measured were not hits.
func checkHits(r *rig.Rig, before rig.Stats, n int, rivals []*contender) error {
	after, err := r.Settled(before.Calls + int64(n))
	if err != nil {
		return err
	}
	if d := after.Sub(before); 100*d.HitsLocal < (100-mostOther)*int64(n) {
		return fmt.Errorf("%d hits of %d runs: %+v", d.HitsLocal, n, d)
	}
	for _, c := range rivals {
		cmd := exec.Command(c.argv[0], "--print-stats")
		cmd.Env = c.env
		out, err := cmd.Output()
		if err != nil {
			return fmt.Errorf("statistics of %s: %w", c.name, err)
		}
		if hits, err := counter(out, "direct_cache_hit"); err != nil || 100*hits < (100-mostOther)*n {
			return errors.Join(fmt.Errorf("%s: %d hits of %d runs", c.name, hits, n), err)
		}
	}
	return nil
}

// counter finds a counter in what ccache --print-stats writes: one per line,
// name, tab, value.
func counter(text []byte, name string) (int, error) {
	for line := range bytes.Lines(text) {
		if value, ok := bytes.CutPrefix(line, []byte(name+"\t")); ok {
			return strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	return 0, fmt.Errorf("no counter %s", name)
}
