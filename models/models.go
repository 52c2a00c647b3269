// Package models carries the networks that ship with wwflow inside the program, so that it finds its
// default network wherever it is started from.
//
// A network is a folder with encoder.onnx, decoder.onnx, the same in half precision (encoder.fp16.onnx,
// decoder.fp16.onnx), model.json (its card) and memory.json; package flow says what those hold.
package models

import (
	"embed"
	"io/fs"
)

// DefaultName is the network that is used where none is named.
const DefaultName = "winwin-tiny"

//go:embed winwin-tiny/encoder.onnx winwin-tiny/decoder.onnx winwin-tiny/encoder.fp16.onnx winwin-tiny/decoder.fp16.onnx
//go:embed winwin-tiny/model.json winwin-tiny/memory.json
var files embed.FS

// Default is the folder of the default network.
func Default() fs.FS {
	folder, err := fs.Sub(files, DefaultName)
	if err != nil {
		panic(err) // DefaultName is a valid path.
	}
	return folder
}
