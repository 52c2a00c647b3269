package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/wwflow/wwflow/flow/internal/ort"
	"github.com/wwflow/wwflow/frame"
)

// graph is one ONNX file, loaded on a device.
type graph struct {
	name    string
	device  Device
	session *ort.Session
}

// openGraph loads a graph whose file holds data.
func openGraph(name string, data []byte, device Device, settings ort.Settings) (*graph, error) {
	session, err := ort.Open(data, settings)
	if err == nil {
		return &graph{name, device, session}, nil
	}
	var said *ort.Error
	switch {
	case errors.As(err, &said) && said.OutOfMemory():
		return nil, fmt.Errorf("%s on %s: %w to load it: free some, or take another --device", name, device, ErrMemory)
	case device.Kind != CPU && said != nil && !said.BadGraph():
		return nil, &DeviceError{Device: device, Missing: fmt.Sprintf("it can't load %s: %v", name, err)}
	}
	return nil, fmt.Errorf("%w: %s on %s: %w", ErrNetwork, name, device, err)
}

func fileError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: it has no %s (a network is a folder with encoder.onnx, decoder.onnx and model.json): %w", ErrNetwork, name, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
}

func names(ports []ort.Port) []string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = p.Name
	}
	return list
}

// expect demands that the graph has exactly these inputs or outputs, in any order, all of one type.
func (g *graph) expect(what string, have []ort.Port, element ort.ElementType, want ...string) error {
	if !slices.Equal(slices.Sorted(slices.Values(names(have))), slices.Sorted(slices.Values(want))) {
		return fmt.Errorf("%w: %s has the %ss %s, and must have %s", ErrNetwork, g.name, what, strings.Join(names(have), ", "), strings.Join(want, ", "))
	}
	for _, p := range have {
		if p.Type != element {
			return fmt.Errorf("%w: %s: its %s %q is %s, and must be %s", ErrNetwork, g.name, what, p.Name, p.Type, element)
		}
	}
	return nil
}

// run computes the outputs for frames of this size, filling those that are given and making those that are nil.
// A cancelled context stops the graph at its next operator, and its cause is the error.
func (g *graph) run(ctx context.Context, f *frame.Frame, inputs, outputs []*ort.Tensor) error {
	err := g.session.Run(ctx, inputs, outputs)
	if err == nil || ctx.Err() != nil {
		return err
	}
	return g.describe(f, err)
}

// describe places an error of ONNX Runtime.
func (g *graph) describe(f *frame.Frame, err error) error {
	var said *ort.Error
	if errors.As(err, &said) && said.OutOfMemory() {
		return fmt.Errorf("%s on %s: %w for frames of %dx%d: make them smaller with --scale, or take another --device", g.name, g.device, ErrMemory, f.Width, f.Height)
	}
	return fmt.Errorf("%s on %s: %w", g.name, g.device, err)
}

func (g *graph) close() {
	if g != nil {
		g.session.Close()
	}
}
