package rustdeps

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rexwrap/rexwrap/client/digest"
	"github.com/rexwrap/rexwrap/toolchains"
)

// maxPackageFiles bounds a package whose files are listed.
const maxPackageFiles = 20_000

// cacheTag marks folders of things that can be made again, cargo's target
// directory among them.
const cacheTag = "CACHEDIR.TAG"

// PackageDir is the folder of the package that a call compiles: the one that
// cargo names, else the source's.
func PackageDir(call *toolchains.Call, source string) string {
	if dir := call.Env.Value("CARGO_MANIFEST_DIR"); filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return filepath.Dir(call.Abs(source))
}

// A listing is what there is below a folder, sorted.
type listing struct{ files, dirs []string }

// listPackage lists the regular files and the folders below dir, but for folders of
// version control and for those that carry a cache tag. Links count as files where
// they lead to one; what is behind a link to a folder would go unnoticed.
func listPackage(dir string) (*listing, error) {
	out := &listing{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && skipped(path, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir():
			out.dirs = append(out.dirs, path)
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err == nil && info.IsDir():
			return toolchains.Unsupported("package-link", path)
		case err == nil && info.Mode().IsRegular():
			out.files = append(out.files, path)
		}
		if len(out.files) > maxPackageFiles {
			return toolchains.Unsupported("package-too-large", dir)
		}
		return nil
	})
	slices.Sort(out.files)
	slices.Sort(out.dirs)
	return out, err
}

func skipped(path, name string) bool {
	switch name {
	case ".git", ".hg", ".jj", ".svn":
		return true
	}
	_, err := os.Lstat(filepath.Join(path, cacheTag))
	return err == nil
}

// PackageListing returns a digest of the names of the files and folders in a
// package, the zero Digest where they cannot be listed.
func PackageListing(dir string) digest.Digest {
	list, err := listPackage(dir)
	if err != nil {
		return digest.Digest{}
	}
	b := digest.NewBuilder("rexwrap package 1")
	for _, names := range [][]string{list.files, list.dirs} {
		below := make([]string, len(names))
		for i, path := range names {
			below[i] = strings.TrimPrefix(path, dir)
		}
		b.Strings(below)
	}
	return b.Sum()
}
