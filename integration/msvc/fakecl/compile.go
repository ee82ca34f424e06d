package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/localserver/pdb"
	"github.com/rexwrap/rexwrap/localserver/pdb/pdbtest"
)

// A failure is a message of cl.exe.
type failure struct{ text string }

func (f *failure) Error() string { return f.text }

func fail(format string, args ...any) error { return &failure{fmt.Sprintf(format, args...)} }

// compile compiles one source and returns the status.
func (l *line) compile(s *source, out io.Writer) int {
	err := l.make(s, out)
	if err == nil {
		return 0
	}
	var message *failure
	var exit *exec.ExitError
	switch {
	case errors.As(err, &message):
		fmt.Fprintf(out, "%s(1): fatal error %s\n", s.name, message.text)
	case !errors.As(err, &exit): // clang-cl has said it
		fmt.Fprintf(out, "%s(1): fatal error C1000: %v\n", s.name, err)
	}
	return failed
}

func (l *line) make(s *source, out io.Writer) error {
	temp, err := os.MkdirTemp("", "fakecl")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if l.preprocesses {
		fmt.Fprintln(os.Stderr, filepath.Base(s.name))
		return l.start(s, os.Stdout, listing{os.Stderr}, append(slices.Clone(l.rest), "/nologo")...)
	}
	fmt.Fprintln(out, filepath.Base(s.name))
	target := place(l.object, stem(s.name), ".obj")
	if !l.types {
		return l.clang(s, target, target, temp, out)
	}
	unlock, err := l.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := l.checkHeader(); err != nil {
		return err
	}
	if u := l.madeUp(s); u != nil {
		return l.makeUp(s, u, target)
	}
	object := filepath.Join(temp, "x.obj")
	if err := l.clang(s, object, target, temp, out); err != nil {
		return err
	}
	return l.append(object, target)
}

// clang runs clang-cl, with the types in the object, which has target for its own name.
func (l *line) clang(s *source, object, target, temp string, out io.Writer) error {
	name, err := filepath.Abs(target)
	if err != nil {
		return err
	}
	args := append(slices.Clone(l.rest), "/nologo", "/Fo"+object, "-Xclang", "-object-file-name="+name)
	if l.types {
		args = append(args, "/Z7")
	}
	if err := l.start(s, listing{out}, listing{out}, args...); err != nil || l.depends == "" {
		return err
	}
	list := filepath.Join(temp, "x.d")
	if err := l.start(s, io.Discard, io.Discard, append(slices.Clone(l.rest), "-clang:-M", "-clang:-MTx", "-clang:-MF"+list)...); err != nil {
		return err
	}
	return l.writeDependencies(s, list)
}

// start runs clang-cl for one source to its end.
func (l *line) start(s *source, stdout, stderr io.Writer, args ...string) error {
	if s.option != "" {
		args = append(args, s.option+s.name)
	} else {
		args = append(args, "--", s.name)
	}
	cmd := exec.Command(compiler(), append([]string{"--target=x86_64-pc-windows-msvc"}, args...)...)
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	cmd.Env = slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "CL=") || strings.HasPrefix(kv, "_CL_=")
	})
	err := cmd.Run()
	_, told := stdout.Write(said.Bytes())
	_, complainedOf := stderr.Write(complained.Bytes())
	return errors.Join(err, told, complainedOf)
}

// A listing passes the whole of what clang-cl says on, with the names of headers as
// cl.exe has them: absolute.
type listing struct{ to io.Writer }

// Write implements io.Writer.
func (l listing) Write(text []byte) (int, error) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(includedNote)); ok {
			name := bytes.TrimLeft(rest, " ")
			path, err := filepath.Abs(string(bytes.TrimRight(name, "\r\n")))
			if err != nil {
				return 0, err
			}
			line = []byte(includedNote + string(rest[:len(rest)-len(name)]) + path + "\n")
		}
		if _, err := l.to.Write(line); err != nil {
			return 0, err
		}
	}
	return len(text), nil
}

const includedNote = "Note: including file:"

func compiler() string {
	for _, name := range []string{"clang-cl", "clang-cl-14"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return "/usr/bin/clang-cl-14" // a worker may have no PATH
}

// writeDependencies writes what /sourceDependencies asks for. No name has a blank in it.
func (l *line) writeDependencies(s *source, list string) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	_, files, _ := bytes.Cut(bytes.ReplaceAll(text, []byte("\\\n"), nil), []byte(":"))
	includes := []string{}
	for _, name := range strings.Fields(string(files))[1:] {
		path, err := filepath.Abs(name)
		if err != nil {
			return err
		}
		includes = append(includes, path)
	}
	return l.listDependencies(s, includes)
}

func (l *line) listDependencies(s *source, includes []string) error {
	path, err := filepath.Abs(s.name)
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(map[string]any{
		"Version": "1.2",
		"Data": map[string]any{
			"Source": path, "ProvidedModule": "", "Includes": includes, "ImportedModules": []string{}, "ImportedHeaderUnits": []string{},
		},
	}, "", "    ")
	if err != nil {
		return err
	}
	target := l.depends
	if info, err := os.Stat(target); err == nil && info.IsDir() || os.IsPathSeparator(target[len(target)-1]) {
		target = filepath.Join(target, filepath.Base(s.name)+".json")
	}
	return os.WriteFile(target, data, 0o666)
}

// append moves the types of the object into the database.
func (l *line) append(object, target string) error {
	data, err := os.ReadFile(object)
	if err != nil {
		return err
	}
	for {
		split, replaced, err := l.move(data)
		if err != nil {
			return err
		}
		if !replaced {
			return os.WriteFile(target, split, 0o666)
		}
	}
}

// move moves the types of an object into the database. replaced is set where that has been
// replaced meanwhile, which Windows refuses of a file that is open.
func (l *line) move(object []byte) (split []byte, replaced bool, err error) {
	path := l.pdb()
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, false, fail("C1041: cannot open program database '%s'", path)
	}
	defer file.Close()
	store, err := openStore(file)
	if err != nil {
		return nil, false, err
	}
	if split, err = pdbtest.Split(object, store, path); err != nil {
		return nil, false, err
	}
	if err := store.Commit(); err != nil {
		return nil, false, err
	}
	if l.creates != "" {
		if err := l.writeHeader(store.GUID()); err != nil {
			return nil, false, err
		}
	}
	own, err := file.Stat()
	if err != nil {
		return nil, false, err
	}
	now, err := os.Stat(path)
	return split, err != nil || !os.SameFile(own, now), nil
}

func openStore(file *os.File) (*pdb.Store, error) {
	if info, err := file.Stat(); err != nil || info.Size() > 0 {
		return pdb.Open(file)
	}
	var guid pdb.GUID
	if _, err := rand.Read(guid[:]); err != nil {
		return nil, err
	}
	return pdb.Create(file, guid), nil
}

// A precompiled header of fakecl's holds the name and the GUID of its database.
func (l *line) writeHeader(guid pdb.GUID) error {
	return os.WriteFile(l.headerPath(), []byte(guid.String()+"\n"+filepath.Base(l.pdb())), 0o666)
}

func (l *line) headerPath() string { return place(l.header, "vc140", ".pch") }

// checkHeader refuses a precompiled header that does not fit the database.
func (l *line) checkHeader() error {
	if l.uses == "" {
		return nil
	}
	text, err := os.ReadFile(l.headerPath())
	if err != nil {
		return fail("C1083: Cannot open precompiled header file: '%s': No such file or directory", l.headerPath())
	}
	guid, name, _ := strings.Cut(string(text), "\n")
	if own := filepath.Base(l.pdb()); own != name {
		return fail("C2858: command-line option 'program database name \"%s\"' inconsistent with precompiled header, which used \"%s\"", own, name)
	}
	file, err := os.Open(l.pdb())
	if err != nil {
		return fail("C2859: %s is not the pdb file that was used when this precompiled header was created, recreate the precompiled header.", l.pdb())
	}
	defer file.Close()
	store, err := pdb.Open(readOnly{file})
	if err != nil {
		return err
	}
	if store.GUID().String() != guid {
		return fail("C2859: %s is not the pdb file that was used when this precompiled header was created, recreate the precompiled header.", l.pdb())
	}
	return nil
}

// readOnly is a file that is not written to.
type readOnly struct{ *os.File }
