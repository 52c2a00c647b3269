package flow

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"

	"github.com/wwflow/wwflow/internal/procinfo"
)

// Memory predicts the peak memory of a network from the frame size. With P = width*height, a pair takes
// Base + PerPixel*P + PerPixelSquared*P*P bytes, and each further frame whose features are kept PerKeptPixel*P bytes more.
//
// The file memory.json of a network has one Memory for each kind of device and precision that was measured. The command
// flow/internal/calibrate writes it. The figures depend on the network's graph, not on its weights.
type Memory struct {
	Base            float64 `json:"base"`
	PerPixel        float64 `json:"per_pixel"`
	PerPixelSquared float64 `json:"per_pixel_squared"`
	PerKeptPixel    float64 `json:"per_kept_pixel"`
}

// MemoryFile is the name of the file with the figures in a network's folder.
const MemoryFile = "memory.json"

// bytesPerThread is the memory of one CPU thread, in the pools of both graphs. Measured with winwin-tiny and 2 to 128 threads:
// 120 KiB at 320x240, 310 KiB at 960x540.
const bytesPerThread = 320 << 10

// Bytes returns the prediction for frames of this size while the features of kept more frames are held.
func (m Memory) Bytes(width, height, kept int) int64 {
	pixels := float64(width) * float64(height)
	return int64(m.Base + (m.PerPixel+m.PerKeptPixel*float64(kept))*pixels + m.PerPixelSquared*pixels*pixels)
}

// MemoryKey returns the key of a Memory in the file, such as cpu or cpu.fp16.
func MemoryKey(kind Kind, precision Precision) string {
	if precision == FP16 {
		return string(kind) + ".fp16"
	}
	return string(kind)
}

// readMemory reads the figures for a kind of device; all are zero if the folder has none.
func readMemory(folder fs.FS, kind Kind, precision Precision) (Memory, error) {
	data, err := fs.ReadFile(folder, MemoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Memory{}, nil
	}
	if err != nil {
		return Memory{}, fileError(MemoryFile, err)
	}
	var all map[string]Memory
	if err := json.Unmarshal(data, &all); err != nil {
		return Memory{}, fileError(MemoryFile, err)
	}
	return all[MemoryKey(kind, precision)], nil
}

// Memory predicts how many bytes the network takes on its device to estimate the flow between two frames of this size, in
// addition to the rest of the program, while the features of kept more frames are held. It predicts for InputSize and counts the
// CPU threads. It is 0 if the network has no figures for this kind of device.
func (m *Model) Memory(width, height, kept int) int64 {
	if m.memory == (Memory{}) {
		return 0
	}
	width, height = m.InputSize(width, height)
	return m.memory.Bytes(width, height, kept) + int64(m.threads)*bytesPerThread
}

// MemoryError says that frames of a size need more memory than is available.
type MemoryError struct {
	Width, Height   int
	InputWidth      int     // of the size at which the network would see them, as Model.InputSize
	InputHeight     int     //
	Kept            int     // frames whose features are held beside the pair's
	Need, Available int64   // bytes
	Scale           float64 // the largest multiple of 0.01 at which the frames would fit; 0 = none
}

func (e *MemoryError) Error() string {
	frames, hint := fmt.Sprintf("frames of %dx%d", e.Width, e.Height), " or a smaller --detail"
	if e.Kept > 0 {
		frames, hint = fmt.Sprintf("%d frames of %dx%d at a time", e.Kept+2, e.Width, e.Height), ", a smaller --detail or a smaller --step"
	}
	if e.InputWidth != e.Width || e.InputHeight != e.Height {
		frames += fmt.Sprintf(", which it sees at %dx%d", e.InputWidth, e.InputHeight)
	}
	text := fmt.Sprintf("the network needs about %s for %s, and %s is available", gib(e.Need), frames, gib(e.Available))
	if e.Scale == 0 {
		return text + ": free some memory, or choose a smaller network with --model," + strings.TrimPrefix(hint, ",")
	}
	return fmt.Sprintf("%s: try --scale %.2f%s", text, e.Scale, hint)
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// CheckMemory returns a *MemoryError if the flow between two frames of this size is predicted to need more memory than is
// available. It returns nil if nothing can be predicted: on a GPU, or without figures for the network.
func (m *Model) CheckMemory(width, height int) error {
	return CheckMemory([]*Model{m}, width, height, 0)
}

// CheckMemory is Model.CheckMemory for several models that work at the same time, each with the features of kept frames beside
// the pair's. Those on the CPU share its memory. All have the same detail.
func CheckMemory(models []*Model, width, height, kept int) error {
	available, err := procinfo.AvailableMemory()
	if err != nil {
		return nil // without /proc nothing is known
	}
	err = checkFit(width, height, kept, available, func(width, height int) (bytes int64) {
		for _, m := range models {
			if m.device.Kind == CPU {
				bytes += m.Memory(width, height, kept)
			}
		}
		return bytes
	})
	var e *MemoryError
	if errors.As(err, &e) {
		e.InputWidth, e.InputHeight = models[0].InputSize(width, height)
	}
	return err
}

func checkFit(width, height, kept int, available int64, bytes func(width, height int) int64) error {
	need := bytes(width, height)
	if need <= available {
		return nil
	}
	e := &MemoryError{Width: width, Height: height, Kept: kept, Need: need, Available: available}
	for percent := 99; percent > 0; percent-- {
		scale := float64(percent) / 100
		w, h := int(math.Round(float64(width)*scale)), int(math.Round(float64(height)*scale))
		if w > 0 && h > 0 && bytes(w, h) <= available {
			e.Scale = scale
			break
		}
	}
	return e
}
