package viewer

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/internal/testutil"
)

// memoryGrowth is the share by which the most memory of the second half of BenchmarkMemory may be above that of the first half.
const memoryGrowth = 0.1

// BenchmarkMemory scrubs over frames again and again, with a pinned pixel, so that each field is loaded twice: with cells and with
// every pixel. The fields take more than the page keeps. The memory of the browser and of the server, which is this process, is measured
// once a minute: the most of the second half must not be above the most of the first half by more than memoryGrowth.
//
// It takes five rounds, which are measured one by one. WWFLOW_SCRUB sets a time instead, such as 1h, and WWFLOW_SCRUB_PACE the
// pictures a second (default 4).
func BenchmarkMemory(b *testing.B) {
	const frames, part = 80, 20 // a request to the browser may take a minute at most
	_, url := serve(b, bigVideo(b, frames, 1280, 720))
	t := newTab(b, url, 640, 360)
	t.shows("video and flow of frame 0")
	t.do(scrubScript)
	t.set("x", "100")
	t.set("y", "100")
	length, _ := time.ParseDuration(os.Getenv("WWFLOW_SCRUB"))
	var every int // milliseconds for a picture
	if length > 0 {
		every = 1000 / testutil.Count("WWFLOW_SCRUB_PACE", 4)
	}
	var server, browser []float64
	pictures, begin, last := 0, time.Now(), time.Now()
	for done := false; !done; {
		eval[[]float64](t, fmt.Sprintf("scrub([...Array(%d).keys()].map((n) => (n + 1 + %d) %% %d), %d)", part, pictures, frames, every))
		pictures += part
		due := pictures%frames == 0
		done = pictures == 5*frames
		if length > 0 {
			due, done = time.Since(last) >= time.Minute, time.Since(begin) >= length
		}
		if due || done {
			last = time.Now()
			debug.FreeOSMemory()
			server, browser = append(server, memory(b, "")), append(browser, memory(b, "chrom"))
			b.Logf("%v, %d pictures: browser %.0f MB, server %.0f MB", time.Since(begin).Round(time.Second), pictures, browser[len(browser)-1]/1e6, server[len(server)-1]/1e6)
		}
	}
	checkGrowth(b, "browser", browser)
	checkGrowth(b, "server", server)
	b.ReportMetric(float64(pictures)/time.Since(begin).Seconds(), "pictures/s")
	b.ReportMetric(0, "ns/op")
}

// checkGrowth compares the halves of a list of bytes.
func checkGrowth(b *testing.B, name string, list []float64) {
	b.Helper()
	most := func(list []float64) (m float64) {
		for _, v := range list {
			m = max(m, v)
		}
		return m
	}
	first, second := most(list[:(len(list)+1)/2]), most(list[(len(list)+1)/2:])
	b.ReportMetric(first/1e6, "MB-"+name+"-first-half")
	b.ReportMetric(second/1e6, "MB-"+name+"-second-half")
	if second > (1+memoryGrowth)*first {
		b.Errorf("the memory of the %s grows from %.0f to %.0f MB", name, first/1e6, second/1e6)
	}
}

// memory returns the bytes of memory of the processes that this process has started, directly or not, whose names begin with prefix, each
// counted with its share of what they share. With an empty prefix it is the memory of this process.
func memory(b *testing.B, prefix string) (sum float64) {
	b.Helper()
	pids := []string{"self"}
	if prefix != "" {
		pids = descendants(os.Getpid())
	}
	for _, pid := range pids {
		name, _ := os.ReadFile(filepath.Join("/proc", pid, "comm"))
		if !strings.HasPrefix(string(name), prefix) {
			continue
		}
		data, _ := os.ReadFile(filepath.Join("/proc", pid, "smaps_rollup"))
		for line := range strings.Lines(string(data)) {
			var kilobytes float64
			if _, err := fmt.Sscanf(line, "Pss: %f kB", &kilobytes); err == nil {
				sum += 1024 * kilobytes
			}
		}
	}
	if sum == 0 {
		b.Fatalf("the memory of %s cannot be read", prefix)
	}
	return sum
}

// descendants are the processes that a process has started, and those that they have started.
func descendants(pid int) (list []string) {
	found, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/[0-9]*/children", pid))
	for _, path := range found {
		data, _ := os.ReadFile(path)
		for _, child := range strings.Fields(string(data)) {
			if n, err := strconv.Atoi(child); err == nil {
				list = append(append(list, child), descendants(n)...)
			}
		}
	}
	return list
}
