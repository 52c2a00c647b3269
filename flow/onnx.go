package flow

import (
	"errors"
	"fmt"

	ort "github.com/yalue/onnxruntime_go"
	"google.golang.org/protobuf/encoding/protowire"
)

// port is an input or an output of an ONNX graph.
type port struct {
	name     string
	elements ort.TensorElementDataType
}

// Numbers of the fields in onnx.proto, of the ONNX project.
const (
	modelGraph     = 7
	graphInput     = 11
	graphOutput    = 12
	valueName      = 1
	valueType      = 2
	typeTensor     = 1
	tensorElements = 1
)

// ports reads the names and element types of a graph's inputs and outputs from the file's bytes.
// onnxruntime_go can tell them too, but loads the whole graph once more to do so: a second for the tiny network.
func ports(file []byte) (inputs, outputs []port, err error) {
	err = fields(file, func(number protowire.Number, body []byte, _ uint64) error {
		if number != modelGraph {
			return nil
		}
		return fields(body, func(number protowire.Number, body []byte, _ uint64) error {
			if number != graphInput && number != graphOutput {
				return nil
			}
			p, err := readPort(body)
			if err != nil {
				return err
			}
			if number == graphInput {
				inputs = append(inputs, p)
			} else {
				outputs = append(outputs, p)
			}
			return nil
		})
	})
	if err == nil && (len(inputs) == 0 || len(outputs) == 0) {
		err = errors.New("it holds no graph with inputs and outputs")
	}
	return inputs, outputs, err
}

func readPort(body []byte) (p port, err error) {
	err = fields(body, func(number protowire.Number, body []byte, _ uint64) error {
		switch number {
		case valueName:
			p.name = string(body)
		case valueType:
			return fields(body, func(number protowire.Number, body []byte, _ uint64) error {
				if number != typeTensor {
					return nil
				}
				return fields(body, func(number protowire.Number, _ []byte, value uint64) error {
					if number == tensorElements {
						p.elements = ort.TensorElementDataType(value)
					}
					return nil
				})
			})
		}
		return nil
	})
	return p, err
}

// fields calls visit for each field of a message, with the body of one that has a length, or with a varint.
func fields(message []byte, visit func(number protowire.Number, body []byte, value uint64) error) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return fmt.Errorf("it is damaged or no ONNX file: %w", protowire.ParseError(n))
		}
		message = message[n:]
		var body []byte
		var value uint64
		switch kind {
		case protowire.BytesType:
			body, n = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(message)
		default:
			n = protowire.ConsumeFieldValue(number, kind, message)
		}
		if n < 0 {
			return fmt.Errorf("it is damaged or no ONNX file: %w", protowire.ParseError(n))
		}
		message = message[n:]
		if err := visit(number, body, value); err != nil {
			return err
		}
	}
	return nil
}
