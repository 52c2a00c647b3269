// Command speed measures the network alone, without video: milliseconds per pair of frames, and memory. It measures three
// ways: the features of a frame are reused for the next pair (as wwflow does), they are not, and the frame is divided into
// overlapping tiles (as CroCo-Flow does). It prints one JSON line for each. measure.sh runs it beside PyTorch and the
// complete program.
//
// It does not use libav, so that it runs where only ONNX Runtime is installed.
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
	"github.com/wwflow/wwflow/internal/procinfo"
)

// The tiles of CroCo-Flow: 320 rows, 384 columns; neighbours overlap by 0.7 of a side.
const (
	tileWidth, tileHeight = 384, 320
	overlap               = 0.7 // share of a side
)

// result is one line of output.
type result struct {
	What         string  `json:"what"`             // pair, no-reuse or tiles
	By           string  `json:"by"`               // wwflow
	Device       string  `json:"device,omitempty"` // as for --device
	Precision    string  `json:"precision,omitempty"`
	Network      string  `json:"network,omitempty"`
	Width        int     `json:"width"`
	Height       int     `json:"height"`
	Milliseconds float64 `json:"ms,omitempty"`         // per pair of frames: the median of the runs
	Max          float64 `json:"ms_max,omitempty"`     // the slowest run
	Runs         int     `json:"runs,omitempty"`       // measured runs, without the warm-up
	Tiles        int     `json:"tiles,omitempty"`      // per frame; ms is the time of one tile times this number
	Memory       int64   `json:"memory,omitempty"`     // peak of the process, bytes
	GPUMemory    int64   `json:"gpu_memory,omitempty"` // increase of the used GPU memory, bytes
	Error        string  `json:"error,omitempty"`      // why nothing was measured
}

func main() {
	model := flag.String("model", "", "folder of the network; empty = the built-in one")
	device := flag.String("device", "cpu", "device that runs the network")
	precision := flag.String("precision", "auto", "auto, fp32 or fp16")
	width := flag.Int("width", 1920, "size of a frame, pixels")
	height := flag.Int("height", 1080, "size of a frame, pixels")
	budget := flag.Duration("time", 10*time.Second, "approximate time of each measurement; at least one run is measured")
	what := flag.String("what", "pair,no-reuse,tiles", "what to measure, separated by commas")
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

// measure opens the network, so that the memory is that of this measurement alone, and fills in the result.
func measure(r *result, o flow.Options, budget time.Duration) error {
	run, ok := map[string]func(*flow.Model, *result) (func(context.Context) error, error){
		"pair": withReuse, "no-reuse": withoutReuse, "tiles": inTiles,
	}[r.What]
	if !ok {
		return fmt.Errorf("unknown measurement %q: give pair, no-reuse or tiles", r.What)
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
	if err := once(ctx); err != nil { // warm-up
		return err
	}
	warm := time.Since(begin)
	for range 3 { // GPU clocks rise, libraries choose their kernels
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
	r.Milliseconds, r.Max, r.Runs = scale*times[len(times)/2], scale*times[len(times)-1], len(times)
	r.Memory, _ = procinfo.PeakMemory() // since resetPeak; 0 if the system does not report it
	if after := gpuMemory(); before > 0 && after > before {
		r.GPUMemory = after - before
	}
	return nil
}

// withReuse returns a run that encodes one frame and estimates one pair: the features of the previous frame are kept.
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

// withoutReuse returns a run that encodes both frames of a pair.
func withoutReuse(m *flow.Model, r *result) (func(context.Context) error, error) {
	return pairOf(m, noise(r.Width, r.Height, 1), noise(r.Width, r.Height, 2)), nil
}

// inTiles returns a run that computes one of the tiles that cover the frame.
func inTiles(m *flow.Model, r *result) (func(context.Context) error, error) {
	if r.Width < tileWidth || r.Height < tileHeight {
		return nil, fmt.Errorf("tiles of %dx%d do not fit into frames of %dx%d", tileWidth, tileHeight, r.Width, r.Height)
	}
	r.Tiles = cover(r.Width, tileWidth) * cover(r.Height, tileHeight)
	return pairOf(m, noise(tileWidth, tileHeight, 1), noise(tileWidth, tileHeight, 2)), nil
}

// cover returns the number of tiles that cover a side.
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

// noise returns a frame of random 8x8 blocks. The content of a frame does not change the time.
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

func resetPeak() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // if this fails, the peak covers the whole life of the process
}

// gpuMemory returns the used memory of the first GPU, by all programs, in bytes; 0 without a GPU.
func gpuMemory() int64 {
	out, err := exec.Command("nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits", "--id=0").Output()
	if err != nil {
		return 0
	}
	mib, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return mib << 20
}
