// Package flow estimates the optical flow between two frames with a binocular network, run by ONNX Runtime.
//
// A Model is an opened network. Encode turns a frame into Features, once for each frame of a video; Estimate
// turns the features of two frames into the flow from the first to the second. Swapped arguments give the
// flow backwards. The network takes any frame size, pads and crops by itself, and never resizes.
//
// A network is a folder of three files, and a fourth that may be missing:
//
//   - encoder.onnx: input `frame`, uint8 [1,H,W,3], RGB; outputs any number of named feature tensors.
//   - decoder.onnx: inputs named a.<feature> and b.<feature>, any subset of the encoder's outputs for the
//     first and the second frame; outputs `flow`, float32 [1,H,W,2], pixels, (u, v), and `log_scale`,
//     float32 [1,H,W], the natural logarithm of the Laplace scale of the flow's error in pixels.
//   - model.json: the model card, see Card.
//   - memory.json: how much memory a run takes, see Memory.
//
// Ownership: a Model and every Features hold memory outside Go's heap until Close. Close is nil-safe and
// idempotent, and they may be closed in any order. A Model may be used by several goroutines at once.
// No error is followed by a silent fall-back: a device that can't be used is a *DeviceError.
package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/wwflow/wwflow/models"
)

// ErrClosed is returned by the methods of a Model or Features after its Close.
var ErrClosed = errors.New("the network is closed")

// ErrSize is wrapped by the error that Estimate returns for two frames of different size.
var ErrSize = errors.New("frames of different size")

// ErrNetwork is wrapped by Open's errors about a network's folder: a file that is missing, damaged or
// of another kind than this package runs.
var ErrNetwork = errors.New("not a network that wwflow can run")

// Options says which network runs where. The zero value is the default network on the best device.
type Options struct {
	ModelDir string // folder of the network; empty = the one that is built into the program
	Device   string // auto, cpu, cuda[:N], tensorrt[:N], webgpu; empty = auto
	Runtime  string // file or folder of libonnxruntime; empty = where internal/ortlib finds it
	Threads  int    // CPU threads of the network; 0 = as many as the machine has cores
}

// Model is an opened network.
type Model struct {
	card   Card
	memory Memory
	device Device

	mu      sync.RWMutex // held for reading during a run, for writing by Close
	encoder *graph       // nil once closed
	decoder *graph
	feeds   []feed // what each of the decoder's inputs is fed with

	pool pool
}

// feed is one input of the decoder: the feature's place among the encoder's outputs, of which frame.
type feed struct {
	second  bool
	feature int
}

// Open loads a network and readies it to run. Loading takes from a tenth of a second to some seconds.
// Its errors wrap ErrNoRuntime (the library was not found or can't be loaded), ErrNetwork, or are a *DeviceError.
func Open(o Options) (*Model, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("%d threads: give a positive number, or 0 for all cores", o.Threads)
	}
	device, err := ParseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	m := &Model{}
	if m.card, err = ReadCard(o.ModelDir); err != nil {
		return nil, err
	}
	if err := startRuntime(o.Runtime); err != nil {
		return nil, err
	}
	if device.Kind == Auto {
		device = bestDevice()
	} else if err := device.check(); err != nil {
		return nil, err
	}
	m.device = device
	if m.memory, err = readMemory(networkFolder(o.ModelDir), device.Kind); err != nil {
		return nil, describe(o.ModelDir, err)
	}
	if err := m.load(networkFolder(o.ModelDir), o.Threads); err != nil {
		m.Close()
		return nil, describe(o.ModelDir, err)
	}
	return m, nil
}

// networkFolder is a network's folder, and the built-in one where none is named.
func networkFolder(dir string) fs.FS {
	if dir == "" {
		return models.Default()
	}
	return os.DirFS(dir)
}

func describe(dir string, err error) error {
	if dir == "" {
		dir = "the built-in network"
	}
	return fmt.Errorf("%s: %w", dir, err)
}

func (m *Model) load(folder fs.FS, threads int) error {
	var err error
	if m.encoder, err = openGraph(folder, "encoder.onnx", m.device, threads); err != nil {
		return err
	}
	if m.decoder, err = openGraph(folder, "decoder.onnx", m.device, threads); err != nil {
		return err
	}
	if err := m.encoder.expect("input", m.encoder.inputs, "frame"); err != nil {
		return err
	}
	if err := m.decoder.expect("output", m.decoder.outputs, "flow", "log_scale"); err != nil {
		return err
	}
	m.feeds, err = connect(m.encoder.outputs, m.decoder.inputs)
	return err
}

// connect finds, for each of the decoder's inputs, the encoder's output of that name.
func connect(outputs, inputs []string) ([]feed, error) {
	place := make(map[string]int, len(outputs))
	for i, name := range outputs {
		place[name] = i
	}
	feeds := make([]feed, len(inputs))
	for i, name := range inputs {
		side, feature, ok := strings.Cut(name, ".")
		at, known := place[feature]
		if !ok || !known || side != "a" && side != "b" {
			return nil, fmt.Errorf("%w: the input %q of decoder.onnx is none of the outputs of encoder.onnx (a. or b. and one of %s)",
				ErrNetwork, name, strings.Join(outputs, ", "))
		}
		feeds[i] = feed{second: side == "b", feature: at}
	}
	return feeds, nil
}

// Card is the model card of the network.
func (m *Model) Card() Card { return m.card }

// Device is where the network runs; never Auto.
func (m *Model) Device() Device { return m.device }

// Close frees the network. It waits for a run under way; cancel that run's context to wait less.
func (m *Model) Close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	err := errors.Join(m.encoder.close(), m.decoder.close())
	m.encoder, m.decoder = nil, nil
	m.pool.close()
	return err
}

// use runs a graph while Close is held off.
func (m *Model) use(ctx context.Context, run func(encoder, decoder *graph) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.encoder == nil {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return run(m.encoder, m.decoder)
}
