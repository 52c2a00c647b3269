package flow

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

func TestPrecisionChoice(t *testing.T) {
	both, plain := Card{Name: "both", Precisions: []Precision{FP32, FP16}}, Card{Name: "plain"}
	half := Card{Name: "half", Precisions: []Precision{FP16}}
	for _, test := range []struct {
		asked string
		card  Card
		kind  Kind
		want  Precision // empty = an error
	}{
		{"", both, CPU, FP32}, {"auto", both, CUDA, FP16}, {"auto", both, TensorRT, FP16}, {"auto", both, WebGPU, FP32},
		{"auto", plain, CUDA, FP32}, {"auto", half, CPU, FP16},
		{"fp32", both, CUDA, FP32}, {"fp16", both, CPU, FP16}, {"fp16", plain, CUDA, ""}, {"fp32", half, CPU, ""},
	} {
		asked, err := ParsePrecision(test.asked)
		if err != nil {
			t.Fatal(err)
		}
		got, err := asked.choose(test.card, Device{Kind: test.kind})
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q of %s on %s is %q, %v; want %q", test.asked, test.card.Name, test.kind, got, err, test.want)
		}
		if err != nil && (!errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), test.card.Name)) {
			t.Errorf("%v: want ErrNetwork with the name of the network", err)
		}
	}
}

// TestPrecisions uses the network half, whose graphs compute different flow in each precision.
func TestPrecisions(t *testing.T) {
	for precision, weight := range map[Precision]float32{FP32: 256, FP16: 2} {
		m, err := Open(Options{ModelDir: "testdata/half", Device: "cpu", Precision: string(precision)})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		if m.Precision() != precision {
			t.Errorf("a network opened in %s runs in %s", precision, m.Precision())
		}
		if got, want := m.Memory(10, 10, 0), map[Precision]int64{FP32: 2000, FP16: 1000}[precision]+int64(m.threads)*bytesPerThread; got != want {
			t.Errorf("%s: Memory predicts %d bytes, want %d", precision, got, want)
		}
		first, second := pattern(31, 17, 1), pattern(31, 17, 2)
		a, b := encode(t, m, first), encode(t, m, second)
		for range 2 { // features serve more than one estimate
			got, err := m.Estimate(context.Background(), a, b)
			if err != nil {
				t.Fatal(err)
			}
			code := func(f *frame.Frame, i int) float32 { return float32(f.Pix[3*i]) + weight*float32(f.Pix[3*i+1]) }
			for i := range got.Confidence {
				if u, v := code(second, i)-code(first, i), code(first, i)/2; got.Vectors[2*i] != u || got.Vectors[2*i+1] != v {
					t.Fatalf("%s: the flow of pixel %d is (%v, %v), want (%v, %v)", precision, i, got.Vectors[2*i], got.Vectors[2*i+1], u, v)
				}
			}
		}
	}
}

func TestPrecisionErrors(t *testing.T) {
	mixed := t.TempDir()
	for _, name := range []string{"encoder.onnx", "decoder.onnx", "encoder.fp16.onnx", "model.json"} {
		from := name
		if name == "encoder.fp16.onnx" {
			from = "encoder.onnx" // float32 features, but the decoder takes float16
		}
		data, err := os.ReadFile(filepath.Join("testdata/half", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(mixed, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		o    Options
		says string
	}{
		{Options{ModelDir: "testdata/fake", Device: "cpu", Precision: "fp16"}, "fake supports fp32"},
		{Options{ModelDir: "testdata/fake", Device: "cpu", Precision: "int8"}, `unknown precision "int8"`},
		{Options{ModelDir: mixed, Device: "cpu", Precision: "fp16"}, "decoder.fp16.onnx"},
	} {
		if m, err := Open(test.o); err == nil || !strings.Contains(err.Error(), test.says) {
			m.Close()
			t.Errorf("%+v: %v; want %q", test.o, err, test.says)
		}
	}
	half, err := os.ReadFile("testdata/half/decoder.fp16.onnx")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mixed, "decoder.fp16.onnx"), half, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Open(Options{ModelDir: mixed, Device: "cpu", Precision: "fp16"})
	if !errors.Is(err, ErrNetwork) || !strings.Contains(err.Error(), "float16") || !strings.Contains(err.Error(), "float32") {
		m.Close()
		t.Errorf("features of the wrong type: %v", err)
	}
}
