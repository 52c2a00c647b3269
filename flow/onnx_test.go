package flow

import (
	"bytes"
	"os"
	"slices"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
)

// ports must say what ONNX Runtime itself says of a file.
func TestPortsAgreeWithONNXRuntime(t *testing.T) {
	if err := startRuntime(""); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"testdata/fake/encoder.onnx", "testdata/fake/decoder.onnx", "testdata/endless/decoder.onnx", "../models/winwin-tiny/encoder.onnx"} {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		inputs, outputs, err := ports(data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		wantInputs, wantOutputs, err := ort.GetInputOutputInfoWithONNXData(data)
		if err != nil {
			t.Fatal(err)
		}
		convert := func(infos []ort.InputOutputInfo) (list []port) {
			for _, info := range infos {
				list = append(list, port{info.Name, info.DataType})
			}
			return list
		}
		if want := convert(wantInputs); !slices.Equal(inputs, want) {
			t.Errorf("%s: inputs %v, want %v", name, inputs, want)
		}
		if want := convert(wantOutputs); !slices.Equal(outputs, want) {
			t.Errorf("%s: outputs %v, want %v", name, outputs, want)
		}
	}
}

func FuzzPorts(f *testing.F) {
	data, err := os.ReadFile("testdata/fake/decoder.onnx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		inputs, outputs, err := ports(data)
		if err == nil && (len(inputs) == 0 || len(outputs) == 0) {
			t.Error("a file without inputs or outputs is no error")
		}
		if !bytes.Equal(data, before) {
			t.Error("reading changed the file's bytes")
		}
	})
}
