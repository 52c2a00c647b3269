// Package models embeds the networks that ship with wwflow in the program. Package flow describes the files of a network.
package models

import (
	"embed"
	"io/fs"
)

// DefaultName is the name of the default network.
const DefaultName = "winwin-tiny"

//go:embed winwin-tiny/encoder.onnx winwin-tiny/decoder.onnx winwin-tiny/encoder.fp16.onnx winwin-tiny/decoder.fp16.onnx
//go:embed winwin-tiny/model.json winwin-tiny/memory.json
var files embed.FS

// Default returns the folder of the default network.
func Default() fs.FS {
	folder, err := fs.Sub(files, DefaultName)
	if err != nil {
		panic(err) // DefaultName is always a valid path
	}
	return folder
}
