package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/pairing"
)

// complain says what went wrong, and on a second line what to try next.
func complain(w io.Writer, err error) {
	fmt.Fprintf(w, "wwflow: %v\n", err)
	if h := hint(err); h != "" {
		fmt.Fprintf(w, "  try: %s\n", h)
	}
}

// hint is what to try after an error; empty where its own sentence says it.
func hint(err error) string {
	switch {
	case errors.Is(err, errUsage):
		return "wwflow --help, or wwflow COMMAND --help"
	case errors.Is(err, errSame):
		return "another name for the output"
	case errors.Is(err, encode.ErrExists):
		return "another name, or --force to replace it"
	case errors.Is(err, errNotEmpty):
		return "another folder, or --force to write into this one"
	case errors.Is(err, errShared):
		return "a folder for each"
	case errors.Is(err, syscall.ENOSPC):
		return "free some space, or another disk"
	case errors.Is(err, errPipe):
		return "the file itself instead of a pipe: an MP4 with its index at the end can't be read without going back"
	case errors.Is(err, errTooShort):
		return "a longer part of the video, or a smaller --step"
	case errors.Is(err, flow.ErrNoRuntime):
		return "make setup in the source folder, which fetches ONNX Runtime, or --ort FILE; wwflow doctor shows what is found"
	case errors.Is(err, flow.ErrNetwork):
		return "another folder with --model, or leave it out for the network inside the program"
	case errors.Is(err, decode.ErrNoVideo), errors.Is(err, decode.ErrFormat), errors.Is(err, decode.ErrNoFrames):
		return "ffprobe on the file: it shows what the file holds"
	case errors.Is(err, decode.ErrWindow):
		return "a smaller --start; wwflow info shows how long the video is"
	case errors.Is(err, pairing.ErrSize), errors.Is(err, flow.ErrSize):
		return "frames of one size: scale or crop the others to it"
	case errors.Is(err, decode.ErrHardware):
		return "--hwaccel auto, which decodes in software where it must, or leave it out"
	case errors.Is(err, encode.ErrHardware):
		return "--codec h264, which encodes in software, or --hwaccel auto"
	case errors.Is(err, fs.ErrPermission):
		return "a place that you may read and write"
	}
	return ""
}

// complainJSON is complain for programs.
func complainJSON(w io.Writer, err error) {
	(&jsonReport{out: json.NewEncoder(w)}).event("error", struct {
		Message string `json:"message"`
		Try     string `json:"try,omitempty"`
		Exit    int    `json:"exit_code"`
	}{err.Error(), hint(err), exitCode(err)})
}
