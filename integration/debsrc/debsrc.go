// Package debsrc gets the upstream sources of Debian's packages, for tests and
// programs that build real projects, and packages of programs, for tests that
// need a server of a later release than the system. It uses apt with lists and
// caches of its own below one folder, so it needs no root and changes nothing of
// the system.
package debsrc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Suite is the Debian release that sources come from: a fixed one, so that the
// projects stay the same.
const Suite = "bookworm"

// mirror is where the system's own apt would look; apt's proxy settings hold.
const mirror = "http://deb.debian.org/debian"

// A Store keeps what was downloaded.
type Store struct {
	dir string
	log io.Writer
}

// Open returns the store in dir, which is made where it does not exist. What
// apt says goes to log.
func Open(dir string, log io.Writer) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			return nil, err
		}
	}
	return &Store{dir, log}, nil
}

// Unpack puts the upstream source of a package into dir, which must not exist.
// It uses the network the first time.
func (s *Store) Unpack(name, dir string) error {
	archive, err := s.archive(name)
	if err != nil {
		return fmt.Errorf("source of %s: %w", name, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return s.run("tar", "--extract", "--strip-components=1", "--no-same-owner", "--file", archive, "--directory", dir)
}

// archive returns the path of the package's upstream archive.
func (s *Store) archive(name string) (string, error) {
	unlock, err := s.lock()
	if err != nil {
		return "", err
	}
	defer unlock()
	if archive, err := s.find(name); err == nil {
		return archive, nil
	}
	if err := s.update(); err != nil {
		return "", err
	}
	if err := s.apt("source", "--download-only", name); err != nil {
		return "", err
	}
	return s.find(name)
}

var errAbsent = errors.New("no upstream archive")

func (s *Store) find(name string) (string, error) {
	found, err := filepath.Glob(filepath.Join(s.dir, name+"_*.orig.tar.*"))
	if err != nil {
		return "", err
	}
	for _, f := range found {
		if !strings.HasSuffix(f, ".asc") {
			return f, nil
		}
	}
	return "", errAbsent
}

// update fetches the list of source packages, once.
func (s *Store) update() error {
	lists, err := filepath.Glob(filepath.Join(s.dir, "state/lists/*_Sources*"))
	if err != nil || len(lists) > 0 {
		return err
	}
	return s.fetchList("deb-src", Suite)
}

// fetchList fetches the list of a suite's packages, "deb" or "deb-src".
func (s *Store) fetchList(kind, suite string) error {
	sources := fmt.Sprintf("%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n", kind, mirror, suite)
	if err := os.WriteFile(filepath.Join(s.dir, "sources.list"), []byte(sources), 0o644); err != nil {
		return err
	}
	return s.apt("update")
}

func (s *Store) apt(args ...string) error {
	own := []string{
		"apt-get", "-qq",
		"-o", "Dir::Etc::sourcelist=" + s.dir + "/sources.list",
		"-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::State=" + s.dir + "/state",
		"-o", "Dir::State::status=/dev/null",
		"-o", "Dir::Cache=" + s.dir + "/cache",
		"-o", "APT::Sandbox::User=",
		"-o", "Acquire::http::Timeout=20",
		"-o", "Acquire::Retries=1",
		"-o", "APT::Update::Error-Mode=any",
	}
	return s.run(append(own, args...)...)
}

func (s *Store) run(argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = s.dir
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = s.log, io.MultiWriter(s.log, &stderr)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", argv[0], err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}
