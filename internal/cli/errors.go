package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/pipeline"
)

// errUsage is a wrong command line. See package errkind for other kinds of errors.
var errUsage = errors.New("usage")

func usagef(format string, args ...any) error {
	return errkind.Mark(errUsage, fmt.Errorf(format, args...))
}
func inputError(err error) error  { return errkind.Mark(errkind.ErrInput, err) }
func outputError(err error) error { return errkind.Mark(errkind.ErrOutput, err) }

// hinted is an error that knows what to try next.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return &hinted{err, hint} }

const textExitCodes = `Exit codes:
  0    success; damaged frames that were skipped are counted in the last line
  1    unexpected error
  2    wrong command line
  3    the input cannot be used: missing, no video, too short, frames of different sizes
  4    the output cannot be written: it exists, it is the input, the disk is full
  5    the network cannot run: no ONNX Runtime, device, network or memory; or --hwaccel is unavailable
  6    batch is complete, and some videos failed: the journal has the exit code of each
  75   temporary failure, the same command may succeed: SIGTERM, SIGHUP or SIGUSR1; a device that was lost; in batch and
       with --resume or --part also a full disk, a device that cannot be used, or another process on the same output
  130  interrupted by Ctrl-C (SIGINT)
For a scheduler: 2, 3 and 6 will not change by trying again, 75 asks for it, and 1, 4 and 5 need a person.
After an error there is no file under the output's name. One exception: if the resolution changes in the
middle of the input, the flow up to there is kept, and the exit code is 3.`

// exitCode is the only place that chooses the exit code. textExitCodes documents it.
func exitCode(err error) int {
	var device *flow.DeviceError
	var memory *flow.MemoryError
	var lost *flow.LostError
	var size *decode.SizeError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errInterrupted):
		return 130
	case errors.Is(err, errTerminated), errors.Is(err, errkind.ErrTemporary), errors.As(err, &lost):
		return 75
	case errors.Is(err, batch.ErrFailed):
		return 6
	case errors.Is(err, errUsage), errors.Is(err, pipeline.ErrOptions), errors.Is(err, pipeline.ErrNoConfidence), errors.Is(err, encode.ErrUnknown), errors.Is(err, encode.ErrCodecContainer), errors.Is(err, encode.ErrOption):
		return 2
	case errors.Is(err, decode.ErrHardware), errors.Is(err, encode.ErrHardware):
		return 5
	case errors.Is(err, errkind.ErrOutput), errors.Is(err, encode.ErrExists), errors.Is(err, syscall.ENOSPC):
		return 4
	case errors.Is(err, flow.ErrNoRuntime), errors.Is(err, flow.ErrNetwork), errors.Is(err, flow.ErrMemory), errors.As(err, &device), errors.As(err, &memory):
		return 5
	case errors.Is(err, errkind.ErrInput), errors.Is(err, pairing.ErrSize), errors.Is(err, flow.ErrSize), errors.As(err, &size),
		errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return 3
	default:
		return 1
	}
}

// printError prints what went wrong and, on a second line, what to try next.
func printError(w io.Writer, err error) {
	fmt.Fprintf(w, "wwflow: %v\n", err)
	if h := hint(err); h != "" {
		fmt.Fprintf(w, "  try: %s\n", h)
	}
}

// printErrorJSON is printError for programs.
func printErrorJSON(w io.Writer, err error) {
	printEvent(json.NewEncoder(w), "error", struct {
		Message string `json:"message"`
		Try     string `json:"try,omitempty"`
		Exit    int    `json:"exit_code"`
	}{err.Error(), hint(err), exitCode(err)})
}

// hint is what to try after an error; empty where the error itself says it.
func hint(err error) string {
	var h *hinted
	switch {
	case errors.As(err, &h):
		return h.hint
	case partsHint(err) != "":
		return partsHint(err)
	case errors.Is(err, errUsage), errors.Is(err, pipeline.ErrOptions):
		return "wwflow --help, or wwflow COMMAND --help"
	case errors.Is(err, pipeline.ErrNoConfidence):
		return "--both, which computes a confidence from forward and backward flow"
	case errors.Is(err, pipeline.ErrSame):
		return "another name for the output"
	case errors.Is(err, errTerminated):
		return "the same command again"
	case errors.Is(err, batch.ErrFailed):
		return "--retry-failed, after the causes were removed"
	case errors.Is(err, batch.ErrUnmeasured):
		return "wwflow stats INPUT... -o FILE, which measures videos, or --force to make them again"
	case errors.Is(err, batch.ErrChanged):
		return "another folder, or --force to do the changed videos again"
	case errors.Is(err, encode.ErrExists):
		return "another name, or --force to replace it"
	case errors.Is(err, pipeline.ErrNotEmpty):
		return "another folder, or --force to write into this one"
	case errors.Is(err, pipeline.ErrSharedFolder):
		return "a folder for each"
	case errors.Is(err, syscall.ENOSPC):
		return "free some space, or another disk"
	case errors.Is(err, syscall.EROFS):
		return "a folder on another file system"
	case errors.Is(err, pipeline.ErrPipe):
		return "the file itself instead of a pipe: an MP4 with its index at the end needs seeking"
	case errors.Is(err, pipeline.ErrTooShort):
		return "a longer part of the video, or a smaller --step"
	case errors.Is(err, flow.ErrNoRuntime):
		return "wwflow doctor, which shows what is found; --ort FILE or WWFLOW_ORT names a library"
	case errors.Is(err, flow.ErrNetwork):
		return "wwflow doctor --model DIR, which explains the folder; another folder; or no --model for the built-in network"
	case errors.Is(err, decode.ErrNoVideo), errors.Is(err, decode.ErrFormat), errors.Is(err, decode.ErrNoFrames):
		return "ffprobe on the file, which shows what it contains"
	case errors.Is(err, decode.ErrWindow):
		return "a smaller --start; wwflow info shows how long the video is"
	case errors.Is(err, pairing.ErrSize), errors.Is(err, flow.ErrSize):
		return "frames of one size: scale or crop the others to it"
	case errors.Is(err, decode.ErrHardware):
		return "--hwaccel auto, which falls back to software decoding, or leave it out"
	case errors.Is(err, encode.ErrHardware):
		return "--codec h264, which encodes in software, or --hwaccel auto"
	case errors.Is(err, fs.ErrPermission) && inContainer():
		return "--user $(id -u):$(id -g) for docker run or podman run as root, --userns keep-id:uid=1000,gid=1000 for rootless podman: the container has to\n" +
			"       run as the owner of the mounted folder"
	case errors.Is(err, fs.ErrNotExist) && inContainer():
		return "-v \"$PWD\":/data for docker run or podman run, which mounts the current folder: the program sees only what is mounted"
	case errors.Is(err, fs.ErrPermission):
		return "another place, or chmod: you need the permission to read the input and to write into the folder of the output"
	}
	return ""
}

// inContainer reports whether this is the image that packaging/image.sh builds, or another container of podman.
func inContainer() bool { return os.Getenv("container") != "" }
