package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A command is an understood command line.
type command struct {
	sources, dirs, defines, forced []string

	object       string // /Fo
	dependencies string // /sourceDependencies
	includes     bool   // /showIncludes
}

// parse understands what cl.exe would: CL, the arguments, _CL_.
func parse(words []string) (*command, error) {
	words = append(strings.Fields(os.Getenv("CL")), append(words, strings.Fields(os.Getenv("_CL_"))...)...)
	words, err := expand(words)
	if err != nil {
		return nil, err
	}
	c := &command{}
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word[0] != '/' && word[0] != '-' {
			c.sources = append(c.sources, word)
			continue
		}
		if c.flag(word[1:]) {
			continue
		}
		name, value, separate := cut(word[1:])
		if separate {
			if i++; i >= len(words) {
				return nil, errors.New("'" + word + "' requires an argument")
			}
			value = words[i]
		}
		c.set(name, value)
	}
	c.dirs = append(c.dirs, filepath.SplitList(os.Getenv("INCLUDE"))...)
	return c, nil
}

func (c *command) flag(name string) bool {
	c.includes = c.includes || name == "showIncludes"
	switch name {
	case "c", "nologo", "showIncludes", "Zi", "Z7", "FS", "Od", "O2", "EHsc", "MD", "utf-8":
		return true
	}
	return false
}

// cut splits an option from its value, which may be the next word.
func cut(option string) (name, value string, separate bool) {
	for _, name := range []string{"sourceDependencies", "external:I", "Fo", "Fd", "FI", "I", "D", "U"} {
		if value, ok := strings.CutPrefix(option, name); ok {
			return name, value, value == "" && name != "Fo" && name != "Fd"
		}
	}
	return option, "", false
}

func (c *command) set(name, value string) {
	switch name {
	case "sourceDependencies":
		c.dependencies = value
	case "external:I", "I":
		c.dirs = append(c.dirs, value)
	case "FI":
		c.forced = append(c.forced, value)
	case "Fo":
		c.object = value
	case "D":
		c.defines = append(c.defines, value)
	}
}

// expand replaces response files by their words.
func expand(words []string) ([]string, error) {
	var out []string
	for _, word := range words {
		name, isFile := strings.CutPrefix(word, "@")
		if !isFile {
			out = append(out, word)
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, errors.New("cannot open '" + name + "'")
		}
		out = append(out, strings.Fields(decode(data))...)
	}
	return out, nil
}

// decode reads UTF-16 by its mark, and takes all else for UTF-8.
func decode(data []byte) string {
	if len(data) < 2 || data[0] != 0xFF || data[1] != 0xFE {
		return string(data)
	}
	var units []uint16
	for i := 2; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	return string(utf16.Decode(units))
}

// A unit is one source on its way to its object.
type unit struct {
	*command
	text  strings.Builder
	files []string // included
}

// one compiles a source.
func (c *command) one(source string) int {
	fmt.Print(filepath.Base(source) + "\r\n")
	u := &unit{command: c}
	for _, name := range c.forced {
		if status := u.include(name, source, 1, 1); status != 0 {
			return status
		}
	}
	if status := u.read(source, 0); status != 0 {
		return status
	}
	object := c.objectOf(source)
	text := "fake object\n" + strings.Join(c.defines, "\n") + "\n" + u.text.String()
	if err := os.WriteFile(object, []byte(text), 0o666); err != nil {
		fmt.Printf("%s : fatal error C1083: Cannot open compiler generated file: '%s': Permission denied\r\n", source, object)
		return 2
	}
	return u.list(source)
}

// objectOf is where /Fo and its default put the object.
func (c *command) objectOf(source string) string {
	name := strings.TrimSuffix(filepath.Base(source), filepath.Ext(source)) + ".obj"
	switch {
	case c.object == "":
		return name
	case strings.HasSuffix(c.object, `\`), strings.HasSuffix(c.object, "/"):
		return c.object + name
	case filepath.Ext(c.object) == "":
		return c.object + ".obj"
	}
	return c.object
}

// list writes what /sourceDependencies asks for.
func (u *unit) list(source string) int {
	if u.dependencies == "" {
		return 0
	}
	full, _ := filepath.Abs(source)
	data := map[string]any{"Source": full, "ProvidedModule": "", "Includes": append([]string{}, u.files...), "ImportedModules": []string{}, "ImportedHeaderUnits": []string{}}
	text, err := json.Marshal(map[string]any{"Version": "1.2", "Data": data})
	if err == nil {
		err = os.WriteFile(u.dependencies, text, 0o666)
	}
	if err != nil {
		return fail("D8048", "%v", err)
	}
	return 0
}

// read takes in a file with all that it includes.
func (u *unit) read(path string, depth int) int {
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Printf("%s : fatal error C1083: Cannot open source file: '%s': No such file or directory\r\n", path, path)
		return 2
	}
	for n, line := range strings.Split(string(data), "\n") {
		status := u.line(strings.TrimRight(line, "\r"), path, n+1, depth)
		if status != 0 {
			return status
		}
	}
	return 0
}

func (u *unit) line(line, path string, number, depth int) int {
	if name, ok := included(line); ok {
		return u.include(name, path, number, depth+1)
	}
	if message, ok := strings.CutPrefix(line, "#error "); ok {
		fmt.Printf("%s(%d): fatal error C1189: #error:  %s\r\n", path, number, message)
		return 2
	}
	if message, ok := strings.CutPrefix(line, "#pragma message "); ok {
		fmt.Print(message + "\r\n")
	}
	if message, ok := strings.CutPrefix(line, "#pragma stderr "); ok {
		fmt.Fprint(os.Stderr, message+"\r\n")
	}
	if count, ok := strings.CutPrefix(line, "#pragma lines "); ok {
		n, _ := strconv.Atoi(count)
		fmt.Print(strings.Repeat("a line of a long message\r\n", n))
	}
	u.text.WriteString(line + "\n")
	return 0
}

func included(line string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(line, "#include ")
	if !ok || len(rest) < 3 {
		return "", false
	}
	return strings.Trim(rest, `"<>`), true
}

// include looks for a header as cl.exe does, and reads it.
func (u *unit) include(name, includer string, number, depth int) int {
	for _, dir := range append([]string{filepath.Dir(includer)}, u.dirs...) {
		path := filepath.Join(dir, name)
		full, err := filepath.Abs(path)
		if _, statErr := os.Stat(path); err != nil || statErr != nil {
			continue
		}
		u.files = append(u.files, full)
		if u.includes {
			fmt.Print("Note: including file: " + strings.Repeat(" ", depth-1) + full + "\r\n")
		}
		return u.read(path, depth)
	}
	fmt.Printf("%s(%d): fatal error C1083: Cannot open include file: '%s': No such file or directory\r\n", includer, number, name)
	return 2
}
