// Package procinfo reads memory figures of this process and of the machine from Linux's /proc and /sys. All are in bytes.
package procinfo

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// PeakMemory returns the largest amount of memory that this process has had resident so far.
func PeakMemory() (int64, error) { return readSize("/proc/self/status", "VmHWM") }

// ResidentMemory returns the amount of memory that this process has resident now.
func ResidentMemory() (int64, error) { return readSize("/proc/self/status", "VmRSS") }

// AvailableMemory returns the amount of memory that this process can still use before the machine, or the container that it
// runs in, is out of memory.
func AvailableMemory() (int64, error) {
	available, err := readSize("/proc/meminfo", "MemAvailable")
	if err != nil {
		return 0, err
	}
	return min(available, cgroupAvailable("/sys/fs/cgroup")), nil
}

// cgroupAvailable returns what the memory limit of a cgroup leaves, or math.MaxInt64 without a limit. File pages that are not
// in use count as available, because the kernel drops them first.
func cgroupAvailable(folder string) int64 {
	limit, err := readNumber(filepath.Join(folder, "memory.max"))
	if err != nil {
		return math.MaxInt64 // the file is missing, or says "max"
	}
	used, err := readNumber(filepath.Join(folder, "memory.current"))
	if err != nil {
		return math.MaxInt64
	}
	cache, _ := find(filepath.Join(folder, "memory.stat"), "inactive_file") // 0 if unknown
	return max(0, limit-used+cache)
}

func readNumber(path string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
}

// readSize returns the size that a file states in KiB, in a line such as "VmHWM:  123 kB".
func readSize(path, key string) (int64, error) {
	kib, err := find(path, key+":")
	return kib << 10, err
}

// find returns the number that follows key at the start of a line.
func find(path, key string) (int64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); len(words) >= 2 && words[0] == key {
			return strconv.ParseInt(words[1], 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no %s", path, key)
}
