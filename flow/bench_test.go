package flow

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/parallel"
)

// benchSizes are a small size and Full HD. The benchmarks run the default network on the CPU:
//
//	go test -run '^$' -bench . ./flow
var benchSizes = [][2]int{{640, 360}, {1920, 1080}}

func BenchmarkEncode(b *testing.B) {
	m := openDefault(b)
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			f := pattern(size[0], size[1], 1)
			for b.Loop() {
				features, err := m.Encode(context.Background(), f)
				if err != nil {
					b.Fatal(err)
				}
				features.Close()
			}
		})
	}
}

func BenchmarkEstimate(b *testing.B) {
	m := openDefault(b)
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			first, second := encode(b, m, pattern(size[0], size[1], 1)), encode(b, m, pattern(size[0], size[1], 2))
			for b.Loop() {
				if _, err := m.Estimate(context.Background(), first, second); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkDetail estimates a pair of a Full-HD video, whose first frame is encoded already, at several details. cpu-s/op is the
// CPU time of all threads, which other programs on the machine change less than the time.
func BenchmarkDetail(b *testing.B) {
	m := openDefault(b)
	ctx := context.Background()
	first, second := pattern(1920, 1080, 1), pattern(1920, 1080, 2)
	for _, detail := range []float64{0.5, 1, 2} {
		b.Run(fmt.Sprint(detail), func(b *testing.B) {
			at := func(f *frame.Frame) *Features {
				features, err := m.EncodeAt(ctx, f, detail)
				if err != nil {
					b.Fatal(err)
				}
				return features
			}
			a := at(first)
			defer a.Close()
			begin := cpuTime(b)
			for b.Loop() {
				next := at(second)
				if _, err := m.Estimate(ctx, a, next); err != nil {
					b.Fatal(err)
				}
				next.Close()
			}
			b.ReportMetric((cpuTime(b)-begin).Seconds()/float64(b.N), "cpu-s/op")
		})
	}
}

// cpuTime returns the CPU time of this process so far.
func cpuTime(b *testing.B) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkConfidence measures what Go computes after the decoder: confidences and the check for finite flow.
func BenchmarkConfidence(b *testing.B) {
	values := make([]float32, 1920*1080)
	vectors := make([]float32, 2*1920*1080)
	for b.Loop() {
		parallel.Ranges(1080, 0, func(from, to int) {
			part := values[1920*from : 1920*to]
			for i := range part {
				part[i] = float32(i&15) - 8
			}
			pairs := vectors[2*1920*from : 2*1920*to]
			setVectors(pairs, pairs, 2, 1)
			setConfidence(part, part, 0)
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		m, err := Open(Options{Device: "cpu"})
		if err != nil {
			b.Fatal(err)
		}
		m.Close()
	}
}
