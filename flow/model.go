// Package flow estimates the optical flow between two frames with a neural network that ONNX Runtime runs.
//
// A Model is an opened network. Model.Flow estimates the flow of one pair. For a video use an Estimator, which encodes each
// frame once. Both are built on Encode, which turns a frame into Features, and Estimate, which turns the features of two frames
// into the flow from the first to the second; with swapped arguments it estimates the backward flow. The network accepts frames
// of any size. It pads them itself and sees the whole frame at its own size, or at Options.Detail times that size.
//
// A network is a folder with these files, which docs/networks.md describes in full:
//
//   - encoder.onnx: input frame, uint8 or float32 [1,H,W,3] or [1,3,H,W]; Card.Input says more. Outputs: any number of named
//     feature tensors of any type.
//   - decoder.onnx: inputs a.NAME and b.NAME, where NAME is an output of the encoder, for the first and the second frame.
//     Outputs: flow, float32 [1,H,W,2] or [1,2,H,W], (u, v) in pixels, and optionally log_scale, float32 [1,H,W], the natural
//     logarithm of the scale of a Laplace distribution of the flow error in pixels. Other outputs are ignored.
//   - or, instead of these two, model.onnx: inputs image1 and image2 as frame above, outputs as those of the decoder.
//   - encoder.fp16.onnx, decoder.fp16.onnx, model.fp16.onnx: the same in half precision, if the model card lists fp16. Features
//     may be float16; the types of the other inputs and outputs are as above.
//   - model.json: the model card, see Card.
//   - memory.json: the memory that the network takes, see Memory. Optional.
//
// A frame is copied to the device as uint8, features stay there, and the flow is copied back once.
//
// A Model and Features hold memory outside Go's heap until Close. Close works on nil, may be called twice, and in any order. A
// Model may be used by several goroutines at once. The package never switches to another device by itself: a device that
// cannot be used is a *DeviceError.
package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"sync"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/models"
)

// ErrClosed is returned by the methods of a Model or Features after Close.
var ErrClosed = errors.New("the network is closed")

// ErrSize is wrapped by the error of Estimate if the frames differ in size.
var ErrSize = errors.New("frames of different size")

// ErrMemory is wrapped by errors about too little memory on the host or the device.
var ErrMemory = errors.New("not enough memory")

// ErrNetwork is wrapped by errors of Open about the network's folder: a file is missing, damaged or not supported.
var ErrNetwork = errors.New("not a network that wwflow can run")

// Options say which network to open and how to run it. The zero value is the built-in network on the best device.
type Options struct {
	ModelDir  string // the network's folder; empty = the built-in network
	Device    string // auto, cpu, cuda[:N], tensorrt[:N] or webgpu; empty = auto
	Precision string // auto, fp32 or fp16; empty = auto
	Runtime   string // file or folder of the ONNX Runtime library; empty = search for it
	Threads   int    // CPU threads; 0 = one per core; more than runtime.NumCPU() means runtime.NumCPU()
	// Detail is the factor, MinDetail to MaxDetail, by which frames are resized for the network; 0 = 1. The flow keeps the
	// frame's size and pixels as unit.
	Detail float64
}

// Model is an opened network.
type Model struct {
	card       Card
	memory     Memory
	device     Device
	skippedGPU error
	precision  Precision
	threads    int     // on the CPU
	detail     float64 // 0 = 1
	confident  bool    // the network gives a confidence

	mu      sync.RWMutex // read-locked during a run, locked by Close
	encoder *graph       // nil after Close, and for a network of one graph, whose features are the images
	decoder *graph       // nil after Close
	images  images       // the input of the encoder, or of the network's one graph
	layout  Layout       // of the flow
	sources []source     // of the decoder's inputs
}

// source says which feature an input of the decoder takes.
type source struct {
	second  bool // of the second frame
	feature int  // index among the encoder's outputs
}

// Open loads a network, which takes from 0.1 seconds to some seconds. The error wraps ErrNoRuntime or ErrNetwork, or is a
// *DeviceError.
func Open(o Options) (*Model, error) { return openProfiled(o, "") }

// openProfiled is Open, with the beginning of the names of ONNX Runtime's profiles; empty = none.
func openProfiled(o Options, profile string) (*Model, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("%d threads: give a positive number, or 0 for one per core", o.Threads)
	}
	if err := CheckDetail(o.Detail); err != nil {
		return nil, err
	}
	device, err := ParseDevice(o.Device)
	if err != nil {
		return nil, err
	}
	precision, err := ParsePrecision(o.Precision)
	if err != nil {
		return nil, err
	}
	m := &Model{detail: o.Detail}
	if m.card, err = ReadCard(o.ModelDir); err != nil {
		return nil, err
	}
	if err := loadRuntime(o.Runtime); err != nil {
		return nil, err
	}
	if device.Kind == Auto {
		device, m.skippedGPU = bestDevice()
	} else if err := device.check(); err != nil {
		return nil, err
	}
	m.device = device
	if m.precision, err = precision.choose(m.card, device); err != nil {
		return nil, addNetwork(o.ModelDir, err)
	}
	if m.memory, err = readMemory(networkFolder(o.ModelDir), device.Kind, m.precision); err != nil {
		return nil, addNetwork(o.ModelDir, err)
	}
	if err := m.load(networkFolder(o.ModelDir), o.Threads, profile); err != nil {
		m.Close()
		return nil, addNetwork(o.ModelDir, err)
	}
	return m, nil
}

func networkFolder(dir string) fs.FS {
	if dir == "" {
		return models.Default()
	}
	return os.DirFS(dir)
}

// addNetwork adds the name of the network to an error.
func addNetwork(dir string, err error) error {
	if dir == "" {
		dir = "the built-in network"
	}
	return fmt.Errorf("%s: %w", dir, err)
}

// load opens both graphs and connects them. The device and the precision are set.
func (m *Model) load(folder fs.FS, threads int, profile string) error {
	names, files, err := m.readGraphs(folder)
	if err != nil {
		return err
	}
	cache, err := m.device.cacheFolder(files)
	if err != nil {
		return err
	}
	settings := m.device.settings(threads, m.precision, cache)
	settings.Profile = profile
	if m.threads = settings.Threads; m.threads == 0 {
		m.threads = runtime.NumCPU()
	}
	graphs := []**graph{&m.encoder, &m.decoder}
	for i, name := range names {
		if *graphs[len(graphs)-len(names)+i], err = openGraph(name, files[i], m.device, settings); err != nil {
			return err
		}
	}
	if err := m.checkImages(); err != nil {
		return err
	}
	if err := m.checkFlow(); err != nil {
		return err
	}
	m.sources, err = m.connect()
	return err
}

// readGraphs reads encoder.onnx and decoder.onnx, or model.onnx.
func (m *Model) readGraphs(folder fs.FS) (names []string, files [][]byte, err error) {
	names = []string{m.precision.graphFile("encoder"), m.precision.graphFile("decoder")}
	single := m.precision.graphFile("model")
	if _, err := fs.Stat(folder, single); err == nil {
		if _, err := fs.Stat(folder, names[0]); err == nil {
			return nil, nil, fmt.Errorf("%w: it has %s and %s: remove one of them", ErrNetwork, single, names[0])
		}
		names = []string{single}
	}
	for _, name := range names {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, nil, fileError(name, err)
		}
		files = append(files, data)
		if _, err := fs.Stat(folder, name+".data"); err == nil {
			return nil, nil, fmt.Errorf("%w: %s keeps its weights in %s.data, which is not supported: save it as one file", ErrNetwork, name, name)
		}
	}
	return names, files, nil
}

// checkImages checks the inputs that take images.
func (m *Model) checkImages() (err error) {
	first := m.encoder
	names := []string{"frame"}
	if first == nil {
		first, names = m.decoder, []string{"image1", "image2"}
	}
	if err := first.checkNames("input", first.session.Inputs, names, nil); err != nil {
		return err
	}
	for _, port := range first.session.Inputs {
		before := m.images
		if m.images, err = newImages(m.card.Input, port); err != nil {
			return fmt.Errorf("%w: the input %q of %s %w", ErrNetwork, port.Name, first.name, err)
		}
		if port.Name == "image2" && before != (images{}) && before != m.images {
			return fmt.Errorf("%w: the inputs of %s differ in type or shape", ErrNetwork, first.name)
		}
	}
	if m.images.width > 0 && m.Detail() != 1 {
		return fmt.Errorf("%w: %s takes images of %dx%d only, so detail %v is not possible: leave out --detail", ErrNetwork, first.name, m.images.width, m.images.height, m.detail)
	}
	return nil
}

// checkFlow checks the outputs.
func (m *Model) checkFlow() (err error) {
	if err := m.decoder.checkNames("output", m.decoder.session.Outputs, []string{"flow"}, []string{"log_scale"}); err != nil {
		return err
	}
	m.confident = m.decoder.output("log_scale") >= 0
	for _, port := range m.decoder.session.Outputs {
		if port.Name != "flow" && port.Name != "log_scale" {
			continue
		}
		if port.Type != ort.Float32 {
			return fmt.Errorf("%w: the output %q of %s is %s, want float32", ErrNetwork, port.Name, m.decoder.name, port.Type)
		}
		if port.Name == "flow" {
			stated := m.card.Output.Layout
			if m.layout, err = layoutOf(stated, port.Shape, 2); err != nil && stated == "" {
				m.layout, err = layoutOf(m.images.Layout, port.Shape, 2)
			}
			if err != nil {
				return fmt.Errorf("%w: the output %q of %s %w", ErrNetwork, port.Name, m.decoder.name, err)
			}
		}
	}
	return nil
}

// HasConfidence reports whether the network gives a confidence with its flow.
func (m *Model) HasConfidence() bool { return m.confident }

// connect finds the feature for each input of the graph that gives the flow.
func (m *Model) connect() (sources []source, err error) {
	if m.encoder != nil {
		return connect(m.encoder, m.decoder)
	}
	for _, port := range m.decoder.session.Inputs {
		sources = append(sources, source{second: port.Name == "image2"})
	}
	return sources, nil
}

// connect finds the encoder's output for each input of the decoder.
func connect(encoder, decoder *graph) ([]source, error) {
	outputs := encoder.session.Outputs
	index := make(map[string]int, len(outputs))
	for i, port := range outputs {
		index[port.Name] = i
	}
	sources := make([]source, len(decoder.session.Inputs))
	for i, port := range decoder.session.Inputs {
		side, feature, ok := strings.Cut(port.Name, ".")
		output, known := index[feature]
		if !ok || !known || side != "a" && side != "b" {
			return nil, fmt.Errorf("%w: the input %q of %s does not name an output of %s (a.NAME or b.NAME with one of %s)",
				ErrNetwork, port.Name, decoder.name, encoder.name, strings.Join(portNames(outputs), ", "))
		}
		if got := outputs[output].Type; got != port.Type {
			return nil, fmt.Errorf("%w: the input %q of %s is %s, and the output of %s is %s", ErrNetwork, port.Name, decoder.name, port.Type, encoder.name, got)
		}
		sources[i] = source{second: side == "b", feature: output}
	}
	return sources, nil
}

// Card returns the model card of the network.
func (m *Model) Card() Card { return m.card }

// Device returns the device on which the network runs. It is never Auto.
func (m *Model) Device() Device { return m.device }

// SkippedGPU returns the *DeviceError for which Auto did not use the NVIDIA GPU of this machine. It is nil if there is no such
// GPU, if Auto used it, or if the device was named.
func (m *Model) SkippedGPU() error { return m.skippedGPU }

// Precision returns the number format in which the network computes: FP32 or FP16.
func (m *Model) Precision() Precision { return m.precision }

// Close frees the network. It waits for runs in progress; cancel their context to stop them.
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

// use calls run, and keeps Close waiting until it returns.
func (m *Model) use(ctx context.Context, run func(encoder, decoder *graph) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.decoder == nil {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return run(m.encoder, m.decoder)
}
