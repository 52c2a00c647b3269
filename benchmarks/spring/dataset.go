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

	"github.com/wwflow/wwflow/flowfile"
)

// Flow names one flow of the data set.
type Flow struct {
	Sequence  string // four digits
	Direction string // FW or BW
	Camera    string // left or right
	Frame     int    // that it starts from, counted from 1
}

// Name is the flow's place in a tree of flows, without an extension.
func (f Flow) Name() string {
	kind := "flow_" + f.Direction + "_" + f.Camera
	return filepath.Join(f.Sequence, kind, fmt.Sprintf("%s_%04d", kind, f.Frame))
}

// other is the frame that the flow leads to.
func (f Flow) other() int {
	if f.Direction == "BW" {
		return f.Frame - 1
	}
	return f.Frame + 1
}

func (f Flow) picture(folder string, number int) string {
	return filepath.Join(folder, f.Sequence, "frame_"+f.Camera, fmt.Sprintf("frame_%s_%04d.png", f.Camera, number))
}

func (f Flow) truth(folder string) string { return filepath.Join(folder, f.Name()+".flo5") }

// mapFile is where a map of that kind is; "skymap" is the same for both directions.
func (f Flow) mapFile(folder, kind string) string {
	if kind != "skymap" {
		kind += "_" + f.Direction
	}
	kind += "_" + f.Camera
	return filepath.Join(folder, f.Sequence, "maps", kind, fmt.Sprintf("%s_%04d.png", kind, f.Frame))
}

// The maps that the subsets are made from.
const (
	detailMap = "detailmap_flow" // Full HD: not 0 = high detail
	matchMap  = "matchmap_flow"  // Full HD: red or green not 0 = unmatched
	rigidMap  = "rigidmap"       // 4K: not rigid
	skyMap    = "skymap"         // 4K: sky
)

// Selection says which flows of the data set are meant.
type Selection struct {
	Root      string // the folder that has train and test in it
	Split     string // "train", "test", or sequences of train: "0045,0047"
	Direction string // "FW", "BW", or "" for both
	Camera    string // "left", "right", or "" for both
}

// folder is where the sequences are.
func (s Selection) folder() string {
	if s.Split == "test" {
		return filepath.Join(s.Root, "test")
	}
	return filepath.Join(s.Root, "train")
}

var fourDigits = regexp.MustCompile(`^\d{4}$`)

// sequences lists the split's sequences, in order.
func (s Selection) sequences() ([]string, error) {
	if s.Split != "train" && s.Split != "test" {
		names := strings.Split(s.Split, ",")
		for _, name := range names {
			if !fourDigits.MatchString(name) {
				return nil, fmt.Errorf("split %q: give train, test, or sequences such as 0045,0047", s.Split)
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
		return nil, fmt.Errorf("%w: give as root the folder of the data set that has %q in it", err, filepath.Base(s.folder()))
	}
	var names []string
	for _, e := range entries {
		if fourDigits.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: it has no sequence (a folder with a name of four digits): %w", s.folder(), fs.ErrNotExist)
	}
	return names, nil
}

// directions and cameras are what the selection asks for.
func (s Selection) directions() ([]string, error) {
	return choose("direction", s.Direction, "FW", "BW")
}
func (s Selection) cameras() ([]string, error) { return choose("camera", s.Camera, "left", "right") }

func choose(what, want string, all ...string) ([]string, error) {
	switch {
	case want == "" || want == "both":
		return all, nil
	case slices.Contains(all, want):
		return []string{want}, nil
	}
	return nil, fmt.Errorf("%s %q: give %s or both", what, want, strings.Join(all, ", "))
}

// Flows lists the flows of a selection, in an order in which neighbours share frames. For training sequences their
// number comes from the ground truth, for test sequences from the frames; a number that is missing in between is an
// error that names the file.
func (s Selection) Flows() ([]Flow, error) {
	sequences, err := s.sequences()
	if err != nil {
		return nil, err
	}
	directions, err := s.directions()
	if err != nil {
		return nil, err
	}
	cameras, err := s.cameras()
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

// frames is how many frames a sequence has.
func (s Selection) frames(sequence, camera string, directions []string) (int, error) {
	folder := filepath.Join(s.folder(), sequence)
	pictures, err := numbers(filepath.Join(folder, "frame_"+camera), "frame_"+camera, ".png", 1)
	if err != nil && (s.Split == "test" || !errors.Is(err, fs.ErrNotExist)) {
		return 0, err
	}
	frames := pictures
	if s.Split != "test" {
		for _, direction := range directions {
			kind, first := "flow_"+direction+"_"+camera, 1
			if direction == "BW" {
				first = 2
			}
			count, err := numbers(filepath.Join(folder, kind), kind, ".flo5", first)
			if err != nil {
				return 0, err
			}
			switch {
			case frames == 0:
				frames = count + 1
			case frames != count+1:
				missing := Flow{sequence, direction, camera, first + count}
				return 0, fmt.Errorf("%s: %w: the sequence has %d frames", missing.truth(s.folder()), syscall.ENOENT, max(frames, count+1))
			}
		}
	}
	if frames < 2 {
		return 0, fmt.Errorf("%s: it has no two frames: %w", folder, fs.ErrNotExist)
	}
	return frames, nil
}

// numbers counts the files <kind>_####<extension> of a folder, which must be numbered from first without a gap.
func numbers(folder, kind, extension string, first int) (int, error) {
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

// present looks for all files before the work begins, so that hours of it don't end at one that was never there.
func present(paths []string) error {
	var first error
	missing := 0
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			missing++
			if first == nil {
				first = err
			}
		}
	}
	if missing > 1 {
		return fmt.Errorf("%d files are missing, the first: %w", missing, first)
	}
	return first
}

// needs lists the files of the data set that scoring a flow takes.
func (s Selection) needs(f Flow) []string {
	paths := []string{f.truth(s.folder())}
	for _, kind := range []string{detailMap, matchMap, rigidMap, skyMap} {
		paths = append(paths, f.mapFile(s.folder(), kind))
	}
	return paths
}

// estimateFile finds a flow in a tree of flows, in any format, with or without the split's folder.
func (s Selection) estimateFile(tree string, f Flow) (string, error) {
	for _, root := range []string{tree, filepath.Join(tree, filepath.Base(s.folder()))} {
		for _, format := range flowfile.Formats() {
			path := filepath.Join(root, f.Name()+format.Extension())
			if _, err := os.Stat(path); err == nil {
				return path, nil
			}
		}
	}
	return "", &fs.PathError{Op: "find flow", Path: filepath.Join(tree, f.Name()+".flo5"), Err: syscall.ENOENT}
}
