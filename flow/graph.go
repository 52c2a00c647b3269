package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
)

// graph is an ONNX file, loaded on a device.
type graph struct {
	name    string // of the file
	device  Device
	session *ort.Session
}

func openGraph(name string, data []byte, device Device, settings ort.Settings) (*graph, error) {
	session, err := ort.Open(data, settings)
	if err == nil {
		return &graph{name, device, session}, nil
	}
	var cause *ort.Error
	switch {
	case errors.As(err, &cause) && cause.OutOfMemory():
		return nil, fmt.Errorf("%s on %s: %w to load it: free some, or choose another --device", name, device, ErrMemory)
	case cause != nil && cause.Operator() != "":
		return nil, fmt.Errorf("%w: %s on %s: this ONNX Runtime has no operator %s: export the graph with an older opset and without custom operators, or use a newer ONNX Runtime with --ort",
			ErrNetwork, name, device, cause.Operator())
	case device.Kind != CPU && cause != nil && !cause.BadGraph():
		return nil, &DeviceError{Device: device, Missing: fmt.Sprintf("it cannot load %s: %v", name, err)}
	}
	return nil, fmt.Errorf("%w: %s on %s: %w", ErrNetwork, name, device, err)
}

// fileError says that a file of a network cannot be read.
func fileError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s is missing (a network is a folder with encoder.onnx and decoder.onnx, or model.onnx, and model.json): %w", ErrNetwork, name, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
}

func portNames(ports []ort.Port) []string {
	names := make([]string, len(ports))
	for i, p := range ports {
		names[i] = p.Name
	}
	return names
}

// checkNames checks that a graph has the inputs or outputs that are needed, in any order. Beside them inputs must be optional
// ones, because they would stay without a value; outputs may have any name.
func (g *graph) checkNames(what string, ports []ort.Port, needed, optional []string) error {
	found := portNames(ports)
	missing := slices.ContainsFunc(needed, func(name string) bool { return !slices.Contains(found, name) })
	extra := slices.ContainsFunc(found, func(name string) bool { return !slices.Contains(slices.Concat(needed, optional), name) })
	if !missing && (!extra || what == "output") {
		return nil
	}
	want := strings.Join(needed, " and ")
	if len(optional) > 0 {
		want += ", and optionally " + strings.Join(optional, ", ")
	}
	return fmt.Errorf("%w: %s has the %ss %s, want %s", ErrNetwork, g.name, what, strings.Join(found, ", "), want)
}

// output returns the index of an output; -1 if the graph does not have it.
func (g *graph) output(name string) int {
	return slices.IndexFunc(g.session.Outputs, func(p ort.Port) bool { return p.Name == name })
}

// run runs the graph, as ort.Session.Run does, for frames that the network sees at width x height.
func (g *graph) run(ctx context.Context, width, height int, inputs, outputs []*ort.Tensor) error {
	err := g.session.Run(ctx, inputs, outputs)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return g.runError(width, height, err)
}

// runError adds the graph, the device and, if memory is short, the frame size to an error of ONNX Runtime.
func (g *graph) runError(width, height int, err error) error {
	var cause *ort.Error
	if errors.As(err, &cause) && cause.OutOfMemory() {
		return fmt.Errorf("%s on %s: %w for frames of %dx%d: reduce them with --detail or --scale, or choose another --device", g.name, g.device, ErrMemory, width, height)
	}
	if cause != nil && g.device.Kind != CPU && cause.DeviceLost() {
		return &LostError{g.device, fmt.Errorf("%s: %w", g.name, err)}
	}
	return fmt.Errorf("%s on %s: %w", g.name, g.device, err)
}

// LostError says that a device failed while the network ran on it. Another process may succeed, once the device is back.
type LostError struct {
	Device Device
	Err    error // of ONNX Runtime
}

func (e *LostError) Error() string { return fmt.Sprintf("the device %s was lost: %v", e.Device, e.Err) }
func (e *LostError) Unwrap() error { return e.Err }

func (g *graph) close() {
	if g != nil {
		g.session.Close()
	}
}
