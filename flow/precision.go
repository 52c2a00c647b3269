package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Precision is the number format in which a network computes. Flow comes out as float32 in each.
type Precision string

// The precisions that --precision knows.
const (
	AutoPrecision Precision = "auto" // FP16 on CUDA and TensorRT where the network has it, else FP32
	FP32          Precision = "fp32"
	FP16          Precision = "fp16" // half precision where the network's export found it to be enough
)

// ParsePrecision reads auto, fp32 or fp16; an empty text is auto.
func ParsePrecision(text string) (Precision, error) {
	switch p := Precision(text); p {
	case "":
		return AutoPrecision, nil
	case AutoPrecision, FP32, FP16:
		return p, nil
	}
	return "", fmt.Errorf("precision %q is unknown: write auto, fp32 or fp16", text)
}

// choose is the precision in which a network with this card runs on the device.
func (p Precision) choose(card Card, d Device) (Precision, error) {
	has := card.precisions()
	if p == AutoPrecision {
		p = FP32
		// Tensor cores compute in float16 many times as fast; a CPU has no float16 and would turn each number twice.
		if fast := d.Kind == CUDA || d.Kind == TensorRT; slices.Contains(has, FP16) && (fast || !slices.Contains(has, FP32)) {
			p = FP16
		}
	}
	if !slices.Contains(has, p) {
		words := make([]string, len(has))
		for i, h := range has {
			words[i] = string(h)
		}
		return "", fmt.Errorf("%w in %s: %s has %s; leave --precision away, or export the network again", ErrNetwork, p, card.Name, strings.Join(words, " and "))
	}
	return p, nil
}

// graphFile is the name of one of a network's two graphs: encoder.onnx, or encoder.fp16.onnx.
func (p Precision) graphFile(part string) string {
	if p == FP16 {
		return part + ".fp16.onnx"
	}
	return part + ".onnx"
}
