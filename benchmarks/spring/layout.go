package spring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/wwflow/wwflow/benchmarks/internal/evaluate"
)

// Flow identifies one flow field of the data set.
type Flow struct {
	Sequence  string // four digits
	Direction string // FW or BW
	Camera    string // left or right
	Frame     int    // the frame that the flow starts from, counted from 1
}

// Name returns the path of the flow inside a folder of flow files, without an extension:
// 0001/flow_FW_left/flow_FW_left_0001.
func (f Flow) Name() string {
	kind := "flow_" + f.Direction + "_" + f.Camera
	return filepath.Join(f.Sequence, kind, fmt.Sprintf("%s_%04d", kind, f.Frame))
}

// target returns the number of the frame that the flow leads to.
func (f Flow) target() int {
	if f.Direction == "BW" {
		return f.Frame - 1
	}
	return f.Frame + 1
}

// file returns the path of the flow below a folder: of the ground truth, or of a file of a submission.
func (f Flow) file(folder string) string { return filepath.Join(folder, f.Name()+".flo5") }

func (f Flow) picture(folder string, number int) string {
	return filepath.Join(folder, f.Sequence, "frame_"+f.Camera, fmt.Sprintf("frame_%s_%04d.png", f.Camera, number))
}

// mapFile returns the path of a map of the given kind. A sky map belongs to both directions.
func (f Flow) mapFile(folder, kind string) string {
	if kind != skyMap {
		kind += "_" + f.Direction
	}
	kind += "_" + f.Camera
	return filepath.Join(folder, f.Sequence, "maps", kind, fmt.Sprintf("%s_%04d.png", kind, f.Frame))
}

// The kinds of maps. They divide the pixels into subsets.
const (
	detailMap = "detailmap_flow" // Full HD: not 0 = high detail
	matchMap  = "matchmap_flow"  // Full HD: red or green not 0 = unmatched
	rigidMap  = "rigidmap"       // 4K: not 0 = not rigid
	skyMap    = "skymap"         // 4K: not 0 = sky
)

// Selection selects flows of the data set.
type Selection struct {
	Root      string // the folder that contains train and test
	Split     string // "train", "test", or sequences of train: "0045,0047"
	Direction string // "FW", "BW", or "both"; "" is "both"
	Camera    string // "left", "right", or "both"; "" is "both"
}

// folder returns the folder of the sequences.
func (s Selection) folder() string {
	if s.Split == "test" {
		return filepath.Join(s.Root, "test")
	}
	return filepath.Join(s.Root, "train")
}

var fourDigits = regexp.MustCompile(`^\d{4}$`)

// sequences lists the selected sequences in order.
func (s Selection) sequences() ([]string, error) {
	if s.Split != "train" && s.Split != "test" {
		names := strings.Split(s.Split, ",")
		for _, name := range names {
			if !fourDigits.MatchString(name) {
				return nil, evaluate.BadOption("split %q: give train, test, or sequences such as 0045,0047", s.Split)
			}
			if _, err := os.Stat(filepath.Join(s.folder(), name)); err != nil {
				return nil, err
			}
		}
		slices.Sort(names)
		return slices.Compact(names), nil
	}
	entries, err := os.ReadDir(s.folder())
	if err != nil {
		return nil, fmt.Errorf("%w: give as root the folder of the data set that contains %q", err, filepath.Base(s.folder()))
	}
	var names []string
	for _, e := range entries {
		if fourDigits.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no sequence found (a folder named with four digits): %w", s.folder(), fs.ErrNotExist)
	}
	return names, nil
}

// Flows lists the selected flows, in an order in which neighbours share frames. The number of training flows follows from
// the ground truth, that of test flows from the frames. The error for a gap in the numbers names the missing file.
func (s Selection) Flows() ([]Flow, error) {
	sequences, err := s.sequences()
	if err != nil {
		return nil, err
	}
	directions, err := evaluate.Choose("direction", s.Direction, "both", "FW", "BW")
	if err != nil {
		return nil, err
	}
	cameras, err := evaluate.Choose("camera", s.Camera, "both", "left", "right")
	if err != nil {
		return nil, err
	}
	var flows []Flow
	for _, sequence := range sequences {
		for _, camera := range cameras {
			frames, err := s.frames(sequence, camera, directions)
			if err != nil {
				return nil, err
			}
			for n := 1; n < frames; n++ {
				for _, direction := range directions {
					f := Flow{sequence, direction, camera, n}
					if direction == "BW" {
						f.Frame++
					}
					flows = append(flows, f)
				}
			}
		}
	}
	return flows, nil
}

// frames returns the number of frames of a sequence. For training it is checked against the ground truth, and the frames
// themselves may be absent: scoring flow files does not need them.
func (s Selection) frames(sequence, camera string, directions []string) (int, error) {
	folder := filepath.Join(s.folder(), sequence)
	frames, err := countFiles(filepath.Join(folder, "frame_"+camera), "frame_"+camera, ".png", 1)
	if err != nil && (s.Split == "test" || !errors.Is(err, fs.ErrNotExist)) {
		return 0, err
	}
	if s.Split != "test" {
		for _, direction := range directions {
			kind, first := "flow_"+direction+"_"+camera, 1
			if direction == "BW" {
				first = 2
			}
			count, err := countFiles(filepath.Join(folder, kind), kind, ".flo5", first)
			if err != nil {
				return 0, err
			}
			switch {
			case frames == 0:
				frames = count + 1
			case frames != count+1:
				missing := Flow{sequence, direction, camera, first + count}
				return 0, fmt.Errorf("%s: %w: the sequence has %d frames", missing.file(s.folder()), syscall.ENOENT, max(frames, count+1))
			}
		}
	}
	if frames < 2 {
		return 0, fmt.Errorf("%s: fewer than two frames found: %w", folder, fs.ErrNotExist)
	}
	return frames, nil
}

// countFiles counts the files <kind>_####<extension> in a folder, which must be numbered from first without a gap.
func countFiles(folder, kind, extension string, first int) (int, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return 0, err
	}
	count := 0
	for _, e := range entries { // in the order of their names
		digits, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), extension), kind+"_")
		if !ok || !fourDigits.MatchString(digits) || !strings.HasSuffix(e.Name(), extension) {
			continue
		}
		if n, err := strconv.Atoi(digits); err != nil || n != first+count {
			return 0, fmt.Errorf("%s: %w", filepath.Join(folder, fmt.Sprintf("%s_%04d%s", kind, first+count, extension)), syscall.ENOENT)
		}
		count++
	}
	return count, nil
}

// pair returns the frames of a flow and, if flowDir is not empty, where its flow file may be: in the layout of a
// submission, with or without the folder of the split.
func (s Selection) pair(f Flow, flowDir string) evaluate.Pair {
	p := evaluate.Pair{
		Name:   f.Name(),
		First:  f.picture(s.folder(), f.Frame),
		Second: f.picture(s.folder(), f.target()),
	}
	if flowDir != "" {
		p.FlowFiles = []string{f.file(flowDir), f.file(filepath.Join(flowDir, filepath.Base(s.folder())))}
	}
	return p
}

// inputs lists the files of the data set that scoring a flow reads.
func (s Selection) inputs(f Flow) []string {
	paths := []string{f.file(s.folder())}
	for _, kind := range []string{detailMap, matchMap, rigidMap, skyMap} {
		paths = append(paths, f.mapFile(s.folder(), kind))
	}
	return paths
}
