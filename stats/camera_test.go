package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/wwflow/wwflow/field"
)

// scene returns the flow of a camera, and in front of it two rectangles that cover a share of the frame together and move by
// (u, v) and (v, u), all with noise of the given standard deviation in pixels.
func scene(width, height int, c Camera, noise, share, u, v float64) *field.Field {
	random := rand.New(rand.NewPCG(7, 8))
	f := field.New(width, height)
	right := int(share * float64(width))
	for i := range width * height {
		x, y := i%width, i/width
		cu, cv := c.At(x, y, width, height)
		switch {
		case x < right && y < height/2:
			cu, cv = u, v
		case x < right:
			cu, cv = v, u
		}
		f.Vectors[2*i] = float32(cu + noise*random.NormFloat64())
		f.Vectors[2*i+1] = float32(cv + noise*random.NormFloat64())
	}
	return f
}

// TestCameraSigns writes down the flow of each movement by hand: the left, the top and the centre of a frame of 101x101.
func TestCameraSigns(t *testing.T) {
	for name, c := range map[string]struct {
		camera            Camera
		left, top, centre [2]float64
	}{
		"to the right":     {Camera{Pan: 5, Zoom: 1}, [2]float64{-5, 0}, [2]float64{-5, 0}, [2]float64{-5, 0}},
		"up":               {Camera{Tilt: 3, Zoom: 1}, [2]float64{0, 3}, [2]float64{0, 3}, [2]float64{0, 3}},
		"zoom in":          {Camera{Zoom: 1.1}, [2]float64{-5, 0}, [2]float64{0, -5}, [2]float64{0, 0}},
		"clockwise, by 90": {Camera{Zoom: 1, Roll: 90}, [2]float64{50, 50}, [2]float64{-50, 50}, [2]float64{0, 0}},
	} {
		for i, at := range [][2]int{{0, 50}, {50, 0}, {50, 50}} {
			want := [][2]float64{c.left, c.top, c.centre}[i]
			if u, v := c.camera.At(at[0], at[1], 101, 101); math.Abs(u-want[0]) > 1e-9 || math.Abs(v-want[1]) > 1e-9 {
				t.Errorf("%s: the flow at %v is (%v, %v), want %v", name, at, u, v, want)
			}
		}
	}
}

// TestCamera fits known movements: alone, with noise, and with an object that covers much of the frame.
func TestCamera(t *testing.T) {
	cameras := map[string]Camera{
		"static": {Zoom: 1}, "pan": {Pan: 12.5, Zoom: 1}, "tilt": {Tilt: -4.25, Zoom: 1}, "zoom in": {Zoom: 1.03},
		"zoom out": {Zoom: 0.9}, "roll": {Zoom: 1, Roll: 2.5}, "quick roll": {Zoom: 1, Roll: -40},
		"all": {Pan: -31, Tilt: 7.5, Zoom: 0.97, Roll: -1.75},
	}
	for name, truth := range cameras {
		for _, c := range []struct {
			noise, share float64
			within       float64 // pixels, at the corner
		}{{0, 0, 1e-3}, {0.2, 0, 0.05}, {0.2, 0.45, 0.1}, {0, 0.55, 5e-3}} {
			f := scene(320, 180, truth, c.noise, c.share, 20, -9)
			got := fitCamera(f)
			for _, at := range [][2]int{{0, 0}, {319, 0}, {319, 179}, {160, 90}} {
				u, v := got.At(at[0], at[1], 320, 180)
				tu, tv := truth.At(at[0], at[1], 320, 180)
				if off := math.Hypot(u-tu, v-tv); off > c.within {
					t.Errorf("%s, noise %v, object %v: off by %.4f pixels at %v: %+v", name, c.noise, c.share, off, at, *got)
				}
			}
			// Some of an object's pixels may happen to move with the camera, and noise is rarely beyond the tolerance.
			if background := 1 - c.share; got.Follow < 0.93*background || got.Follow > background+0.07 {
				t.Errorf("%s, noise %v, object %v: %.3f of the pixels follow", name, c.noise, c.share, got.Follow)
			}
		}
	}
}

// TestCameraResidual checks the residual against that of a static camera, which is the length of the flow.
func TestCameraResidual(t *testing.T) {
	c := fitCamera(scene(200, 100, Camera{Zoom: 1}, 0, 0.1, 3, 4)) // both rectangles move by 5 pixels
	if math.Abs(c.Follow-0.9) > 1e-9 || math.Abs(c.Residual-0.5) > 1e-6 || math.Abs(c.Objects-5) > 1e-6 {
		t.Errorf("%+v", *c)
	}
}

// TestCameraConfidence checks that unconfident flow has no say: most of the frame moves otherwise.
func TestCameraConfidence(t *testing.T) {
	f := scene(200, 100, Camera{Pan: 6, Zoom: 1}, 0, 0.7, 30, 0)
	f.Confidence = make([]float32, 200*100)
	for i := range f.Confidence {
		f.Confidence[i] = 0.29
		if i%200 >= 140 {
			f.Confidence[i] = 0.31
		}
	}
	if c := fitCamera(f); math.Abs(c.Pan-6) > 1e-3 || c.Follow != 1 {
		t.Errorf("%+v", *c)
	}
	clear(f.Confidence)
	if c := fitCamera(f); c != nil {
		t.Errorf("without confident flow the camera is %+v", *c)
	}
}

// TestCameraDegenerate fits flow that determines no similarity.
func TestCameraDegenerate(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	noise := field.New(64, 48)
	for i := range noise.Vectors {
		noise.Vectors[i] = float32(100 * random.NormFloat64())
	}
	collapse := scene(64, 48, Camera{Zoom: 0}, 0, 0, 0, 0)
	for name, f := range map[string]*field.Field{"noise": noise, "a line": field.New(64, 1), "a column": field.New(1, 64), "collapse": collapse} {
		c := fitCamera(f)
		for _, x := range []float64{c.Pan, c.Tilt, c.Zoom, c.Roll, c.Follow, c.Residual, c.Objects} {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Errorf("%s: %+v", name, *c)
			}
		}
		s := Summary{}
		s.Add(Pair{Motion: &Motion{Camera: c}})
		if z := s.Video().Camera.Zoom; math.IsNaN(z) || math.IsInf(z, 0) {
			t.Errorf("%s: the mean zoom is %v", name, z)
		}
	}
	if c := fitCamera(field.New(3, 5)); c != nil {
		t.Errorf("15 pixels give %+v", *c)
	}
}

func BenchmarkMeasure(b *testing.B) {
	f := scene(1920, 1080, Camera{Pan: 4, Zoom: 1.01}, 0.3, 0.2, 10, 3)
	f.Confidence = make([]float32, 1920*1080)
	for i := range f.Confidence {
		f.Confidence[i] = 0.3 + float32(i%100)/200
	}
	for b.Loop() {
		Measure(f, false)
	}
}
