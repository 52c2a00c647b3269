package flow

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// Kind is a way to run a network: one of ONNX Runtime's execution providers, or Auto.
type Kind string

// The kinds that --device knows.
const (
	Auto     Kind = "auto"     // CUDA where it works, else the CPU
	CPU      Kind = "cpu"      //
	CUDA     Kind = "cuda"     // an NVIDIA GPU
	TensorRT Kind = "tensorrt" // an NVIDIA GPU, with a graph compiled for it
	WebGPU   Kind = "webgpu"   // any GPU with a Vulkan driver
)

// Kinds are the kinds that a device can have, the best first, without Auto.
var Kinds = []Kind{TensorRT, CUDA, WebGPU, CPU}

// Device is a kind and, where a machine may have several, a number.
type Device struct {
	Kind  Kind
	Index int // of the GPU, from 0
}

func (d Device) String() string {
	if d.Index > 0 {
		return fmt.Sprintf("%s:%d", d.Kind, d.Index)
	}
	return string(d.Kind)
}

// ParseDevice reads auto, cpu, cuda[:N], tensorrt[:N] or webgpu; an empty text is auto.
func ParseDevice(text string) (Device, error) {
	if text == "" {
		return Device{Kind: Auto}, nil
	}
	kind, number, numbered := strings.Cut(text, ":")
	d := Device{Kind: Kind(kind)}
	switch d.Kind {
	case CUDA, TensorRT:
		if numbered {
			index, err := strconv.ParseUint(number, 10, 8)
			if err != nil {
				return Device{}, fmt.Errorf("device %q: %q is no number of a GPU: write %s:0", text, number, kind)
			}
			d.Index = int(index)
		}
		return d, nil
	case Auto, CPU, WebGPU:
		if !numbered {
			return d, nil
		}
	}
	return Device{}, fmt.Errorf("device %q is unknown: write auto, cpu, cuda, cuda:N, tensorrt, tensorrt:N or webgpu", text)
}

// sessionOptions readies a session for the device. The error is ONNX Runtime's own.
func (d Device) sessionOptions(threads int) (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	if err := d.configure(o, threads); err != nil {
		o.Destroy()
		return nil, err
	}
	return o, nil
}

func (d Device) configure(o *ort.SessionOptions, threads int) error {
	if threads == 0 && runtime.GOMAXPROCS(0) < runtime.NumCPU() {
		threads = runtime.GOMAXPROCS(0) // a container's share, which ONNX Runtime doesn't see
	}
	if err := o.SetIntraOpNumThreads(threads); err != nil {
		return err
	}
	// Idle threads of one graph would spin on the cores that the other graph, the decoder and the encoder need:
	// on two busy cores a run took 11 s of processor time with spinning and 7 s without, and less real time too.
	if err := o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); err != nil {
		return err
	}
	switch d.Kind {
	case CUDA:
		p, err := ort.NewCUDAProviderOptions()
		if err != nil {
			return err
		}
		defer p.Destroy()
		if err := p.Update(map[string]string{"device_id": strconv.Itoa(d.Index)}); err != nil {
			return err
		}
		return o.AppendExecutionProviderCUDA(p)
	case TensorRT:
		p, err := ort.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer p.Destroy()
		if err := p.Update(map[string]string{"device_id": strconv.Itoa(d.Index)}); err != nil {
			return err
		}
		return o.AppendExecutionProviderTensorRT(p)
	case WebGPU:
		return o.AppendExecutionProvider("WebGPU", nil)
	}
	return nil
}
