// Command calibrate measures the memory that a network takes on the CPU, in each of its precisions, and writes the figures to
// memory.json in its folder, from which flow.Model.Memory predicts it:
//
//	go run ./flow/internal/calibrate models/winwin-tiny
//
// It measures each frame size in a process of its own: the peak of resident memory over two pairs of a video, minus the resident
// memory before the network was opened. The memory of a frame's features is what a few more kept frames add. Run it after a
// change of the network's graph; a change of the weights does not matter.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/procinfo"
)

const keptFrames = 8 // for which features are kept to measure one frame's

var sizes = [][2]int{{320, 240}, {640, 480}, {960, 540}, {1280, 720}, {1600, 900}, {1920, 1080}}

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "calibrate:", err)
		os.Exit(1)
	}
}

func command(args []string) error {
	switch len(args) {
	case 1:
		return calibrate(args[0])
	case 5: // started by calibrate
		width, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		height, err := strconv.Atoi(args[2])
		if err != nil {
			return err
		}
		kept, err := strconv.Atoi(args[4])
		if err != nil {
			return err
		}
		bytes, err := measure(args[0], width, height, args[3], kept)
		if err != nil {
			return err
		}
		fmt.Println(bytes)
		return nil
	}
	return fmt.Errorf("usage: calibrate MODEL-FOLDER")
}

func calibrate(folder string) error {
	card, err := flow.ReadCard(folder)
	if err != nil {
		return err
	}
	precisions := card.Precisions
	if len(precisions) == 0 {
		precisions = []flow.Precision{flow.FP32}
	}
	figures := map[string]flow.Memory{}
	for _, p := range precisions {
		if figures[flow.MemoryKey(flow.CPU, p)], err = measurePrecision(folder, p); err != nil {
			return err
		}
	}
	data, err := json.MarshalIndent(figures, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, flow.MemoryFile), append(data, '\n'), 0o644)
}

// measurePrecision measures one precision at all sizes.
func measurePrecision(folder string, precision flow.Precision) (flow.Memory, error) {
	self, err := os.Executable()
	if err != nil {
		return flow.Memory{}, err
	}
	peak := func(width, height, kept int) (float64, error) {
		child := exec.Command(self, folder, strconv.Itoa(width), strconv.Itoa(height), string(precision), strconv.Itoa(kept))
		child.Stderr = os.Stderr
		out, err := child.Output()
		if err != nil {
			return 0, fmt.Errorf("%dx%d: %w", width, height, err)
		}
		return strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	}
	var pixels, bytes []float64
	for _, size := range sizes {
		b, err := peak(size[0], size[1], 0)
		if err != nil {
			return flow.Memory{}, err
		}
		pixels = append(pixels, float64(size[0]*size[1]))
		bytes = append(bytes, b)
	}
	fitted := fit(pixels, bytes)
	last := len(sizes) - 1
	more, err := peak(sizes[last][0], sizes[last][1], keptFrames)
	if err != nil {
		return flow.Memory{}, err
	}
	fitted.PerKeptPixel = max(0, (more-bytes[last])/(keptFrames*pixels[last]))
	fmt.Printf("%s features of a frame: %.1f bytes per pixel\n", precision, fitted.PerKeptPixel)
	for i, size := range sizes {
		predicted := float64(fitted.Bytes(size[0], size[1], 0))
		fmt.Printf("%s %4dx%-4d  measured %7.1f MiB, predicted %7.1f MiB, %+5.1f %%\n",
			precision, size[0], size[1], bytes[i]/(1<<20), predicted/(1<<20), 100*(predicted/bytes[i]-1))
	}
	return fitted, nil
}

// measure returns the peak of this process's memory while it estimates the flow of three frames and holds the features of kept
// other frames, minus its memory before.
func measure(folder string, width, height int, precision string, kept int) (int64, error) {
	before, err := procinfo.ResidentMemory()
	if err != nil {
		return 0, err
	}
	m, err := flow.Open(flow.Options{ModelDir: folder, Device: string(flow.CPU), Precision: precision})
	if err != nil {
		return 0, err
	}
	defer m.Close()
	ctx := context.Background()
	f := frame.New(width, height) // one for all, because the memory of frames does not count
	encode := func(seed uint64) (*flow.Features, error) {
		random := rand.New(rand.NewPCG(seed, 1))
		for i := range f.Pix {
			f.Pix[i] = byte(random.Uint32())
		}
		return m.Encode(ctx, f)
	}
	for i := range kept {
		features, err := encode(uint64(100 + i))
		if err != nil {
			return 0, err
		}
		defer features.Close()
	}
	var previous *flow.Features
	for seed := range uint64(3) {
		next, err := encode(seed)
		if err != nil {
			return 0, err
		}
		if previous != nil {
			if _, err := m.Estimate(ctx, previous, next); err != nil {
				return 0, err
			}
			previous.Close()
		}
		previous = next
	}
	previous.Close()
	after, err := procinfo.PeakMemory()
	return after - before, err
}

// fit returns the non-negative coefficients with the smallest sum of squared relative errors. It tries every subset of the three
// terms and takes the best solution without a negative coefficient.
func fit(pixels, bytes []float64) flow.Memory {
	best, least := flow.Memory{}, math.Inf(1)
	for subset := 1; subset < 8; subset++ {
		var terms []int
		for t := range 3 {
			if subset&(1<<t) != 0 {
				terms = append(terms, t)
			}
		}
		c, ok := solve(terms, pixels, bytes)
		if !ok || c[0] < 0 || c[1] < 0 || c[2] < 0 {
			continue
		}
		var sum float64
		for i, p := range pixels {
			d := (c[0]+c[1]*p+c[2]*p*p)/bytes[i] - 1
			sum += d * d
		}
		if sum < least {
			least, best = sum, flow.Memory{Base: math.Round(c[0]), PerPixel: c[1], PerPixelSquared: c[2]}
		}
	}
	return best
}

// solve solves the least-squares problem for these powers of P by the normal equations.
func solve(terms []int, pixels, bytes []float64) (c [3]float64, ok bool) {
	const unit = 1e6 // with megapixels the equations are well conditioned
	n := len(terms)
	a := make([][]float64, n)
	for i := range a {
		a[i] = make([]float64, n+1)
	}
	for k, p := range pixels {
		row := make([]float64, n)
		for i, t := range terms {
			row[i] = math.Pow(p/unit, float64(t)) / bytes[k]
		}
		for i := range row {
			for j := range row {
				a[i][j] += row[i] * row[j]
			}
			a[i][n] += row[i]
		}
	}
	for i := range n {
		if a[i][i] == 0 {
			return c, false
		}
		for j := range n {
			if j == i {
				continue
			}
			factor := a[j][i] / a[i][i]
			for k := i; k <= n; k++ {
				a[j][k] -= factor * a[i][k]
			}
		}
	}
	for i, t := range terms {
		c[t] = a[i][n] / a[i][i] / math.Pow(unit, float64(t))
	}
	return c, true
}
