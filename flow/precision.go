package flow

import (
	"fmt"
	"slices"
	"strings"
)

// Precision is the number format in which a network computes. The flow is float32 in either.
type Precision string

// The precisions.
const (
	AutoPrecision Precision = "auto" // FP16 on CUDA and TensorRT if the network supports it, else FP32
	FP32          Precision = "fp32" // single precision
	FP16          Precision = "fp16" // half precision, except where the network needs more
)

// ParsePrecision parses auto, fp32 or fp16. An empty text is auto.
func ParsePrecision(text string) (Precision, error) {
	switch p := Precision(text); p {
	case "":
		return AutoPrecision, nil
	case AutoPrecision, FP32, FP16:
		return p, nil
	}
	return "", fmt.Errorf("unknown precision %q: write auto, fp32 or fp16", text)
}

// choose returns the precision in which a network with this card runs on the device.
func (p Precision) choose(card Card, d Device) (Precision, error) {
	supported := card.precisions()
	if p == AutoPrecision {
		p = FP32
		// Tensor cores compute many times faster in float16. A CPU has to convert each number to float32 and back.
		if fast := d.Kind == CUDA || d.Kind == TensorRT; slices.Contains(supported, FP16) && (fast || !slices.Contains(supported, FP32)) {
			p = FP16
		}
	}
	if !slices.Contains(supported, p) {
		words := make([]string, len(supported))
		for i, s := range supported {
			words[i] = string(s)
		}
		return "", fmt.Errorf("%w in %s: %s supports %s; omit --precision, or export the network again", ErrNetwork, p, card.Name, strings.Join(words, " and "))
	}
	return p, nil
}

// graphFile returns the file name of a network's encoder or decoder: encoder.onnx, or encoder.fp16.onnx.
func (p Precision) graphFile(part string) string {
	if p == FP16 {
		return part + ".fp16.onnx"
	}
	return part + ".onnx"
}
