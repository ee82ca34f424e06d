package scancorpus

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The packages of the corpus: sources that are unpacked, and packages of
// headers and of clang-scan-deps whose files are unpacked, not installed.
var (
	sourcePackages = []string{"redis", "git", "lua5.4", "sqlite3", "zlib", "fmtlib", "protobuf"}
	filePackages   = []string{
		"libboost1.74-dev", "libeigen3-dev", "nlohmann-json3-dev", "clang-tools-14", "zlib1g-dev",
		"libssl-dev", "libcurl4-openssl-dev", "libexpat1-dev", "libpcre2-dev",
	}
)

const aptSources = `deb http://deb.debian.org/debian bookworm main
deb-src http://deb.debian.org/debian bookworm main
deb-src http://deb.debian.org/debian-security bookworm-security main
`

// fetch makes the corpus in dir unless it is there. Apt gets lists and caches
// of its own below dir.
func fetch(t testing.TB, dir string) {
	done := filepath.Join(dir, "complete")
	if _, err := os.Stat(done); err == nil {
		return
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, sub := range []string{"lists/partial", "apt/archives/partial", "src", "deb", "root"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(dir, "sources.list")
	if err := os.WriteFile(list, []byte(aptSources), 0o666); err != nil {
		t.Fatal(err)
	}
	apt := func(sub string, args ...string) {
		options := []string{
			"-q", "-o", "Dir::Etc::sourcelist=" + list, "-o", "Dir::Etc::sourceparts=-",
			"-o", "Dir::State::lists=" + filepath.Join(dir, "lists"), "-o", "Dir::Cache=" + filepath.Join(dir, "apt"),
			"-o", "APT::Sandbox::User=root",
		}
		run(t, filepath.Join(dir, sub), "apt-get", append(options, args...)...)
	}
	apt("", "update")
	apt("deb", append([]string{"download"}, filePackages...)...)
	apt("src", append([]string{"source"}, sourcePackages...)...)
	debs, err := filepath.Glob(filepath.Join(dir, "deb", "*.deb"))
	if err != nil || len(debs) == 0 {
		t.Fatalf("packages in %s: %d, %v", dir, len(debs), err)
	}
	for _, deb := range debs {
		run(t, dir, "dpkg", "-x", deb, filepath.Join(dir, "root"))
	}
	if err := os.WriteFile(done, nil, 0o666); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, dir, name string, args ...string) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("run %s: %v: %.2000s", name, err, out)
	}
}
