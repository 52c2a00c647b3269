package flow

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// Examination is what Examine found out about a network.
type Examination struct {
	Graphs     []GraphInfo `json:"graphs"`
	Confidence bool        `json:"confidence"`            // whether the network gives one
	Width      int         `json:"fixed_width,omitempty"` // the only size that the graph takes; 0 = any
	Height     int         `json:"fixed_height,omitempty"`
	Tested     bool        `json:"tested"` // the test below has run
	// The test: a texture of TestWidth x TestHeight pixels that moves by (TrueU, TrueV), and the median of the flow.
	TestWidth  int     `json:"test_width"`
	TestHeight int     `json:"test_height"`
	TrueU      float64 `json:"true_u"`
	TrueV      float64 `json:"true_v"`
	U          float64 `json:"median_u"`
	V          float64 `json:"median_v"`
	Unknown    float64 `json:"unknown_share"` // of the vectors
	// Operators that the device's provider lacks, so that the CPU runs them, with their number, such as "GridSample x80".
	OnCPU []string `json:"operators_on_cpu,omitempty"`
}

// GraphInfo describes a graph of a network.
type GraphInfo struct {
	File    string   `json:"file"`
	Inputs  []string `json:"inputs"` // such as "frame uint8 [1 ? ? 3]"
	Outputs []string `json:"outputs"`
}

// motion of the test's texture, in pixels, and its size: odd, so that padding is needed.
const (
	testU, testV          = 4, -2
	testWidth, testHeight = 253, 187
)

// Correct reports whether the test's flow is within a pixel of the truth. An untrained network, and one that is fed with
// images of the wrong form, fails the test.
func (e Examination) Correct() bool {
	return math.Abs(e.U-e.TrueU) < 1 && math.Abs(e.V-e.TrueV) < 1
}

// Examine opens a network, looks at its graphs and tries it on a small texture that moves. The error is why the network cannot
// be opened or run.
func Examine(ctx context.Context, o Options) (Examination, error) {
	folder, err := os.MkdirTemp("", "wwflow-profile")
	if err != nil {
		return Examination{}, err
	}
	defer os.RemoveAll(folder)
	m, err := openProfiled(o, filepath.Join(folder, "profile"))
	if err != nil {
		return Examination{}, err
	}
	defer m.Close()
	e, err := m.examine(ctx)
	if err != nil {
		return e, addNetwork(o.ModelDir, fmt.Errorf("it fails on frames of %dx%d, see input.multiple and input.minimum in docs/networks.md: %w", e.TestWidth, e.TestHeight, err))
	}
	m.Close() // writes the profile
	if m.device.Kind != CPU {
		e.OnCPU, err = operatorsOnCPU(folder)
	}
	return e, err
}

func (m *Model) examine(ctx context.Context) (Examination, error) {
	e := Examination{Confidence: m.HasConfidence(), Width: m.images.width, Height: m.images.height,
		TestWidth: cmp.Or(m.images.width, testWidth), TestHeight: cmp.Or(m.images.height, testHeight), TrueU: testU, TrueV: testV}
	for _, g := range []*graph{m.encoder, m.decoder} {
		if g != nil {
			e.Graphs = append(e.Graphs, GraphInfo{g.name, describePorts(g.session.Inputs), describePorts(g.session.Outputs)})
		}
	}
	a, b := texture(e.TestWidth, e.TestHeight, 0, 0), texture(e.TestWidth, e.TestHeight, testU, testV)
	f, err := m.Flow(ctx, a, b)
	if err != nil {
		return e, err
	}
	s := f.Statistics()
	e.Tested = true
	e.U, e.V, e.Unknown = s.U.Median, s.V.Median, float64(s.Unknown)/float64(s.Known+s.Unknown)
	if s.Known == 0 {
		return e, errors.New("no vector of its flow is a finite number")
	}
	return e, nil
}

// texture returns smooth colours, moved by (u, v) pixels.
func texture(width, height, u, v int) *frame.Frame {
	f := frame.New(width, height)
	for i := range width * height {
		x, y := float64(i%width-u), float64(i/width-v)
		for c := range 3 {
			k := float64(c + 1)
			wave := math.Sin(x/(5+k)+k) + math.Sin(y/(7-k)) + math.Sin((x+y*k)/(11+k)) + math.Sin((x*k-y)/23)
			f.Pix[3*i+c] = uint8(127 + 31*wave)
		}
	}
	return f
}

func describePorts(ports []ort.Port) (list []string) {
	for _, p := range ports {
		list = append(list, fmt.Sprintf("%s %s %s", p.Name, p.Type, strings.ReplaceAll(fmt.Sprint(p.Shape), "-1", "?")))
	}
	return list
}

// operatorsOnCPU reads ONNX Runtime's profiles in a folder: which operators ran on the CPU. Constants and shapes, of which
// providers leave the computation to the CPU, are not listed.
func operatorsOnCPU(folder string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := countCPU(data, count); err != nil {
			return nil, fmt.Errorf("ONNX Runtime's profile: %w", err)
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		list = append(list, fmt.Sprintf("%s x%d", name, count[name]))
	}
	return list, nil
}

func countCPU(profile []byte, count map[string]int) error {
	var events []struct {
		Name string
		Args struct {
			Operator string `json:"op_name"`
			Provider string
			Shapes   []map[string][]int64 `json:"output_type_shape"`
		}
	}
	if err := json.NewDecoder(bytes.NewReader(profile)).Decode(&events); err != nil {
		return err
	}
	for _, e := range events {
		if !strings.HasSuffix(e.Name, "_kernel_time") || e.Args.Provider != "CPUExecutionProvider" {
			continue
		}
		size := int64(0)
		for _, output := range e.Args.Shapes {
			for _, shape := range output {
				n := int64(1)
				for _, side := range shape {
					n *= side
				}
				size = max(size, n)
			}
		}
		if size >= smallOutput {
			count[e.Args.Operator]++
		}
	}
	return nil
}

// smallOutput is the number of values below which an operator computes with shapes, not with images.
const smallOutput = 64
