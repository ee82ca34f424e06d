package strategy

import (
	"bytes"
	"os"
	"strconv"
	"strings"
)

// FreeMemory returns how much memory compilers may take: what the kernel says is
// available, or what the process's control group has left, if that is less.
//
//	/proc/meminfo                       MemAvailable, in kB
//	/sys/fs/cgroup/GROUP/memory.max     of the group and those above it
//	/sys/fs/cgroup/GROUP/memory.current likewise, less inactive_file of memory.stat
func FreeMemory() (free int64, known bool) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, false
	}
	kB, known := field(text, "MemAvailable:")
	if !known {
		return 0, false
	}
	free = kB << 10
	for dir := controlGroup(); dir != ""; dir = parentGroup(dir) {
		if left, limited := groupLeft("/sys/fs/cgroup" + dir); limited {
			free = min(free, left)
		}
	}
	return free, true
}

// controlGroup returns the process's group in the unified hierarchy, empty where
// there is none.
func controlGroup() string {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if group, ok := strings.CutPrefix(line, "0::"); ok {
			return strings.TrimSuffix(group, "\n")
		}
	}
	return ""
}

func parentGroup(dir string) string { return dir[:max(0, strings.LastIndexByte(dir, '/'))] }

// groupLeft returns what a group may still take. Its inactive page cache counts
// as free: the kernel drops it first.
func groupLeft(dir string) (left int64, limited bool) {
	limit, ok := number(dir + "/memory.max")
	if !ok {
		return 0, false
	}
	used, ok := number(dir + "/memory.current")
	if !ok {
		return 0, false
	}
	stat, err := os.ReadFile(dir + "/memory.stat")
	if err != nil {
		return limit - used, true
	}
	cache, _ := field(stat, "inactive_file")
	return limit - used + cache, true
}

func number(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil
}

// field returns the number that follows name at the start of a line.
func field(text []byte, name string) (int64, bool) {
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		if len(words) > 1 && string(words[0]) == name {
			n, err := strconv.ParseInt(string(words[1]), 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}
