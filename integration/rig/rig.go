//go:build linux

package rig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Rig is rexwrap in an installation of its own. It is not for concurrent use,
// except that commands may run at the same time.
type Rig struct {
	// Bin holds rexwrap and rexd.
	Bin string
	// Dir holds everything that the rig writes: cache, socket, home, temp.
	Dir string
	// Set are variables ("NAME=value") for every command, the server's
	// start included.
	Set []string
}

// New prepares dir, which must exist, for a rig. No server is started: the
// first compile does that.
func New(bin, dir string) (*Rig, error) {
	r := &Rig{Bin: bin, Dir: dir}
	for _, d := range []string{r.Home(), r.Temp(), r.runtime()} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Cache is the cache directory. It does not exist before the server does.
func (r *Rig) Cache() string { return filepath.Join(r.Dir, "cache") }

// Home is the home directory of the rig's commands.
func (r *Rig) Home() string { return filepath.Join(r.Dir, "home") }

// Temp is TMPDIR of the rig's commands: what is left in it is litter.
func (r *Rig) Temp() string { return filepath.Join(r.Dir, "tmp") }

func (r *Rig) runtime() string { return filepath.Join(r.Dir, "run") }

// Env is the environment of the rig's commands: nothing of the caller's but
// PATH, with the rig's own variables and those of extra.
func (r *Rig) Env(extra ...string) []string {
	env := BareEnv(r.Home(), r.Temp())
	env[0] = "PATH=" + r.Bin + string(filepath.ListSeparator) + os.Getenv("PATH")
	env = append(env, "REXWRAP_CACHE_DIR="+r.Cache(), "XDG_RUNTIME_DIR="+r.runtime())
	return Environ(env).Set(append(r.Set, extra...)...)
}

// BareEnv is an environment that holds nothing of rexwrap's; PATH comes first.
func BareEnv(home, temp string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + temp, "LC_ALL=C.UTF-8", "TERM=xterm"}
}

// An Environ is an environment.
type Environ []string

// Set returns e in which each variable of set replaces the one of its name. A
// name without "=" is taken out.
func (e Environ) Set(set ...string) []string {
	out := []string(e)
	for _, kv := range set {
		name, _, assigned := strings.Cut(kv, "=")
		kept := make([]string, 0, len(out)+1)
		for _, old := range out {
			if !strings.HasPrefix(old, name+"=") {
				kept = append(kept, old)
			}
		}
		if assigned {
			kept = append(kept, kv)
		}
		out = kept
	}
	return out
}

// Verb runs a management verb and returns what it printed to stdout.
func (r *Rig) Verb(args ...string) ([]byte, error) {
	cmd := exec.Command(filepath.Join(r.Bin, "rexwrap"), args...)
	cmd.Env = r.Env()
	cmd.Dir = r.Dir
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("rexwrap %s: %w: %s", strings.Join(args, " "), err, exit.Stderr)
	}
	return out, err
}

// Stats are the counters that `rexwrap stats --json` prints.
type Stats struct {
	Calls        int64            `json:"calls"`
	HitsLocal    int64            `json:"hits_local"`
	HitsRemote   int64            `json:"hits_remote"`
	Merged       int64            `json:"merged"`
	Misses       int64            `json:"misses"`
	Executed     int64            `json:"executed_local"`
	Remotely     int64            `json:"executed_remote"`
	SteppedAside int64            `json:"stepped_aside"`
	FellBack     int64            `json:"fell_back"`
	Errors       int64            `json:"errors"`
	BytesStored  int64            `json:"bytes_stored"`
	Reasons      map[string]int64 `json:"reasons"`
	NotStored    map[string]int64 `json:"not_stored"`
}

// Stats asks the server for its counters.
func (r *Rig) Stats() (Stats, error) {
	out, err := r.Verb("stats", "--json")
	if err != nil {
		return Stats{}, err
	}
	var s Stats
	if err := json.Unmarshal(out, &s); err != nil {
		return Stats{}, fmt.Errorf("stats: %w", err)
	}
	return s, nil
}

// Settled returns the counters as soon as they hold at least calls calls: what
// the wrapper decides by itself is told to the server without waiting. After
// five seconds it returns what there is.
func (r *Rig) Settled(calls int64) (Stats, error) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		s, err := r.Stats()
		if err != nil || s.Calls >= calls || time.Now().After(deadline) {
			return s, err
		}
	}
}

// Sub returns what was counted since old.
func (s Stats) Sub(old Stats) Stats {
	return Stats{
		Calls: s.Calls - old.Calls, HitsLocal: s.HitsLocal - old.HitsLocal, HitsRemote: s.HitsRemote - old.HitsRemote, Merged: s.Merged - old.Merged,
		Misses: s.Misses - old.Misses, Executed: s.Executed - old.Executed, Remotely: s.Remotely - old.Remotely,
		SteppedAside: s.SteppedAside - old.SteppedAside, FellBack: s.FellBack - old.FellBack,
		Errors: s.Errors - old.Errors, BytesStored: s.BytesStored - old.BytesStored,
		Reasons: subtract(s.Reasons, old.Reasons), NotStored: subtract(s.NotStored, old.NotStored),
	}
}

// subtract returns the counts of m without those of old, zeros left out.
func subtract(m, old map[string]int64) map[string]int64 {
	d := map[string]int64{}
	for name, n := range m {
		if n -= old[name]; n != 0 {
			d[name] = n
		}
	}
	return d
}

// Status is what `rexwrap server status --json` prints.
type Status struct {
	Pid      int     `json:"pid"`
	Version  string  `json:"version"`
	Uptime   float64 `json:"uptime"`
	RSS      int64   `json:"rss"`
	CacheDir string  `json:"cache_dir"`
}

// ServerTime is the CPU time that the server's threads have used, by schedstat,
// which counts nanoseconds (proc(5) has hundredths of a second elsewhere).
func (r *Rig) ServerTime() (cpu time.Duration, err error) {
	s, err := r.Server()
	if err != nil {
		return 0, err
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.Pid))
	if err != nil || len(threads) == 0 {
		return 0, fmt.Errorf("threads of rexd: %v, %w", threads, err)
	}
	for _, name := range threads {
		line, err := os.ReadFile(name)
		if err != nil {
			return 0, err
		}
		first, _, _ := strings.Cut(string(line), " ")
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, err
		}
		cpu += time.Duration(n)
	}
	return cpu, nil
}

// Server asks for the state of the running server.
func (r *Rig) Server() (Status, error) {
	out, err := r.Verb("server", "status", "--json")
	if err != nil {
		return Status{}, err
	}
	var s Status
	if err := json.Unmarshal(out, &s); err != nil {
		return Status{}, fmt.Errorf("server status: %w", err)
	}
	return s, nil
}

// Stop stops the server in good order; it is no error if none runs.
func (r *Rig) Stop() error {
	if len(r.Processes()) == 0 {
		return nil
	}
	_, err := r.Verb("server", "stop")
	return err
}

// Signal sends sig to the server.
func (r *Rig) Signal(sig syscall.Signal) error {
	s, err := r.Server()
	if err != nil {
		return err
	}
	return syscall.Kill(s.Pid, sig)
}

// Close ends whatever of the rig still runs.
func (r *Rig) Close() {
	_ = r.Stop()
	for _, p := range r.Processes() {
		_ = syscall.Kill(p.Pid, syscall.SIGKILL)
	}
}

// A Process is one that belongs to a rig.
type Process struct {
	Pid     int
	Command string
}

// Alive reports whether a thread of the process is left. That nobody has asked yet how
// it ended, which init may take seconds to do, does not count.
func (p Process) Alive() bool {
	dir := filepath.Join("/proc", strconv.Itoa(p.Pid))
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return false
	}
	state := bytes.TrimSpace(stat[bytes.LastIndexByte(stat, ')')+1:])
	threads, err := os.ReadDir(filepath.Join(dir, "task"))
	return err == nil && (!bytes.HasPrefix(state, []byte("Z")) || len(threads) > 1)
}

// Processes are those that have a file below the rig's directory open, work in
// it, or have its temp directory as TMPDIR.
func (r *Rig) Processes() []Process {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !r.owns(filepath.Join("/proc", e.Name())) {
			continue
		}
		line, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if len(line) == 0 { // it is ending and still has its files and sockets
			line, _ = os.ReadFile(filepath.Join("/proc", e.Name(), "comm"))
		}
		found = append(found, Process{pid, strings.ReplaceAll(strings.TrimRight(string(line), "\x00\n"), "\x00", " ")})
	}
	return found
}

func (r *Rig) owns(proc string) bool {
	if env, err := os.ReadFile(filepath.Join(proc, "environ")); err == nil && strings.Contains(string(env), "="+r.Dir+"/") {
		return true
	}
	links, _ := filepath.Glob(filepath.Join(proc, "fd", "*"))
	for _, link := range append(links, filepath.Join(proc, "cwd")) {
		if target, err := os.Readlink(link); err == nil && strings.HasPrefix(target, r.Dir+"/") {
			return true
		}
	}
	return false
}
