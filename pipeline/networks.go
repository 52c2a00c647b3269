package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/flow"
)

// Networks are one network on one device or on several, which share the pairs of a video. They are for one run at a time.
type Networks []*Network

// OpenNetworks opens the network on each device of o.Device, a list with commas such as "cuda:0,cuda:1". Its errors
// are those of flow.Open, and ErrOptions for a device or precision that does not exist or a detail out of range.
func OpenNetworks(o flow.Options) (n Networks, err error) {
	devices := strings.Split(o.Device, ",")
	for _, d := range devices {
		if len(devices) > 1 && (d == "" || d == string(flow.Auto)) {
			return nil, fmt.Errorf("%w: device %s: a list names each device, such as cuda:0,cuda:1", ErrOptions, o.Device)
		}
		if _, err := flow.ParseDevice(d); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	if _, err := flow.ParsePrecision(o.Precision); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if err := flow.CheckDetail(o.Detail); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	for _, d := range devices {
		o.Device = d
		model, err := flow.Open(o)
		if err != nil {
			return nil, errors.Join(err, n.Close())
		}
		n = append(n, newNetwork(model))
	}
	return n, nil
}

// CheckMemory returns a *flow.MemoryError where a video's frames need more memory than is free. The scale that the
// error advises is relative to the input, as decode.Options.Scale is.
func (n Networks) CheckMemory(video decode.Info, step int, scale float64) error {
	models := make([]*flow.Model, len(n))
	for i, one := range n {
		models[i] = one.model
	}
	err := flow.CheckMemory(models, video.Width, video.Height, keptFeatures(step, video))
	var e *flow.MemoryError
	if errors.As(err, &e) && scale > 0 {
		e.Scale = math.Floor(100*scale*e.Scale) / 100
	}
	return err
}

// keptFeatures is how many frames' features are kept beside a pair's: with a step of K each frame is kept until the
// frame K before it has been the first of a pair.
func keptFeatures(step int, video decode.Info) int {
	if video.FramesExact {
		step = min(step, video.Frames-step)
	}
	return max(0, step-1)
}

// Name is the name of the network.
func (n Networks) Name() string { return n[0].model.Card().Name }

// InputSize is the size in pixels at which the networks see frames of width x height, as flow.Model.InputSize.
func (n Networks) InputSize(width, height int) (int, int) {
	return n[0].model.InputSize(width, height)
}

// Memory is what the networks take for a video on all their devices, in bytes; 0 where that is not known.
func (n Networks) Memory(video decode.Info, step int) (bytes int64) {
	for _, one := range n {
		bytes += one.model.Memory(video.Width, video.Height, keptFeatures(step, video))
	}
	return bytes
}

// Precision is the number format of the first device, and of the others where they differ.
func (n Networks) Precision() string {
	var list []string
	for _, one := range n {
		if p := string(one.model.Precision()); !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return strings.Join(list, ", ")
}

// Devices names the devices: "cuda, cuda:1".
func (n Networks) Devices() string {
	list := make([]string, len(n))
	for i, one := range n {
		list[i] = one.model.Device().String()
	}
	return strings.Join(list, ", ")
}

// Close frees the networks.
func (n Networks) Close() error {
	var errs []error
	for _, one := range n {
		errs = append(errs, one.close())
	}
	return errors.Join(errs...)
}

// FrameMemory is the most memory in bytes that the frames, fields and images between the stages take. With both
// directions each field has a reverse and a visibility.
func FrameMemory(width, height, step, devices int, both bool) int64 {
	const image, oneFlow = 3, 4*2 + 4
	flow := oneFlow
	if both {
		flow = 2 * (oneFlow + 1)
	}
	s := stages{networks: make([]estimateFunc, devices)}
	_, waiting := s.capacity()
	frames := frameQueue + 2 + (step + 1) // both sides of the channel and the pairing hold frames
	fields := waiting + devices + 1       // each network and the painter hold one
	images := imageQueue + 2
	return int64(width) * int64(height) * int64((frames+images)*image+fields*(flow+image))
}
