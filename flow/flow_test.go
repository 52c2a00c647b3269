package flow

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// open opens one of the networks in testdata. testdata/generate.py says what they compute.
func open(t testing.TB, name string) *Model {
	t.Helper()
	m, err := Open(Options{ModelDir: filepath.Join("testdata", name), Device: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// pattern returns a frame whose bytes depend on their position and on seed.
func pattern(width, height, seed int) *frame.Frame {
	f := frame.New(width, height)
	for i := range f.Pix {
		f.Pix[i] = byte(i*37 + i*i*seed + 11*seed)
	}
	return f
}

func encode(t testing.TB, m *Model, f *frame.Frame) *Features {
	t.Helper()
	features, err := m.Encode(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { features.Close() })
	return features
}

// expected returns what the network testdata/fake computes.
func expected(a, b *frame.Frame) *field.Field {
	want := field.New(a.Width, a.Height)
	want.Confidence = make([]float32, a.Width*a.Height)
	code := func(f *frame.Frame, i int) float32 { return float32(f.Pix[3*i]) + 256*float32(f.Pix[3*i+1]) }
	for i := range want.Confidence {
		want.Vectors[2*i] = code(b, i) - code(a, i)
		want.Vectors[2*i+1] = code(a, i) / 2
		logScale := (float64(a.Pix[3*i]) - float64(a.Pix[3*i+1])) / 32
		want.Confidence[i] = float32(1 / (1 + math.Exp(logScale)))
	}
	return want
}

func compare(t *testing.T, got, want *field.Field) {
	t.Helper()
	if got.Width != want.Width || got.Height != want.Height {
		t.Fatalf("the field is %dx%d, want %dx%d", got.Width, got.Height, want.Width, want.Height)
	}
	for i := range want.Vectors {
		if got.Vectors[i] != want.Vectors[i] {
			t.Fatalf("component %d is %v, want %v", i, got.Vectors[i], want.Vectors[i])
		}
	}
	for i := range want.Confidence {
		if got.Confidence[i] != want.Confidence[i] {
			t.Fatalf("confidence %d is %v, want %v", i, got.Confidence[i], want.Confidence[i])
		}
	}
}

func TestEstimateIsExact(t *testing.T) {
	m := open(t, "fake")
	for _, size := range [][2]int{{1, 1}, {5, 4}, {4, 5}, {33, 17}, {640, 360}} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			first, second := pattern(size[0], size[1], 1), pattern(size[0], size[1], 2)
			a, b := encode(t, m, first), encode(t, m, second)
			for _, test := range []struct {
				name          string
				from, to      *Features
				first, second *frame.Frame
			}{
				{"forward", a, b, first, second},
				{"backward", b, a, second, first},
				{"to itself", a, a, first, first},
			} {
				got, err := m.Estimate(context.Background(), test.from, test.to)
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				if got.Pair == nil || got.Pair.First != test.first || got.Pair.Second != test.second {
					t.Fatalf("%s: the field belongs to other frames", test.name)
				}
				compare(t, got, expected(test.first, test.second))
			}
		})
	}
}

// TestFeaturesDoNotShareMemory closes features between estimates, so that ONNX Runtime uses their memory again.
func TestFeaturesDoNotShareMemory(t *testing.T) {
	m := open(t, "fake")
	var previous *Features
	for seed := range 8 {
		next := encode(t, m, pattern(19, 7, seed))
		if previous != nil {
			got, err := m.Estimate(context.Background(), previous, next)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, expected(previous.Frame(), next.Frame()))
			previous.Close()
		}
		previous = next
	}
	other := encode(t, m, pattern(8, 8, 1)) // of another size, while previous is open
	again := encode(t, m, pattern(19, 7, 99))
	got, err := m.Estimate(context.Background(), previous, again)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, expected(previous.Frame(), again.Frame()))
	other.Close()
}

func TestEncodeDoesNotChangeTheFrame(t *testing.T) {
	m := open(t, "fake")
	f := pattern(21, 9, 3)
	before := bytes.Clone(f.Pix)
	encode(t, m, f)
	if !bytes.Equal(f.Pix, before) {
		t.Error("Encode changed the frame's pixels")
	}
}

// TestConcurrentUse estimates in four goroutines with one Model.
func TestConcurrentUse(t *testing.T) {
	m := open(t, "fake")
	fail := make(chan error, 4)
	for worker := range 4 {
		go func() {
			fail <- func() error {
				for i := range 5 {
					first, second := pattern(16+worker, 9, i), pattern(16+worker, 9, i+worker+1)
					a, err := m.Encode(context.Background(), first)
					if err != nil {
						return err
					}
					defer a.Close()
					b, err := m.Encode(context.Background(), second)
					if err != nil {
						return err
					}
					defer b.Close()
					got, err := m.Estimate(context.Background(), a, b)
					if err != nil {
						return err
					}
					want := expected(first, second)
					for j := range want.Vectors {
						if got.Vectors[j] != want.Vectors[j] {
							return fmt.Errorf("worker %d, pair %d: component %d is %v, want %v", worker, i, j, got.Vectors[j], want.Vectors[j])
						}
					}
				}
				return nil
			}()
		}()
	}
	for range 4 {
		if err := <-fail; err != nil {
			t.Error(err)
		}
	}
}

// TestCancel cancels a run that would never end.
func TestCancel(t *testing.T) {
	m := open(t, "endless")
	a, b := encode(t, m, pattern(16, 16, 1)), encode(t, m, pattern(16, 16, 2))
	cause := errors.New("the user pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
	if _, err := m.Estimate(ctx, a, b); !errors.Is(err, cause) {
		t.Errorf("the run returned %v, want the context's cause", err)
	}
	if _, err := m.Encode(ctx, pattern(4, 4, 1)); !errors.Is(err, cause) {
		t.Errorf("Encode with a cancelled context returned %v", err)
	}
	// The network still works afterwards. On a black frame its loop ends at once.
	black := encode(t, m, frame.New(16, 16))
	if _, err := m.Estimate(context.Background(), black, b); err != nil {
		t.Errorf("after a cancelled run: %v", err)
	}
}

// TestTwoModels opens three networks at once. Each accepts only its own features, even if another is a copy of it.
func TestTwoModels(t *testing.T) {
	ctx := context.Background()
	m, twin, other := open(t, "fake"), open(t, "fake"), open(t, "half")
	first, second := pattern(9, 8, 1), pattern(9, 8, 2)
	a, b := encode(t, m, first), encode(t, m, second)
	for _, foreign := range []*Features{encode(t, twin, first), encode(t, other, first)} {
		for _, pair := range [][2]*Features{{foreign, b}, {a, foreign}, {foreign, foreign}} {
			if _, err := m.Estimate(ctx, pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "another network") {
				t.Errorf("features of another network were accepted: %v", err)
			}
		}
	}
	got, err := m.Estimate(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, expected(first, second))
	// Features stay valid after their Model is closed, until they are closed too.
	c := encode(t, twin, first)
	twin.Close()
	c.Close()
}

func TestMisuse(t *testing.T) {
	m, other := open(t, "fake"), open(t, "fake")
	ctx := context.Background()
	a, b, c := encode(t, m, pattern(4, 4, 1)), encode(t, m, pattern(4, 5, 1)), encode(t, other, pattern(4, 4, 1))
	if _, err := m.Estimate(ctx, a, b); !errors.Is(err, ErrSize) {
		t.Errorf("two sizes: %v", err)
	}
	if _, err := m.Estimate(ctx, a, c); err == nil {
		t.Error("features of another network were accepted")
	}
	for _, f := range []*frame.Frame{nil, {}, {Width: 4, Height: 4, Pix: make([]byte, 47)}} {
		if _, err := m.Encode(ctx, f); err == nil {
			t.Errorf("the frame %v was encoded", f)
		}
	}
	a.Close()
	a.Close()
	if _, err := m.Estimate(ctx, a, a); !errors.Is(err, ErrClosed) {
		t.Errorf("closed features: %v", err)
	}
	d := encode(t, m, pattern(4, 4, 1))
	m.Close()
	m.Close()
	if _, err := m.Estimate(ctx, d, d); !errors.Is(err, ErrClosed) {
		t.Errorf("closed network: %v", err)
	}
	if _, err := m.Encode(ctx, pattern(4, 4, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("closed network: %v", err)
	}
	(*Model)(nil).Close()
	(*Features)(nil).Close()
}

func TestVectorsAndConfidence(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	vectors := []float32{1, 2, nan, 0, 0, -inf, 3, 4}
	setVectors(vectors, vectors, 2, 1)
	for i, known := range []bool{true, false, false, true} {
		if u, v := vectors[2*i], vectors[2*i+1]; field.Known(u, v) != known || known != (u == u) || known != (v == v) {
			t.Errorf("vector %d is (%v, %v), want known: %v", i, u, v, known)
		}
	}
	values := []float32{-inf, -1, 0, 1, 39, 1000, inf, nan}
	setConfidence(values, values, 0)
	for i, c := range values {
		if !(c > 0 && c <= 1) || i > 0 && c > values[i-1] {
			t.Errorf("confidences %v: number %d is not in (0, 1], or greater than the one before", values, i)
		}
	}
	if values[0] != 1 || values[2] != 0.5 {
		t.Errorf("an expected error of 0 px gives %v and one of 1 px gives %v, want 1 and 0.5", values[0], values[2])
	}
}

func TestOpenErrors(t *testing.T) {
	network := func(files map[string]string) string {
		dir := t.TempDir()
		for _, name := range []string{"encoder.onnx", "decoder.onnx", "model.json"} {
			content, given := files[name]
			if !given {
				data, err := os.ReadFile(filepath.Join("testdata/fake", name))
				if err != nil {
					t.Fatal(err)
				}
				content = string(data)
			} else if content == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	read := func(name string) string {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	tests := []struct {
		name string
		o    Options
		is   error
		says string
	}{
		{"no folder", Options{ModelDir: filepath.Join(t.TempDir(), "none")}, ErrNetwork, "model.json"},
		{"no encoder", Options{ModelDir: network(map[string]string{"encoder.onnx": ""})}, ErrNetwork, "encoder.onnx"},
		{"no card", Options{ModelDir: network(map[string]string{"model.json": ""})}, ErrNetwork, "model.json"},
		{"damaged card", Options{ModelDir: network(map[string]string{"model.json": "{"})}, ErrNetwork, "model.json"},
		{"nameless card", Options{ModelDir: network(map[string]string{"model.json": "{}"})}, ErrNetwork, "has no name"},
		{"future card", Options{ModelDir: network(map[string]string{"model.json": `{"name":"x","format":99}`})}, ErrNetwork, "newer version"},
		{"damaged decoder", Options{ModelDir: network(map[string]string{"decoder.onnx": "hello"})}, ErrNetwork, "decoder.onnx"},
		{"truncated encoder", Options{ModelDir: network(map[string]string{"encoder.onnx": read("testdata/fake/encoder.onnx")[:900]})}, ErrNetwork, "encoder.onnx"},
		{"swapped", Options{ModelDir: network(map[string]string{"encoder.onnx": read("testdata/fake/decoder.onnx")})}, ErrNetwork, "want frame"},
		{"two encoders", Options{ModelDir: network(map[string]string{"decoder.onnx": read("testdata/fake/encoder.onnx")})}, ErrNetwork, "want flow"},
		{"threads", Options{Threads: -1}, nil, "-1 threads"},
		{"unknown device", Options{Device: "gpu"}, nil, `unknown device "gpu"`},
		{"device number", Options{Device: "cuda:x"}, nil, "number of a GPU"},
		{"number of the CPU", Options{Device: "cpu:1"}, nil, "unknown"},
		{"another runtime", Options{ModelDir: "testdata/fake", Runtime: "testdata/fake/model.json"}, ErrNoRuntime, "is loaded already"},
		{"no runtime", Options{ModelDir: "testdata/fake", Runtime: "testdata/none.so"}, ErrNoRuntime, "none.so"},
	}
	open(t, "fake") // ONNX Runtime is loaded
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := Open(test.o)
			if err == nil {
				m.Close()
				t.Fatal("no error")
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("%v: want an error that wraps %v", err, test.is)
			}
			if !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v: want an error with %q", err, test.says)
			}
		})
	}
}

func TestParseDevice(t *testing.T) {
	for text, want := range map[string]Device{
		"": {Kind: Auto}, "auto": {Kind: Auto}, "cpu": {Kind: CPU}, "cuda": {Kind: CUDA}, "cuda:0": {Kind: CUDA},
		"cuda:3": {Kind: CUDA, Index: 3}, "tensorrt:1": {Kind: TensorRT, Index: 1}, "webgpu": {Kind: WebGPU},
	} {
		got, err := ParseDevice(text)
		if err != nil || got != want {
			t.Errorf("ParseDevice(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
}

// TestDevices opens a network on each kind of device. It either runs there or returns a DeviceError, never on another device.
func TestDevices(t *testing.T) {
	for _, kind := range Kinds {
		m, err := Open(Options{ModelDir: "testdata/fake", Device: string(kind)})
		var refused *DeviceError
		switch {
		case err == nil:
			if m.Device().Kind != kind {
				t.Errorf("a network opened on %s runs on %s", kind, m.Device())
			}
			m.Close()
		case !errors.As(err, &refused):
			t.Errorf("%s: %v is not a DeviceError", kind, err)
		case refused.Device.Kind != kind || refused.Missing == "" || kind == CPU:
			t.Errorf("%s: %v", kind, err)
		default:
			t.Log(err)
		}
	}
	m, err := Open(Options{ModelDir: "testdata/fake"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if kind := m.Device().Kind; kind != CPU && kind != CUDA {
		t.Errorf("auto chose %s", kind)
	}
	if err := m.SkippedGPU(); err != nil && (m.Device().Kind != CPU || countNVIDIA() == 0) {
		t.Errorf("auto chose %s and reports a skipped GPU: %v", m.Device(), err)
	}
}
