package stats_test

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/stats"
)

// reference is what testdata/reference.py prints for a flow file.
type reference struct {
	Known      float64          `json:"known"`
	Length     stats.Lengths    `json:"length"`
	Relative   stats.Lengths    `json:"length_share"`
	Moving     float64          `json:"moving"`
	Directions stats.Directions `json:"directions"`
	Follow     float64          `json:"follow"`
	Residual   float64          `json:"residual"`
	Objects    float64          `json:"objects"`
	OpenCV     struct{ Follow, Residual, Distance float64 }
}

// TestOnRealPairs compares the numbers of real ground-truth flow with those of NumPy, and the camera's motion with
// OpenCV's.
func TestOnRealPairs(t *testing.T) {
	root := testutil.Require(t, "pairs")
	var paths []string
	for _, pattern := range []string{"*/*/flow.flo", "*/*/flow.png"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		paths = append(paths, found...)
	}
	measured, cameras := map[string]stats.Pair{}, map[string]*stats.Camera{}
	var args []string
	for _, path := range paths {
		f, err := flowfile.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := filepath.Rel(root, filepath.Dir(path))
		measured[name] = stats.Measure(f, false)
		cameras[name] = measured[name].Camera
		args = append(args, name+"="+path)
	}
	for name, want := range runReference(t, args, cameras) {
		compare(t, name, measured[name], want)
	}
	if len(measured) != 17 {
		t.Errorf("%d pairs", len(measured))
	}
}

func runReference(t *testing.T, args []string, cameras map[string]*stats.Camera) (want map[string]reference) {
	t.Helper()
	input, err := json.Marshal(cameras)
	path := filepath.Join(t.TempDir(), "cameras.json")
	if err = errors.Join(err, os.WriteFile(path, input, 0o666)); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("testdata/reference.py")
	if err != nil {
		t.Fatal(err)
	}
	out := testutil.Python(t, "cv2, numpy", string(script), append([]string{path}, args...)...)
	if err := json.Unmarshal([]byte(out), &want); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return want
}

func compare(t *testing.T, name string, got stats.Pair, want reference) {
	near := func(what string, got, want, within float64) {
		if math.Abs(got-want) > within {
			t.Errorf("%s: %s is %.6g, want %.6g", name, what, got, want)
		}
	}
	near("known", got.Known, want.Known, 1e-9)
	for _, l := range []struct{ got, want stats.Lengths }{{got.Length, want.Length}, {got.Relative, want.Relative}} {
		near("mean", l.got.Mean, l.want.Mean, 1e-6*l.want.Mean)
		near("median", l.got.Median, l.want.Median, 0.001*l.want.Median)
		near("p90", l.got.P90, l.want.P90, 0.001*l.want.P90)
		near("p95", l.got.P95, l.want.P95, 0.001*l.want.P95)
		near("p99", l.got.P99, l.want.P99, 0.001*l.want.P99)
	}
	near("moving", got.Moving, want.Moving, 1e-5)
	for i := range want.Directions {
		near("a direction", got.Directions[i], want.Directions[i], 1e-4)
	}
	// The camera's numbers come from a grid of at most 32768 pixels.
	near("follow", got.Camera.Follow, want.Follow, 0.01)
	near("residual", got.Camera.Residual, want.Residual, 0.02*want.Residual)
	near("objects", got.Camera.Objects, want.Objects, 0.02*want.Objects)
	c, o := got.Camera, want.OpenCV
	t.Logf("%-22s pan %7.2f, tilt %6.2f, zoom %.4f, roll %6.3f; follow %.3f, OpenCV's %.3f; residual %6.2f, OpenCV's %6.2f; distance %5.2f",
		name, c.Pan, c.Tilt, c.Zoom, c.Roll, c.Follow, o.Follow, c.Residual, o.Residual, o.Distance)
	switch {
	case o.Follow > 0.5: // most of the picture follows the camera, so there is only one answer
		near("the distance of OpenCV's camera", o.Distance, 0, 0.5)
	case c.Follow < o.Follow-0.01 && c.Residual > 1.01*o.Residual:
		t.Errorf("%s: OpenCV's camera is better by both measures: follow %.3f and %.3f, residual %.3f and %.3f", name, c.Follow, o.Follow, c.Residual, o.Residual)
	}
}
