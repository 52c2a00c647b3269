package pipeline

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// cpuTime returns the CPU time of all threads of this process so far.
func cpuTime(b *testing.B) time.Duration {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// BenchmarkStatistics compares the CPU time of the statistics of a Full-HD pair with that of the built-in network.
func BenchmarkStatistics(b *testing.B) {
	model, err := flow.Open(flow.Options{Device: "cpu", Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	defer model.Close()
	estimator := flow.NewEstimator(model)
	defer estimator.Close()
	first, second := texture(1920, 1080, 0), texture(1920, 1080, 0)
	copy(second.Pix[3*8:], first.Pix) // 8 pixels to the right
	second.Index = 1
	var network, statistics time.Duration
	for b.Loop() {
		third := &frame.Frame{Index: first.Index, Width: 1920, Height: 1080, Pix: first.Pix, TimeBase: first.TimeBase}
		begin := cpuTime(b)
		f, err := estimator.Flow(b.Context(), second, third)
		if err != nil {
			b.Fatal(err)
		}
		network += cpuTime(b) - begin
		estimator.Keep(second, first)
		m := &motionMeter{}
		const repeats = 20
		begin = cpuTime(b)
		for range repeats {
			if err := m.measure(f); err != nil {
				b.Fatal(err)
			}
		}
		statistics += (cpuTime(b) - begin) / repeats
	}
	n := float64(b.N)
	b.ReportMetric(network.Seconds()*1000/n, "network-ms")
	b.ReportMetric(statistics.Seconds()*1000/n, "statistics-ms")
	b.ReportMetric(100*statistics.Seconds()/network.Seconds(), "%")
}
