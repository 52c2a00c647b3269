// Command speed measures the network alone, without video: milliseconds a pair of frames and memory, with a frame's
// features used for the two pairs that it is in (as wwflow does), without that, and in overlapping tiles (as
// CroCo-Flow does). It prints a JSON line for each. measure.sh runs it beside PyTorch and the whole program.
//
// It imports nothing of libav, so that it runs where only ONNX Runtime is.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// The tiles of CroCo-Flow: 320 rows, 384 columns, each overlapping the one before it by 0.7 of its side.
const (
	tileWidth, tileHeight = 384, 320
	overlap               = 0.7
)

// result is one line of output.
type result struct {
	What         string  `json:"what"`             // pair, no-reuse or tiles
	By           string  `json:"by"`               // wwflow
	Device       string  `json:"device,omitempty"` // as --device
	Precision    string  `json:"precision,omitempty"`
	Network      string  `json:"network,omitempty"`
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	Milliseconds float64 `json:"ms,omitempty"`         // a pair of frames; the median
	Slowest      float64 `json:"ms_most,omitempty"`    // of those measured
	Runs         int     `json:"runs,omitempty"`       // that were measured, after those that warm up
	Tiles        int     `json:"tiles,omitempty"`      // of a frame; ms is the median tile's, so many times
	Memory       int64   `json:"memory,omitempty"`     // peak of the process, bytes
	GPUMemory    int64   `json:"gpu_memory,omitempty"` // that the GPU had more in use than before, bytes
	Error        string  `json:"error,omitempty"`      // why nothing was measured
}

func main() {
	model := flag.String("model", "", "folder of the network; empty = the one inside")
	device := flag.String("device", "cpu", "where it runs")
	precision := flag.String("precision", "auto", "auto, fp32 or fp16")
	width := flag.Int("width", 1920, "of a frame, pixels")
	height := flag.Int("height", 1080, "of a frame, pixels")
	budget := flag.Duration("time", 10*time.Second, "for each measurement, about; one run at least")
	what := flag.String("what", "pair,no-reuse,tiles", "what to measure")
	flag.Parse()
	failed := false
	out := json.NewEncoder(os.Stdout)
	for _, w := range strings.Split(*what, ",") {
		r := result{What: w, By: "wwflow", Device: *device, Precision: *precision, Width: *width, Height: *height}
		if err := measure(&r, flow.Options{ModelDir: *model, Device: *device, Precision: *precision}, *budget); err != nil {
			r.Error, failed = err.Error(), true
		}
		if err := out.Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// measure opens the network anew, so that the memory is this measurement's.
func measure(r *result, o flow.Options, budget time.Duration) error {
	run, ok := map[string]func(*flow.Model, *result) (func(context.Context) error, error){
		"pair": withReuse, "no-reuse": withoutReuse, "tiles": inTiles,
	}[r.What]
	if !ok {
		return fmt.Errorf("%q is none of pair, no-reuse, tiles", r.What)
	}
	resetPeak()
	before := gpuMemory()
	m, err := flow.Open(o)
	if err != nil {
		return err
	}
	defer m.Close()
	r.Network, r.Device, r.Precision = m.Card().Name, m.Device().String(), string(m.Precision())
	once, err := run(m, r)
	if err != nil {
		return err
	}
	ctx := context.Background()
	begin := time.Now()
	if err := once(ctx); err != nil { // warms up
		return err
	}
	warm := time.Since(begin)
	for range 3 { // a GPU's clocks rise, libraries choose their kernels
		if warm > budget/8 {
			break
		}
		if err := once(ctx); err != nil {
			return err
		}
	}
	var times []float64
	for begin := time.Now(); len(times) == 0 || time.Since(begin) < budget && len(times) < 1000; {
		t := time.Now()
		if err := once(ctx); err != nil {
			return err
		}
		times = append(times, 1000*time.Since(t).Seconds())
	}
	slices.Sort(times)
	scale := float64(max(1, r.Tiles))
	r.Milliseconds, r.Slowest, r.Runs = scale*times[len(times)/2], scale*times[len(times)-1], len(times)
	r.Memory = peak()
	if after := gpuMemory(); before > 0 && after > before {
		r.GPUMemory = after - before
	}
	return nil
}

// withReuse encodes one frame and estimates one pair in each run: the features of the frame before are kept.
func withReuse(m *flow.Model, r *result) (func(context.Context) error, error) {
	frames := [2]*frame.Frame{noise(r.Width, r.Height, 1), noise(r.Width, r.Height, 2)}
	last, err := m.Encode(context.Background(), frames[0])
	if err != nil {
		return nil, err
	}
	n := 0
	return func(ctx context.Context) error {
		n++
		next, err := m.Encode(ctx, frames[n%2])
		if err != nil {
			return err
		}
		_, err = m.Estimate(ctx, last, next)
		err = errors.Join(err, last.Close())
		last = next
		return err
	}, nil
}

// withoutReuse encodes both frames of each pair.
func withoutReuse(m *flow.Model, r *result) (func(context.Context) error, error) {
	return pairOf(m, noise(r.Width, r.Height, 1), noise(r.Width, r.Height, 2)), nil
}

// inTiles does one tile in each run, of all that cover the frame.
func inTiles(m *flow.Model, r *result) (func(context.Context) error, error) {
	if r.Width < tileWidth || r.Height < tileHeight {
		return nil, fmt.Errorf("tiles of %dx%d do not fit into frames of %dx%d", tileWidth, tileHeight, r.Width, r.Height)
	}
	r.Tiles = cover(r.Width, tileWidth) * cover(r.Height, tileHeight)
	return pairOf(m, noise(tileWidth, tileHeight, 1), noise(tileWidth, tileHeight, 2)), nil
}

// cover is how many tiles a side takes.
func cover(side, tile int) int {
	stride := math.Floor(float64(tile) * (1 - overlap))
	return 1 + int(math.Ceil(float64(side-tile)/stride))
}

func pairOf(m *flow.Model, first, second *frame.Frame) func(context.Context) error {
	return func(ctx context.Context) error {
		a, err := m.Encode(ctx, first)
		if err != nil {
			return err
		}
		defer a.Close()
		b, err := m.Encode(ctx, second)
		if err != nil {
			return err
		}
		defer b.Close()
		_, err = m.Estimate(ctx, a, b)
		return err
	}
}

// noise is a frame of grains of eight pixels. What is in a frame does not change the time.
func noise(width, height int, seed uint32) *frame.Frame {
	f := frame.New(width, height)
	for y := range height {
		for x := range width {
			h := (uint32(x/8)*2654435761 ^ uint32(y/8)*2246822519 ^ seed*3266489917) * 668265263
			for k := range 3 {
				f.Pix[3*(y*width+x)+k] = byte(h >> (8 * (k + 1)))
			}
		}
	}
	return f
}

// peak is the most memory that the process has had since resetPeak, in bytes; 0 where the system does not tell.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if words := strings.Fields(line); len(words) == 3 && words[0] == "VmHWM:" {
			kib, _ := strconv.ParseInt(words[1], 10, 64)
			return kib << 10
		}
	}
	return 0
}

func resetPeak() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // where it can't be, the peak is that of all so far
}

// gpuMemory is what all programs together have in use of the first GPU, in bytes; 0 where there is none.
func gpuMemory() int64 {
	out, err := exec.Command("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0").Output()
	if err != nil {
		return 0
	}
	mib, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return mib << 20
}
