// Package flow estimates the optical flow between two frames with a binocular network, run by ONNX Runtime.
//
// A Model is an opened network. Encode turns a frame into Features, once for each frame of a video; Estimate
// turns the features of two frames into the flow from the first to the second. Swapped arguments give the
// flow backwards. The network takes any frame size, pads and crops by itself, and never resizes.
//
// A network is a folder of three files, and a fourth that may be missing:
//
//   - encoder.onnx: input `frame`, uint8 [1,H,W,3], RGB; outputs any number of named feature tensors, of any type.
//   - decoder.onnx: inputs named a.<feature> and b.<feature>, any subset of the encoder's outputs for the
//     first and the second frame; outputs `flow`, float32 [1,H,W,2], pixels, (u, v), and `log_scale`,
//     float32 [1,H,W], the natural logarithm of the Laplace scale of the flow's error in pixels.
//   - model.json: the model card, see Card.
//   - memory.json: how much memory a run takes, see Memory.
//
// Where the card lists the precision fp16 there are encoder.fp16.onnx and decoder.fp16.onnx too, with the same names of
// inputs and outputs: features may be float16 there, the frame, the flow and log_scale have the types above.
//
// Frames go up to the device as uint8; features stay there, Go never sees them; the flow comes down once.
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

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/models"
)

// ErrClosed is returned by the methods of a Model or Features after its Close.
var ErrClosed = errors.New("the network is closed")

// ErrSize is wrapped by the error that Estimate returns for two frames of different size.
var ErrSize = errors.New("frames of different size")

// ErrMemory is wrapped by the errors of a run for which the host or the device has too little memory.
var ErrMemory = errors.New("not enough memory")

// ErrNetwork is wrapped by Open's errors about a network's folder: a file that is missing, damaged or
// of another kind than this package runs.
var ErrNetwork = errors.New("not a network that wwflow can run")

// Options says which network runs where. The zero value is the default network on the best device.
type Options struct {
	ModelDir  string // folder of the network; empty = the one that is built into the program
	Device    string // auto, cpu, cuda[:N], tensorrt[:N], webgpu; empty = auto
	Precision string // auto, fp32, fp16; empty = auto
	Runtime   string // file or folder of libonnxruntime; empty = where internal/ortlib finds it
	Threads   int    // CPU threads of the network; 0 = as many as the machine has cores
}

// Model is an opened network.
type Model struct {
	card      Card
	memory    Memory
	device    Device
	passed    error
	precision Precision

	mu      sync.RWMutex // held for reading during a run, for writing by Close
	encoder *graph       // nil once closed
	decoder *graph
	feeds   []feed // what each of the decoder's inputs is fed with
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
	precision, err := ParsePrecision(o.Precision)
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
		device, m.passed = bestDevice()
	} else if err := device.check(); err != nil {
		return nil, err
	}
	m.device = device
	if m.precision, err = precision.choose(m.card, device); err != nil {
		return nil, describe(o.ModelDir, err)
	}
	if m.memory, err = readMemory(networkFolder(o.ModelDir), device.Kind, m.precision); err != nil {
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
	names := [2]string{m.precision.graphFile("encoder"), m.precision.graphFile("decoder")}
	var files [2][]byte
	for i, name := range names {
		var err error
		if files[i], err = fs.ReadFile(folder, name); err != nil {
			return fileError(name, err)
		}
	}
	cache, err := m.device.cacheFolder(files[:])
	if err != nil {
		return err
	}
	if m.encoder, err = openGraph(names[0], files[0], m.device, m.device.settings(threads, m.precision, cache)); err != nil {
		return err
	}
	if m.decoder, err = openGraph(names[1], files[1], m.device, m.device.settings(threads, m.precision, cache)); err != nil {
		return err
	}
	if err := m.encoder.expect("input", m.encoder.session.Inputs, ort.Uint8, "frame"); err != nil {
		return err
	}
	if err := m.decoder.expect("output", m.decoder.session.Outputs, ort.Float32, "flow", "log_scale"); err != nil {
		return err
	}
	m.feeds, err = connect(m.encoder, m.decoder)
	return err
}

// connect finds, for each of the decoder's inputs, the encoder's output of that name.
func connect(encoder, decoder *graph) ([]feed, error) {
	outputs := encoder.session.Outputs
	place := make(map[string]int, len(outputs))
	for i, port := range outputs {
		place[port.Name] = i
	}
	feeds := make([]feed, len(decoder.session.Inputs))
	for i, port := range decoder.session.Inputs {
		side, feature, ok := strings.Cut(port.Name, ".")
		at, known := place[feature]
		if !ok || !known || side != "a" && side != "b" {
			return nil, fmt.Errorf("%w: the input %q of %s is none of the outputs of %s (a. or b. and one of %s)",
				ErrNetwork, port.Name, decoder.name, encoder.name, strings.Join(names(outputs), ", "))
		}
		if made := outputs[at].Type; made != port.Type {
			return nil, fmt.Errorf("%w: %s wants %q as %s, and %s makes it as %s", ErrNetwork, decoder.name, port.Name, port.Type, encoder.name, made)
		}
		feeds[i] = feed{second: side == "b", feature: at}
	}
	return feeds, nil
}

// Card is the model card of the network.
func (m *Model) Card() Card { return m.card }

// Device is where the network runs; never Auto.
func (m *Model) Device() Device { return m.device }

// SkippedGPU says why auto did not take the GPU that this machine has, as a *DeviceError; nil where it has none, where
// it was taken, or where a device was asked for.
func (m *Model) SkippedGPU() error { return m.passed }

// Precision is what the network computes in: FP32 or FP16.
func (m *Model) Precision() Precision { return m.precision }

// Close frees the network. It waits for a run under way; cancel that run's context to wait less.
func (m *Model) Close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.encoder.close()
	m.decoder.close()
	m.encoder, m.decoder = nil, nil
	return nil
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
