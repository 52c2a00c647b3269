package parts

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pipeline"
)

// BenchmarkResume makes the flow video of a Full-HD clip of 24 pairs with the built-in network: in one piece, and in four segments. They
// take turns, so that both meet the same load of other programs. The network sees the frames at a quarter of their size, so that the cost
// of a segment stands out. It reports medians: the ratio of the times, what a segment costs, and how much that is of the minute of work that
// a segment has where nothing else is said.
func BenchmarkResume(b *testing.B) {
	const pairs, segments = 24, 4
	folder := b.TempDir()
	input := filepath.Join(folder, "in.mp4")
	libavtest.FFmpeg(b, "-i", filepath.Join(testutil.Repository(), "testdata", "clips", "square-walkers.mp4"), "-frames:v", "25", "-an", "-vf", "scale=1920:1080", input)
	o := Options{Segment: pairs / segments}
	o.Video = pipeline.Options{Input: input, Output: filepath.Join(folder, "out.mp4"), Network: flow.Options{Device: "cpu", Detail: 0.25}, Encode: encode.Options{Force: true}}
	o.Video.Paint.MaxFlow = 10
	networks, err := pipeline.OpenNetworks(o.Video.Network)
	if err != nil {
		b.Fatal(err)
	}
	defer networks.Close()
	o.Video.Networks = networks
	whole := func() error {
		_, err := pipeline.Run(b.Context(), o.Video)
		return err
	}
	resume := func() error {
		_, err := Resume(b.Context(), o)
		return err
	}
	if err := whole(); err != nil { // warms up
		b.Fatal(err)
	}
	var wall, cpu, wallCost, cpuCost []float64
	for i := 0; b.Loop(); i++ {
		var use [2]struct{ wall, cpu float64 }
		for k := range 2 {
			which := (i + k) % 2
			if err := os.Remove(o.Video.Output); err != nil {
				b.Fatal(err)
			}
			wallBegin, cpuBegin := time.Now(), cpuTime(b)
			if err := []func() error{whole, resume}[which](); err != nil {
				b.Fatal(err)
			}
			use[which].wall, use[which].cpu = time.Since(wallBegin).Seconds(), (cpuTime(b) - cpuBegin).Seconds()
		}
		wall, cpu = append(wall, use[1].wall/use[0].wall), append(cpu, use[1].cpu/use[0].cpu)
		wallCost, cpuCost = append(wallCost, (use[1].wall-use[0].wall)/segments), append(cpuCost, (use[1].cpu-use[0].cpu)/segments)
	}
	b.ReportMetric(median(wall), "x-wall")
	b.ReportMetric(median(cpu), "x-cpu")
	b.ReportMetric(1000*median(wallCost), "wall-ms/segment")
	b.ReportMetric(1000*median(cpuCost), "cpu-ms/segment")
	b.ReportMetric(100*median(wallCost)/segmentTime.Seconds(), "%-of-a-minute")
}

func median(list []float64) float64 {
	slices.Sort(list)
	return list[len(list)/2]
}

// cpuTime returns the CPU time of all threads of this process so far.
func cpuTime(b *testing.B) time.Duration {
	var use unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
