package flowfile

import (
	"errors"
	"math"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/field"
)

// motion returns the motion of a frame of 5x3 pixels with one pixel of unknown flow to the next frame: (2, 1) to the next frame
// and (-3, 0.5) to the previous one.
func motion(t *testing.T) Motion {
	t.Helper()
	m := Motion{field.New(5, 3), field.New(5, 3)}
	for i := range 15 {
		m.Next.Vectors[2*i], m.Next.Vectors[2*i+1] = 2, 1
		m.Previous.Vectors[2*i], m.Previous.Vectors[2*i+1] = -3, 0.5
	}
	m.Next.Vectors[2*7] = field.Unknown()
	back := field.New(5, 3)
	if err := consistency.Check(m.Next, back, consistency.Default); err != nil {
		t.Fatal(err)
	}
	return m
}

// pixel returns the channels of a pixel as oiiotool prints them, by name.
func pixel(t *testing.T, path string, x, y int) map[string]float64 {
	t.Helper()
	out := oiiotool(t, "--dumpdata", path)
	names := regexp.MustCompile(`channel list: (.*)`).FindStringSubmatch(oiiotool(t, "--info", "-v", path))
	line := regexp.MustCompile(`Pixel \(` + strconv.Itoa(x) + `, ` + strconv.Itoa(y) + `\):([^\n]*)`).FindStringSubmatch(out)
	if names == nil || line == nil {
		t.Fatalf("oiiotool printed %q", out)
	}
	values := strings.Fields(strings.NewReplacer("(", " ").Replace(line[1]))
	channels := strings.Split(regexp.MustCompile(` \(\w+\)`).ReplaceAllString(names[1], ""), ", ")
	got := map[string]float64{}
	for i, name := range channels {
		v, err := strconv.ParseFloat(values[i], 64)
		if err != nil {
			t.Fatalf("%s: %v in %q", name, err, line[1])
		}
		got[strings.TrimSpace(name)] = v
	}
	return got
}

// TestMotionForPrograms reads the files for each program with OpenImageIO: names, signs, and the values of unknown motion.
func TestMotionForPrograms(t *testing.T) {
	t.Parallel()
	for target, want := range map[Target]map[string]float64{
		Nuke:    {"forward.u": 2, "forward.v": -1, "backward.u": -3, "backward.v": -0.5},
		Natron:  {"forward.u": 2, "forward.v": -1, "backward.u": -3, "backward.v": -0.5, "R": 2, "G": -1, "A": 1},
		Blender: {"Vector.X": -3, "Vector.Y": -0.5, "Vector.Z": -2, "Vector.W": 1},
	} {
		path := filepath.Join(t.TempDir(), "m.exr")
		if err := WriteMotion(path, motion(t), target); err != nil {
			t.Fatal(err)
		}
		known, unknown := pixel(t, path, 1, 1), pixel(t, path, 2, 1)
		want["forward_mask.valid"], want["backward_mask.valid"] = 1, 1
		for name, v := range want {
			if known[name] != v {
				t.Errorf("%s: %s is %v, want %v (all: %v)", target, name, known[name], v, known)
			}
		}
		if unknown["forward_mask.valid"] != 0 || unknown["backward_mask.valid"] != 1 || unknown["forward.u"] != 0 || unknown["Vector.Z"] != 0 {
			t.Errorf("%s: unknown motion is %v", target, unknown)
		}
		if out := pixel(t, path, 4, 2); out["forward_mask.outside"] != 1 || out["forward_mask.occluded"] != 0 {
			t.Errorf("%s: a pixel that leaves the frame has %v", target, out)
		}
		header := oiiotool(t, "--info", "-v", path)
		for _, text := range []string{`flowAxis: "x right, y up"`, `flowUnit: "pixels`, `flowZero: "0 is no motion`, `flowTarget: "` + string(target)} {
			if !strings.Contains(header, text) {
				t.Errorf("%s: the header has no %s", target, text)
			}
		}
	}
}

// TestMotionRoundTrip reads a file for Nuke back as flow: y down again, and unknown flow is NaN.
func TestMotionRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.exr")
	m := motion(t)
	if err := WriteMotion(path, m, Nuke); err != nil {
		t.Fatal(err)
	}
	f, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 15 {
		m.Next.Vectors[2*7], m.Next.Vectors[2*7+1] = field.Unknown(), field.Unknown()
		if d := differ(f, m.Next, 0); d != "" {
			t.Fatalf("pixel %d: %s", i, d)
		}
	}
	if err := WriteMotion(path, Motion{}, Nuke); !errors.Is(err, field.ErrSizes) {
		t.Errorf("no motion: %v", err)
	}
	if err := WriteMotion(path, Motion{Previous: m.Previous}, Blender); err != nil {
		t.Errorf("the motion to the previous frame alone: %v", err)
	}
}

// TestSTMap reads an STMap with OpenImageIO, and back as flow.
func TestSTMap(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "st.exr")
	f := motion(t).Next
	if err := WriteSTMap(path, f); err != nil {
		t.Fatal(err)
	}
	got := pixel(t, path, 1, 0)
	// the centre of column 3 of 5, and of row 1 of 3, which is the middle from below too
	if math.Abs(got["R"]-3.5/5) > 1e-6 || math.Abs(got["G"]-0.5) > 1e-6 || got["A"] != 1 {
		t.Errorf("the map is %v", got)
	}
	if out := pixel(t, path, 4, 0); out["A"] != 0 {
		t.Errorf("a place out of the frame has %v", out)
	}
	for name, read := range map[string]func(string) (*field.Field, error){"Read": Read, "ReadSTMap": ReadSTMap} {
		back, err := read(path)
		if err != nil {
			t.Fatal(err)
		}
		u, v := back.At(1, 0)
		if math.Abs(float64(u)-2) > 1e-4 || math.Abs(float64(v)-1) > 1e-4 || field.Known(back.At(2, 1)) || field.Known(back.At(4, 0)) {
			t.Errorf("%s gives (%v, %v)", name, u, v)
		}
	}
}
