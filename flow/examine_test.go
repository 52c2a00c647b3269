package flow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/flow/internal/ort"
)

// TestExamine looks at a network that finds motion and at one that does not.
func TestExamine(t *testing.T) {
	e, err := Examine(context.Background(), Options{Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	if !e.Correct() || !e.Confidence || len(e.Graphs) != 2 || e.Graphs[0].Inputs[0] != "frame uint8 [1 ? ? 3]" {
		t.Errorf("the built-in network is %+v", e)
	}
	e, err = Examine(context.Background(), Options{ModelDir: "testdata/fixed", Device: "cpu"})
	if err != nil {
		t.Fatal(err)
	}
	if e.Correct() || e.Width != 32 || e.TestWidth != 32 || len(e.Graphs) != 1 {
		t.Errorf("a network of a fixed size is %+v", e)
	}
}

// TestProfile reads the profile that ONNX Runtime writes.
func TestProfile(t *testing.T) {
	open(t, "fixed") // ONNX Runtime is loaded
	folder := t.TempDir()
	m, err := openProfiled(Options{ModelDir: "testdata/fixed", Device: "cpu"}, filepath.Join(folder, "profile"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if _, err := m.examine(context.Background()); err != nil {
		t.Fatal(err)
	}
	m.Close()
	list, err := operatorsOnCPU(folder)
	if err != nil || !strings.Contains(strings.Join(list, ", "), "Mul x") {
		t.Errorf("the operators on the CPU are %v, %v", list, err)
	}
}

// TestExamineExplainsPadding opens a graph that fails on sizes that are no multiples of 8, without the entry that pads frames.
func TestExamineExplainsPadding(t *testing.T) {
	dir := t.TempDir()
	graph, err := os.ReadFile("testdata/single/model.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"model.onnx": string(graph), "model.json": `{"name": "x", "format": 2}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Examine(context.Background(), Options{ModelDir: dir, Device: "cpu"}); err == nil || !strings.Contains(err.Error(), "input.multiple") {
		t.Errorf("the error is %v", err)
	}
}

// TestUnknownOperator renames an operator of a graph.
func TestUnknownOperator(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"encoder.onnx", "decoder.onnx", "model.json"} {
		data, err := os.ReadFile(filepath.Join("testdata/fake", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(strings.ReplaceAll(string(data), "Cast", "Cost")), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := Open(Options{ModelDir: dir, Device: "cpu"})
	if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "has no operator") || !strings.Contains(err.Error(), "Cost") {
		t.Errorf("the error is %v", err)
	}
	missing := &ort.Error{Message: "[ONNXRuntimeError] : 9 : NOT_IMPLEMENTED : Could not find an implementation for GridSample(20) node with name '/g'"}
	if got := missing.Operator(); got != "GridSample(20)" {
		t.Errorf("the operator is %q", got)
	}
}

// TestCountCPU reads a profile: only work of images on the CPU counts.
func TestCountCPU(t *testing.T) {
	profile := `[
	{"name": "/g_kernel_time", "args": {"op_name": "GridSample", "provider": "CPUExecutionProvider", "output_type_shape": [{"float": [1, 9, 9, 1]}]}},
	{"name": "/g2_kernel_time", "args": {"op_name": "GridSample", "provider": "CPUExecutionProvider", "output_type_shape": [{"float": [1, 9, 9, 1]}]}},
	{"name": "/g3_fence_before", "args": {"op_name": "GridSample"}},
	{"name": "/s_kernel_time", "args": {"op_name": "Shape", "provider": "CPUExecutionProvider", "output_type_shape": [{"int64": [4]}]}},
	{"name": "/c_kernel_time", "args": {"op_name": "Conv", "provider": "CUDAExecutionProvider", "output_type_shape": [{"float": [1, 9, 9, 1]}]}},
	{"name": "session_initialization", "args": {}}]`
	count := map[string]int{}
	if err := countCPU([]byte(profile), count); err != nil {
		t.Fatal(err)
	}
	if len(count) != 1 || count["GridSample"] != 2 {
		t.Errorf("the operators are %v", count)
	}
}
