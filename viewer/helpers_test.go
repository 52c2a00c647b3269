package viewer

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/internal/testutil"
)

const clip = "../testdata/clips/square-walkers.mp4"

// chart returns a field with every direction, lengths up to 20 pixels at the left and right edge, a square of unknown flow and
// an infinite vector. Its confidence rises from left to right.
func chart(width, height int) *field.Field {
	f := field.New(width, height)
	f.Confidence = make([]float32, width*height)
	for y := range height {
		for x := range width {
			i := y*width + x
			f.Vectors[2*i] = float32(40 * (float64(x) + 0.5 - float64(width)/2) / float64(width))
			f.Vectors[2*i+1] = float32(40 * (float64(y) + 0.5 - float64(height)/2) / float64(width))
			f.Confidence[i] = float32(x+1) / float32(width)
			if x < width/8 && y < height/8 {
				f.Vectors[2*i], f.Vectors[2*i+1] = field.Unknown(), field.Unknown()
			}
		}
	}
	f.Vectors[2*(width*height-1)] = float32(math.Inf(1))
	return f
}

// writeFlows writes n flow files of wwflow run, whose flow is (number, -number/2) with a detail at pixel (3, 2).
func writeFlows(t testing.TB, dir string, n, width, height int) string {
	t.Helper()
	for k := range n {
		f := field.New(width, height)
		for i := range width * height {
			f.Vectors[2*i], f.Vectors[2*i+1] = float32(k), -float32(k)/2
		}
		f.Vectors[2*(2*width+3)] = 7.25
		if err := flowfile.Write(filepath.Join(dir, "00000"+strconv.Itoa(k)+".flo"), f); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// newViewer returns a viewer with a cache of its own.
func newViewer(t testing.TB, s Sources) *Viewer {
	t.Helper()
	if s.CacheDir == "" {
		s.CacheDir, s.CacheBytes = t.TempDir(), 1<<30
	}
	v, err := New(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// serve serves a viewer, and returns the address of its page.
func serve(t testing.TB, s Sources) (*Viewer, string) {
	t.Helper()
	v := newViewer(t, s)
	server, err := v.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return v, server.URL
}

// fakeNetwork opens the tiny network that finds where the frame's gradient has moved.
func fakeNetwork(t testing.TB) func() (*flow.Model, error) {
	t.Helper()
	if _, err := flow.Runtime(""); err != nil {
		testutil.Skip(t, "ONNX Runtime is missing (make setup fetches it): %v", err)
	}
	return func() (*flow.Model, error) {
		return flow.Open(flow.Options{ModelDir: "../flow/testdata/fake", Device: "cpu", Threads: 1})
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("the error is %v, want %v", err, want)
	}
}
