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

// packageFiles lists the regular files below dir, sorted, but for folders of
// version control and for those that carry a cache tag. Links count as files where
// they lead to one.
func packageFiles(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != dir && skipped(path, entry.Name()):
			return filepath.SkipDir
		case entry.IsDir():
			return nil
		}
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return nil
		}
		out = append(out, path)
		if len(out) > maxPackageFiles {
			return toolchains.Unsupported("package-too-large", dir)
		}
		return nil
	})
	slices.Sort(out)
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

// PackageListing returns a digest of the names of the files in a package, the
// zero Digest where they cannot be listed.
func PackageListing(dir string) digest.Digest {
	files, err := packageFiles(dir)
	if err != nil {
		return digest.Digest{}
	}
	b := digest.NewBuilder("rexwrap package 1")
	for _, path := range files {
		b.String(strings.TrimPrefix(path, dir))
	}
	return b.Sum()
}
