package cli

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/picture"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/visualize"
)

// TestScripts runs the scripts in testdata/script against the program, built without the race detector. By default the
// network is a tiny one that is exact and loads at once; scripts whose subject is the real network unset WWFLOW_MODEL.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs(testutil.Repository())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := flow.Runtime(""); err != nil {
		testutil.Skip(t, "ONNX Runtime is missing (make setup fetches it): %v", err)
	}
	for _, tool := range []string{"ffmpeg", "ffprobe"} {
		if _, err := exec.LookPath(tool); err != nil {
			testutil.Skip(t, "the ffmpeg command line is missing: %v", err)
		}
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", bin, "github.com/wwflow/wwflow").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			for name, value := range map[string]string{
				"PATH":           bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
				"ROOT":           root,
				"CLIP":           filepath.Join(root, "testdata", "clips", "square-walkers.mp4"),
				"VIDEOS":         filepath.Join(testutil.Root(), "videos"),
				"PAIRS":          filepath.Join(testutil.Root(), "pairs"),
				"PEERS":          filepath.Join(testutil.Root(), "peers"),
				"WWFLOW":         filepath.Join(bin, "wwflow"),
				"WWFLOW_MODEL":   filepath.Join(root, "flow", "testdata", "fake"),
				"WWFLOW_ORT":     os.Getenv("WWFLOW_ORT"),
				"HOME":           os.Getenv("HOME"), // the cache of ONNX Runtime is there
				"XDG_CACHE_HOME": os.Getenv("XDG_CACHE_HOME"),
			} {
				e.Setenv(name, value)
			}
			return nil
		},
		Condition: condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"closer":  closer,
			"damage":  damage,
			"insync":  insync,
			"nothing": nothing,
			"times":   times,
		},
	})
}

// condition decides [real], [mount] and [hardware] in scripts. What WWFLOW_REQUIRE_ALL requires must be there.
func condition(name string) (bool, error) {
	switch name {
	case "real": // the real test material
		_, err := os.Stat(filepath.Join(testutil.Root(), "videos"))
		return present(name, err)
	case "mount": // a small file system can be mounted, to fill it
		folder, err := os.MkdirTemp("", "mount")
		if err != nil {
			return false, err
		}
		defer os.Remove(folder)
		return present(name, exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "none", folder).Run())
	case "hardware": // that decodes or encodes video
		nvidia, _ := filepath.Glob("/dev/nvidia[0-9]*")
		render, _ := filepath.Glob("/dev/dri/renderD*")
		return len(nvidia)+len(render) > 0, nil
	}
	return false, fmt.Errorf("unknown condition %q", name)
}

func present(what string, err error) (bool, error) {
	if err != nil && os.Getenv("WWFLOW_REQUIRE_ALL") != "" {
		return false, fmt.Errorf("%s is required where WWFLOW_REQUIRE_ALL is set: %w", what, err)
	}
	return err == nil, nil
}

// damage FILE FROM TO overwrites a part of the file, given in per cent of its length, with a pattern.
func damage(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	from, err := strconv.Atoi(args[1])
	ts.Check(err)
	to, err := strconv.Atoi(args[2])
	ts.Check(err)
	for i := len(data) * from / 100; i < len(data)*to/100; i++ {
		data[i] = byte(i * 167)
	}
	ts.Check(os.WriteFile(path, data, 0o666))
}

// closer A B C fails unless picture A, where it is opaque, is closer to C than B is there.
func closer(ts *testscript.TestScript, _ bool, args []string) {
	var m [3]image.Image
	for i, name := range args {
		var err error
		m[i], err = picture.Decode(ts.MkAbs(name))
		ts.Check(err)
	}
	var a, b float64
	bounds := m[0].Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			if _, _, _, alpha := m[0].At(x, y).RGBA(); alpha == 0 {
				continue
			}
			level := func(i int) float64 { return float64(color.GrayModel.Convert(m[i].At(x, y)).(color.Gray).Y) }
			a += math.Abs(level(0) - level(2))
			b += math.Abs(level(1) - level(2))
		}
	}
	if !(a < b) {
		ts.Fatalf("%s differs from %s by %v, %s by %v", args[0], args[2], a, args[1], b)
	}
}

// nothing PATTERN... fails where a file matches, hidden and temporary ones included.
func nothing(ts *testscript.TestScript, _ bool, args []string) {
	for _, pattern := range args {
		found, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(found) > 0 {
			ts.Fatalf("there is %v", found)
		}
	}
}

// times A B [SKIP-FIRST] compares the presentation times of the pictures in two videos, as ffprobe sees them, to a
// millisecond: B's must be A's without its last one, or without its first ones where SKIP-FIRST is given.
func times(ts *testscript.TestScript, _ bool, args []string) {
	a, b := stamps(ts, args[0]), stamps(ts, args[1])
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		a = a[n:]
	} else {
		a = a[:len(a)-1]
	}
	if !slices.EqualFunc(a, b, func(x, y float64) bool { return x-y < 0.001 && y-x < 0.001 }) {
		ts.Fatalf("%d times %v, want %d times %v", len(b), b, len(a), a)
	}
}

// insync FILE N fails unless the video has N white frames and its audio N beeps, each beginning within a frame (40 ms) of each other.
func insync(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-vf", "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-").Output()
	ts.Check(err)
	var flashes, beeps []float64
	for _, m := range regexp.MustCompile(`pts_time:(\S+)\s+lavfi.signalstats.YAVG=(\S+)`).FindAllStringSubmatch(string(out), -1) {
		at, _ := strconv.ParseFloat(m[1], 64)
		if level, _ := strconv.ParseFloat(m[2], 64); level > 100 {
			flashes = append(flashes, at)
		}
	}
	const rate = 8000
	pcm, err := exec.Command("ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-af", fmt.Sprintf("aresample=%d:async=1:first_pts=0", rate), "-ac", "1", "-f", "s8", "-").Output()
	ts.Check(err)
	silent := rate
	for i, v := range pcm {
		if silent++; int8(v) > 30 {
			if silent > rate/10 {
				beeps = append(beeps, float64(i)/rate)
			}
			silent = 0
		}
	}
	if n, err := strconv.Atoi(args[1]); err != nil || len(flashes) != n || !slices.EqualFunc(flashes, beeps, func(x, y float64) bool { return math.Abs(x-y) < 0.04 }) {
		ts.Fatalf("%s: white frames at %.3f, beeps at %.3f; want %s of each", args[0], flashes, beeps, args[1])
	}
	ts.Logf("%s: white frames at %.3f, beeps at %.3f", args[0], flashes, beeps)
}

func stamps(ts *testscript.TestScript, name string) (list []float64) {
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=best_effort_timestamp_time",
		"-of", "csv=p=0", ts.MkAbs(name)).Output()
	ts.Check(err)
	for word := range strings.FieldsFuncSeq(string(out), func(r rune) bool { return r == ',' || r == '\n' }) {
		x, err := strconv.ParseFloat(word, 64)
		ts.Check(err)
		list = append(list, x)
	}
	return list
}

func TestFlagsFirst(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"wwflow", "wwflow"},
		{"wwflow run a.mp4 --force", "wwflow run --force a.mp4"},
		{"wwflow run a.mp4 -o b.mp4 --legend", "wwflow run -o b.mp4 --legend a.mp4"},
		{"wwflow run - --step 2", "wwflow run --step 2 -"},
		{"wwflow run a.mp4 --export exr out --force", "wwflow run --export exr=out --force a.mp4"},
		{"wwflow run --export kitti=out a.mp4", "wwflow run --export kitti=out a.mp4"},
		{"wwflow run a.mp4 -o", "-o needs a value"},
		{"wwflow run a.mp4 --max-flow --force", "--max-flow needs a value"},
		{"wwflow run a.mp4 --device=", "the value of --device is empty"},
		{"wwflow run a.mp4 --crf -1 -o -b.mp4", "wwflow run --crf -1 -o -b.mp4 a.mp4"},
		{"wwflow run --force -- --odd.mp4", "wwflow run --force -- --odd.mp4"},
		{"wwflow batch a.mp4 --export exr b.mp4 -o out", "wwflow batch --export exr -o out a.mp4 b.mp4"},
		{"wwflow pair a.png b.png -o c.flo", "wwflow pair -o c.flo a.png b.png"},
		{"wwflow --version", "wwflow --version"},
		{"wwflow bogus a -b", "wwflow bogus a -b"},
	} {
		args, err := flagsFirst(newApp(), strings.Fields(c.in))
		got := strings.Join(args, " ")
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s became %s, want %s", c.in, got, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for code, errs := range map[int][]error{
		0:   {nil},
		1:   {errors.New("what")},
		2:   {usagef("no"), errkind.Mark(errkind.ErrOutput, fmt.Errorf("x: %w", encode.ErrCodecContainer)), fmt.Errorf("x: %w", encode.ErrOption)},
		3:   {errkind.Mark(errkind.ErrInput, errors.New("no")), &pairing.SizeError{}, fs.ErrNotExist, fmt.Errorf("x: %w", flow.ErrSize)},
		4:   {errkind.Mark(errkind.ErrOutput, errors.New("no")), fmt.Errorf("x: %w", encode.ErrExists), &os.PathError{Err: syscall.ENOSPC}},
		5:   {flow.ErrNoRuntime, errkind.Mark(errkind.ErrInput, decode.ErrHardware), errkind.Mark(errkind.ErrOutput, encode.ErrHardware), fmt.Errorf("x: %w", flow.ErrNetwork), &flow.DeviceError{}, &flow.MemoryError{}, fmt.Errorf("x: %w", flow.ErrMemory)},
		6:   {fmt.Errorf("%w: 1 of 2 failed", batch.ErrFailed)},
		75:  {errTerminated, errkind.Mark(batch.ErrTemporary, &os.PathError{Err: syscall.ENOSPC}), errkind.Mark(batch.ErrTemporary, &flow.DeviceError{}), &flow.LostError{Err: errors.New("x")}},
		130: {errInterrupted},
	} {
		if !strings.Contains(textExitCodes, fmt.Sprintf("\n  %-4d ", code)) {
			t.Errorf("the help does not explain exit code %d", code)
		}
		for _, err := range errs {
			if got := exitCode(err); got != code {
				t.Errorf("%v exits with %d, want %d", err, got, code)
			}
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "12.5": 12500 * time.Millisecond, "1:30": 90 * time.Second, "0:01:30.5": 90500 * time.Millisecond, "500ms": 500 * time.Millisecond,
		"-1": -1, "x": -1, "1:x": -1, "NaN": -1, "1e300": -1, "-5s": -1, "1::2": -1,
	} {
		got, err := parseTime(text)
		if (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]frame.Rational{
		"": {}, "25": {Num: 25, Den: 1}, "30000/1001": {Num: 30000, Den: 1001}, "29.97": {Num: 2997, Den: 100},
		"0": {Den: -1}, "-5": {Den: -1}, "x": {Den: -1}, "1/0": {Den: -1}, "1e9": {Den: -1},
	} {
		got, err := parseRate(text)
		if (err != nil) != (want.Den < 0) || err == nil && got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestOutputName(t *testing.T) {
	folder := t.TempDir()
	for _, c := range []struct {
		input string
		style visualize.Style
		want  string
	}{
		{"a/in.mp4", visualize.Flow, "a/in-flow.mp4"},
		{"in.MKV", visualize.Overlay, "in-overlay.mkv"},
		{"in.webm", visualize.Flow, "in-flow.mp4"},
		{"two.dots.avi", visualize.Flow, "two.dots-flow.mp4"},
		{"-", visualize.Arrows, "arrows.mp4"},
		{folder + "/", visualize.Flow, folder + "-flow.mp4"},
	} {
		if got := outputName(c.input, c.style); got != c.want {
			t.Errorf("%s, %s: %s, want %s", c.input, c.style, got, c.want)
		}
	}
}

// TestReadmeQuotesTheCard compares the README's figures of the built-in network with the network's card.
func TestReadmeQuotesTheCard(t *testing.T) {
	card, err := flow.ReadCard("")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(testutil.Repository(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(page), "*", "")
	labels := map[string]string{"zero": "zero flow", "farneback": "Farneback (OpenCV)", "dis": "DIS, medium (OpenCV)", card.Name: card.Name}
	found := 0
	for _, e := range card.Errors {
		if e.Data != "real" {
			continue
		}
		found++
		if row := fmt.Sprintf("| %s | %.2f | %.1f | %.1f |", labels[e.Method], e.EPE, e.PX1, e.Fl); !strings.Contains(text, row) {
			t.Errorf("the README has no row %q", row)
		}
	}
	if found != len(labels) {
		t.Errorf("the card has %d rows of the real pairs, want %d", found, len(labels))
	}
	for _, s := range []string{
		fmt.Sprintf("(%.1f million parameters)", float64(card.Parameters)/1e6),
		fmt.Sprintf("%.1f hours", card.Training.Minutes/60),
		fmt.Sprintf("(%d,%03d samples)", card.Training.Samples/1000, card.Training.Samples%1000),
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), s) { // wherever a line ends
			t.Errorf("the README does not say %q", s)
		}
	}
}

func TestSuggestions(t *testing.T) {
	for typed, want := range map[string]string{"rn": "wwflow run", "veiw": "wwflow view", "conv": "wwflow convert", "nosuch": "", "xy": "", "": ""} {
		var h *hinted
		got := ""
		if errors.As(unknownCommand(newApp(), typed), &h) {
			got = h.hint
		}
		if got != want {
			t.Errorf("%q: %q is suggested, want %q", typed, got, want)
		}
	}
}
