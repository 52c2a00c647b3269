package flow

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// graph is one ONNX file, loaded on a device.
type graph struct {
	name            string
	session         *ort.DynamicAdvancedSession
	inputs, outputs []string // in the order of the file
}

func openGraph(folder fs.FS, name string, device Device, threads int) (*graph, error) {
	data, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, fileError(name, err)
	}
	inputs, outputs, err := ports(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
	}
	for _, p := range slices.Concat(inputs, outputs) {
		if !supported(p.elements) {
			return nil, fmt.Errorf("%w: %s: %q has the element type %s; export it as float32", ErrNetwork, name, p.name, p.elements)
		}
	}
	options, err := device.sessionOptions(threads)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	g := &graph{name: name, inputs: names(inputs), outputs: names(outputs)}
	g.session, err = ort.NewDynamicAdvancedSessionWithONNXData(data, g.inputs, g.outputs, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %s on %s: %w", ErrNetwork, name, device, err)
	}
	return g, nil
}

func fileError(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: it has no %s (a network is a folder with encoder.onnx, decoder.onnx and model.json): %w", ErrNetwork, name, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrNetwork, name, err)
}

func names(ports []port) []string {
	list := make([]string, len(ports))
	for i, p := range ports {
		list[i] = p.name
	}
	return list
}

// supported are the element types that onnxruntime_go copies right; float16 it would cut in half.
func supported(t ort.TensorElementDataType) bool {
	switch t {
	case ort.TensorElementDataTypeFloat, ort.TensorElementDataTypeUint8, ort.TensorElementDataTypeInt32, ort.TensorElementDataTypeInt64:
		return true
	}
	return false
}

// expect demands that the graph has exactly these inputs or outputs, in any order.
func (g *graph) expect(what string, have []string, want ...string) error {
	if !slices.Equal(slices.Sorted(slices.Values(have)), slices.Sorted(slices.Values(want))) {
		return fmt.Errorf("%w: %s has the %ss %s, and must have %s", ErrNetwork, g.name, what, strings.Join(have, ", "), strings.Join(want, ", "))
	}
	return nil
}

// run computes the outputs, filling those that are given and making those that are nil.
// A cancelled context stops the graph at its next operator, and its cause is the error.
func (g *graph) run(ctx context.Context, inputs, outputs []ort.Value) error {
	options, err := ort.NewRunOptions()
	if err != nil {
		return err
	}
	defer options.Destroy()
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		options.Terminate()
	})
	err = g.session.RunWithOptions(inputs, outputs, options)
	if !stop() {
		<-terminated // or Terminate could touch what Destroy freed
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%s: %w", g.name, err)
}

func (g *graph) close() error {
	if g == nil || g.session == nil {
		return nil
	}
	err := g.session.Destroy()
	g.session = nil
	return err
}
