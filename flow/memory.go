package flow

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
)

// Memory says how a network's peak memory grows with the frames: Base + PerPixel·P + PerPixelSquared·P² bytes for a pair,
// where P = width·height, and PerKeptPixel·P more for each further frame whose features are kept meanwhile. A network's
// folder holds one for each kind of device and precision that was measured, in memory.json ("cpu", "cpu.fp16");
// flow/internal/calibrate writes it. It depends on the network's graph and not on its weights.
type Memory struct {
	Base            float64 `json:"base"`
	PerPixel        float64 `json:"per_pixel"`
	PerPixelSquared float64 `json:"per_pixel_squared"`
	PerKeptPixel    float64 `json:"per_kept_pixel"`
}

// MemoryFile is the name of the file with the coefficients in a network's folder.
const MemoryFile = "memory.json"

// Bytes is the prediction for frames of this size, where the features of `kept` frames are kept beside the pair's.
func (k Memory) Bytes(width, height, kept int) int64 {
	pixels := float64(width) * float64(height)
	return int64(k.Base + (k.PerPixel+k.PerKeptPixel*float64(kept))*pixels + k.PerPixelSquared*pixels*pixels)
}

// MemoryKey is the name of the coefficients in the file.
func MemoryKey(kind Kind, precision Precision) string {
	if precision == FP16 {
		return string(kind) + ".fp16"
	}
	return string(kind)
}

// readMemory reads the coefficients for a kind of device; all zero where the folder has none.
func readMemory(folder fs.FS, kind Kind, precision Precision) (Memory, error) {
	data, err := fs.ReadFile(folder, MemoryFile)
	if errors.Is(err, fs.ErrNotExist) {
		return Memory{}, nil
	}
	if err != nil {
		return Memory{}, fileError(MemoryFile, err)
	}
	var kinds map[string]Memory
	if err := json.Unmarshal(data, &kinds); err != nil {
		return Memory{}, fileError(MemoryFile, err)
	}
	return kinds[MemoryKey(kind, precision)], nil
}

// Memory predicts the peak memory, in bytes, that the network takes on its device for the flow between two
// frames of this size, beyond what the program takes without it, while the features of `kept` more frames are kept. 0 where
// the network's folder says nothing of this kind of device.
func (m *Model) Memory(width, height, kept int) int64 { return m.memory.Bytes(width, height, kept) }

// MemoryError says that a frame size needs more memory than the machine has free.
type MemoryError struct {
	Width, Height   int
	Kept            int     // frames whose features are kept beside the pair's
	Need, Available int64   // bytes
	Scale           float64 // the largest hundredth at which the frames would fit; 0 = none
}

func (e *MemoryError) Error() string {
	frames, other := fmt.Sprintf("frames of %dx%d", e.Width, e.Height), ""
	if e.Kept > 0 {
		frames, other = fmt.Sprintf("%s, %d of them at a time,", frames, e.Kept+2), ", or a smaller --step"
	}
	text := fmt.Sprintf("the network needs about %s for %s and %s are free", gib(e.Need), frames, gib(e.Available))
	if e.Scale == 0 {
		return text + ": free some memory, or take a smaller network with --model" + other
	}
	return fmt.Sprintf("%s: try --scale %.2f%s", text, e.Scale, other)
}

func gib(bytes int64) string { return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30)) }

// CheckMemory returns a *MemoryError where frames of this size are predicted not to fit into the memory that
// is free now. It is nil where they fit, and where nothing can be predicted: on a GPU, or without coefficients.
func (m *Model) CheckMemory(width, height int) error {
	return CheckMemory([]*Model{m}, width, height, 0)
}

// CheckMemory is Model.CheckMemory for several that work at the same time, each with the features of `kept` frames beside
// a pair's: those that run on the CPU share its memory.
func CheckMemory(models []*Model, width, height, kept int) error {
	available, err := AvailableMemory()
	if err != nil {
		return nil // no /proc: not Linux as wwflow knows it
	}
	return fits(width, height, kept, available, func(width, height int) (bytes int64) {
		for _, m := range models {
			if m.device.Kind == CPU {
				bytes += m.Memory(width, height, kept)
			}
		}
		return bytes
	})
}

func fits(width, height, kept int, available int64, bytes func(width, height int) int64) error {
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

// AvailableMemory is how many bytes this process can still take before the machine, or the container
// it runs in, is out of memory.
func AvailableMemory() (int64, error) {
	available, err := readMemAvailable("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	if free, ok := cgroupFree("/sys/fs/cgroup"); ok {
		available = min(available, free)
	}
	return available, nil
}

func readMemAvailable(path string) (int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 3 && words[0] == "MemAvailable:" && words[2] == "kB" {
			kib, err := strconv.ParseInt(words[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no MemAvailable", path)
}

// cgroupFree is what a container's limit leaves; false where there is no limit. Page cache counts as free, as
// the kernel drops it first.
func cgroupFree(folder string) (int64, bool) {
	limit, ok := readNumber(folder + "/memory.max")
	if !ok {
		return 0, false
	}
	used, ok := readNumber(folder + "/memory.current")
	if !ok {
		return 0, false
	}
	return max(0, limit-used+inactiveFile(folder+"/memory.stat")), true
}

func readNumber(path string) (int64, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	return n, err == nil // the word max is no limit
}

func inactiveFile(path string) int64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, "inactive_file "); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}
