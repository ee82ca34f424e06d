package clienttest

import (
	"path"
	"slices"
	"strings"

	repb "github.com/bazelbuild/remote-apis/build/bazel/remote/execution/v2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// What a worker that runs Windows refuses of an Action. Names are those of Win32's "Naming
// Files, Paths, and Namespaces"; the separator of the protocol's own paths is "/" there too.

// checkWindows returns why no Windows worker could run a command.
func (x *execution) checkWindows(root *repb.Digest) error {
	if !x.worker.quirks.Windows {
		return nil
	}
	if x.command.WorkingDirectory != "" {
		if err := checkWindowsPath(x.command.WorkingDirectory); err != nil {
			return err
		}
	}
	for _, p := range x.outputs() {
		if err := checkWindowsPath(p); err != nil {
			return err
		}
	}
	var names []string
	for _, v := range x.command.EnvironmentVariables {
		names = append(names, v.Name)
	}
	for _, list := range [][]string{x.outputs(), names} {
		if err := checkWindowsCase(list); err != nil {
			return err
		}
	}
	return x.checkWindowsDirectory(root)
}

func (x *execution) checkWindowsDirectory(d *repb.Digest) error {
	dir := new(repb.Directory)
	if err := x.worker.load(keyOf(d), dir); err != nil {
		return err
	}
	if len(dir.Symlinks) > 0 {
		return status.Errorf(codes.InvalidArgument, "symbolic link %q: a privilege is needed", dir.Symlinks[0].Name)
	}
	var names []string
	for _, f := range dir.Files {
		names = append(names, f.Name)
	}
	for _, sub := range dir.Directories {
		names = append(names, sub.Name)
		if err := x.checkWindowsDirectory(sub.Digest); err != nil {
			return err
		}
	}
	for _, name := range names {
		if err := checkWindowsName(name); err != nil {
			return err
		}
	}
	return checkWindowsCase(names)
}

// checkWindowsPath checks a path relative to a directory.
func checkWindowsPath(p string) error {
	for name := range strings.SplitSeq(path.Clean(p), "/") {
		if name == ".." {
			continue
		}
		if err := checkWindowsName(name); err != nil {
			return err
		}
	}
	return nil
}

func checkWindowsName(name string) error {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	reserved := []string{"CON", "PRN", "AUX", "NUL"}
	for _, device := range []string{"COM", "LPT"} {
		for digit := '1'; digit <= '9'; digit++ {
			reserved = append(reserved, device+string(digit))
		}
	}
	if strings.ContainsAny(name, `<>:"\|?*`) || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") || slices.Contains(reserved, stem) {
		return status.Errorf(codes.InvalidArgument, "no file can be called %q", name)
	}
	return nil
}

// checkWindowsCase refuses names of which two are one where letters of either case are.
func checkWindowsCase(names []string) error {
	seen := make(map[string]string, len(names))
	for _, name := range names {
		folded := strings.ToLower(name)
		if other, ok := seen[folded]; ok {
			return status.Errorf(codes.InvalidArgument, "%q and %q are one", other, name)
		}
		seen[folded] = name
	}
	return nil
}
