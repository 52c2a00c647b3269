package viewer

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/wwflow/wwflow/flowfile"
)

// bigVideo writes n frames and flow files of a size, and returns the folders.
func bigVideo(t testing.TB, n, width, height int) Sources {
	t.Helper()
	flows, pictures := t.TempDir(), t.TempDir()
	f := chart(width, height)
	f.Vectors[len(f.Vectors)-2] = 0
	first, err := asJPEG(pictureOf(newPacket(f, 0, 1)))
	if err != nil {
		t.Fatal(err)
	}
	for k := range n {
		f.Vectors[2*len(f.Vectors)/4] = float32(k)
		if err := flowfile.Write(filepath.Join(flows, fmt.Sprintf("%06d.flo", k)), f); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(pictures, fmt.Sprintf("%06d.jpg", k)), first.body, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return Sources{Paths: []string{flows}, Input: pictures}
}

// scrub defines scrub(numbers), which shows frames one after the other. It returns how many milliseconds each took from the
// request until it was painted, and the longest time in which the page did not answer.
const scrubScript = `
globalThis.scrub = async (numbers) => {
  let longest = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((e) => (longest = Math.max(longest, e.duration))));
  observer.observe({ type: 'longtask' });
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const slider = document.querySelector('#position');
  const times = [];
  for (const n of numbers) {
    const begin = performance.now();
    slider.value = n;
    slider.dispatchEvent(new Event('input'));
    while (!document.querySelector('#picture').getAttribute('aria-label').endsWith(' ' + n)) await next();
    times.push(performance.now() - begin);
  }
  while (document.querySelector('#panel').ariaBusy === 'true') await next(); // the full field comes when the frame stays
  await new Promise((done) => setTimeout(done, 50));
  observer.disconnect();
  return [longest, ...times];
}`

// benchScrub shows each of n frames once.
func benchScrub(b *testing.B, n, width, height int) {
	_, url := serve(b, bigVideo(b, n, width, height))
	t := newTab(b, url, 1280, 720)
	var first, sum, stall, count float64
	for b.Loop() {
		t.run(chromedp.Navigate(url))
		t.shows("video and flow of frame 0")
		t.do(scrubScript)
		numbers := make([]string, n-1)
		for i := range numbers {
			numbers[i] = strconv.Itoa(i + 1)
		}
		times := eval[[]float64](t, "scrub(["+strings.Join(numbers, ",")+"])")
		stall, first = max(stall, times[0]), first+times[1]
		for _, v := range times[1:] {
			sum, count = sum+v, count+1
		}
	}
	b.ReportMetric(first/float64(b.N), "ms-first")
	b.ReportMetric(1000*count/sum, "pictures/s")
	b.ReportMetric(stall, "ms-stall")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkScrubFullHD(b *testing.B) { benchScrub(b, 20, 1920, 1080) }
func BenchmarkScrub4K(b *testing.B)     { benchScrub(b, 5, 3840, 2160) }

// BenchmarkField answers requests for Full-HD fields.
func BenchmarkField(b *testing.B) {
	v := newViewer(b, bigVideo(b, 2, 1920, 1080))
	if err := v.items[0].open(v); err != nil {
		b.Fatal(err)
	}
	for _, packed := range []bool{false, true} {
		b.Run(map[bool]string{false: "plain", true: "packed"}[packed], func(b *testing.B) {
			var size int
			for b.Loop() {
				p, err := v.items[0].results[0].fields.packet(b.Context(), 1, 1)
				if err != nil {
					b.Fatal(err)
				}
				data, err := p.encode(packed)
				if err != nil {
					b.Fatal(err)
				}
				size = len(data)
			}
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

// BenchmarkMemory scrubs over frames again and again, with a pinned pixel, so that each field is loaded twice: with cells and with
// every pixel. It compares the memory of the browser and of the server after the first round with that after the last. The fields
// take more than the page keeps.
func BenchmarkMemory(b *testing.B) {
	const frames, rounds = 80, 5
	_, url := serve(b, bigVideo(b, frames, 1280, 720))
	t := newTab(b, url, 640, 360)
	t.shows("video and flow of frame 0")
	t.do(scrubScript)
	t.set("x", "100")
	t.set("y", "100")
	var list [rounds][2]float64 // bytes of the browser and of the server
	for round := range list {
		for part := range 4 { // a request to the browser may take a minute at most
			eval[[]float64](t, fmt.Sprintf("scrub([...Array(%d).keys()].map((n) => (n + 1 + %d) %% %d))", frames/4, part*frames/4, frames))
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		list[round] = [2]float64{chromiumMemory(b), float64(m.HeapAlloc)}
		b.Logf("round %d: browser %.0f MB, server %.0f MB", round+1, list[round][0]/1e6, list[round][1]/1e6)
	}
	first, last := list[0], list[rounds-1]
	b.ReportMetric(first[0]/1e6, "MB-browser-first")
	b.ReportMetric(last[0]/1e6, "MB-browser-last")
	b.ReportMetric(first[1]/1e6, "MB-server-first")
	b.ReportMetric(last[1]/1e6, "MB-server-last")
	b.ReportMetric(0, "ns/op")
	if last[0] > 1.25*first[0] || last[1] > 1.5*first[1]+50e6 {
		b.Errorf("memory grows: %v", list)
	}
}

// chromiumMemory returns the memory of the browser and of all its processes in bytes, each counted with its share of what
// they share.
func chromiumMemory(b *testing.B) (sum float64) {
	found, _ := filepath.Glob("/proc/[0-9]*/comm")
	for _, path := range found {
		name, _ := os.ReadFile(path)
		if !strings.HasPrefix(string(name), "chrom") {
			continue
		}
		data, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "smaps_rollup"))
		for line := range strings.Lines(string(data)) {
			var kilobytes float64
			if _, err := fmt.Sscanf(line, "Pss: %f kB", &kilobytes); err == nil {
				sum += 1024 * kilobytes
			}
		}
	}
	if sum == 0 {
		b.Fatal("the browser's memory cannot be read")
	}
	return sum
}
