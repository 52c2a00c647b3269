package viewer

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

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

// scrubScript defines scrub(numbers, every), which shows frames one after the other, one in so many milliseconds at most. It returns
// the longest time in which the page did not answer, and how many milliseconds each frame took from the request until it was painted.
const scrubScript = `
globalThis.scrub = async (numbers, every = 0) => {
  let longest = 0;
  const observer = new PerformanceObserver((list) => list.getEntries().forEach((e) => (longest = Math.max(longest, e.duration))));
  observer.observe({ type: 'longtask' });
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  const slider = document.querySelector('#position');
  const times = [];
  for (const n of numbers) {
    const begin = performance.now();
    slider.value = n;
    slider.dispatchEvent(new Event('input'));
    while (!document.querySelector('#picture').getAttribute('aria-label').endsWith(' ' + n)) await next();
    times.push(performance.now() - begin);
    if (every > 0) await pause(Math.max(0, begin + every - performance.now()));
  }
  while (document.querySelector('#panel').ariaBusy === 'true') await next(); // the full field comes when the frame stays
  await pause(50);
  observer.disconnect();
  return [longest, ...times];
}`

// benchScrub shows each of n frames once. It also reports the processor time of the browser and of the server for a picture, which
// depends less on what else the machine does.
func benchScrub(b *testing.B, n, width, height int) {
	_, url := serve(b, bigVideo(b, n, width, height))
	t := newTab(b, url, 1280, 720)
	var first, sum, stall, count float64
	var server, browser time.Duration
	for b.Loop() {
		t.run(chromedp.Navigate(url))
		t.shows("video and flow of frame 0")
		t.do(scrubScript)
		numbers := make([]string, n-1)
		for i := range numbers {
			numbers[i] = strconv.Itoa(i + 1)
		}
		before := [2]time.Duration{busy(b, "self"), busy(b, descendants(os.Getpid())...)}
		times := eval[[]float64](t, "scrub(["+strings.Join(numbers, ",")+"])")
		server += busy(b, "self") - before[0]
		browser += busy(b, descendants(os.Getpid())...) - before[1]
		stall, first = max(stall, times[0]), first+times[1]
		for _, v := range times[1:] {
			sum, count = sum+v, count+1
		}
	}
	b.ReportMetric(first/float64(b.N), "ms-first")
	b.ReportMetric(1000*count/sum, "pictures/s")
	b.ReportMetric(stall, "ms-stall")
	b.ReportMetric(1000*server.Seconds()/count, "ms-server/picture")
	b.ReportMetric(1000*browser.Seconds()/count, "ms-browser/picture")
	b.ReportMetric(0, "ns/op")
}

func BenchmarkScrubFullHD(b *testing.B) { benchScrub(b, 20, 1920, 1080) }
func BenchmarkScrub4K(b *testing.B)     { benchScrub(b, 5, 3840, 2160) }

// busy returns the processor time of processes. One that has ended counts as nothing.
func busy(b *testing.B, pids ...string) (sum time.Duration) {
	b.Helper()
	for _, pid := range pids {
		data, _ := os.ReadFile(filepath.Join("/proc", pid, "stat"))
		_, after, _ := strings.Cut(string(data), ") ") // the name may have spaces
		if fields := strings.Fields(after); len(fields) > 12 {
			for _, field := range fields[11:13] { // in user and in kernel mode, in hundredths of a second
				ticks, _ := strconv.Atoi(field)
				sum += time.Duration(ticks) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

// BenchmarkField answers requests for Full-HD fields: every pixel, the same packed, and cells as while scrubbing.
func BenchmarkField(b *testing.B) {
	v := newViewer(b, bigVideo(b, 2, 1920, 1080))
	if err := v.items[0].open(v); err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		cell   int
		packed bool
	}{{"plain", 1, false}, {"packed", 1, true}, {"cells", 4, false}} {
		b.Run(c.name, func(b *testing.B) {
			var size int
			for b.Loop() {
				p, err := v.items[0].results[0].fields.packet(b.Context(), 1, c.cell)
				if err != nil {
					b.Fatal(err)
				}
				data, err := p.encode(c.packed)
				if err != nil {
					b.Fatal(err)
				}
				size = len(data)
			}
			b.ReportMetric(float64(size)/1e6, "MB")
		})
	}
}

// BenchmarkPicture answers requests for the frames of a Full-HD video, whose cells are shown while scrubbing.
func BenchmarkPicture(b *testing.B) {
	v := newViewer(b, bigVideo(b, 2, 1920, 1080))
	if err := v.items[0].open(v); err != nil {
		b.Fatal(err)
	}
	for n := 0; b.Loop(); n++ {
		clear(v.items[0].frames.recent) // each frame is decoded
		picture, err := v.items[0].frames.frame(b.Context(), n%2)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := asJPEG(reducePicture(picture, 4)); err != nil {
			b.Fatal(err)
		}
	}
}
