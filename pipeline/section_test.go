package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// collector is a sink that keeps the images.
type collector struct {
	images []*frame.Frame
	pairs  []int
	stopAt int // number of images after which stop is closed; 0 = never
	stop   chan struct{}
}

func (c *collector) Write(f *frame.Frame, pair int) error {
	c.images, c.pairs = append(c.images, f), append(c.pairs, pair)
	if len(c.images) == c.stopAt {
		close(c.stop)
	}
	return nil
}
func (c *collector) Commit() error { return nil }
func (c *collector) Close() error  { return nil }

func runSection(t *testing.T, o Options, first, end, stopAt int) (*collector, Result, error) {
	t.Helper()
	c := &collector{stop: make(chan struct{}), stopAt: stopAt}
	result, err := RunSection(t.Context(), o, Section{First: first, End: end, Stop: c.stop,
		Begin:  func(Opened) error { return nil },
		Create: func(context.Context) (Sink, error) { return c, nil }})
	return c, result, err
}

// TestSections cuts a video with damaged frames into sections of every kind: together they have the images of a run in
// one piece.
func TestSections(t *testing.T) {
	folder := t.TempDir()
	o := Options{Input: folder, Output: filepath.Join(t.TempDir(), "out.mkv"), Encode: lossless(), Network: fakeNetwork(1)}
	var frames []*frame.Frame
	for i := range 14 {
		frames = append(frames, texture(32, 24, i))
	}
	writeImages(t, folder, frames...)
	for _, i := range []int{5, 8, 9} {
		if err := os.Truncate(filepath.Join(folder, fmt.Sprintf("%d.png", i)), 40); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		step     int
		backward bool
	}{{1, false}, {1, true}, {3, false}, {3, true}} {
		o.Step, o.Backward = c.step, c.backward
		o.Networks = openFake(t, 1)
		whole, _, err := runSection(t, o, 0, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, borders := range [][]int{{7}, {5}, {6}, {8, 9, 10}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}} {
			var images []*frame.Frame
			first := 0
			for _, end := range append(slices.Clone(borders), 0) {
				part, _, err := runSection(t, o, first, end, 0)
				if err != nil {
					t.Fatalf("step %d, %d to %d: %v", c.step, first, end, err)
				}
				for i, pair := range part.pairs {
					if pair < first || end > 0 && pair >= end {
						t.Errorf("step %d, %d to %d: image %d is of pair %d", c.step, first, end, i, pair)
					}
				}
				images = append(images, part.images...)
				first = end
			}
			if len(images) != len(whole.images) {
				t.Errorf("step %d, backward %v, borders %v: %d images, want %d", c.step, c.backward, borders, len(images), len(whole.images))
				continue
			}
			for i, want := range whole.images {
				if images[i].Index != want.Index || images[i].PTS != want.PTS || !bytes.Equal(images[i].Pix, want.Pix) {
					t.Errorf("step %d, backward %v, borders %v: image %d differs", c.step, c.backward, borders, i)
				}
			}
		}
	}
}

// TestSectionStops stops a section in the middle. It continues with the pair after the last one.
func TestSectionStops(t *testing.T) {
	_, o, _, err := runVideo(t, t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	part, result, err := runSection(t, o, 0, 0, 3)
	if !errors.Is(err, ErrStopped) || result.Frames != len(part.images) || len(part.images) < 3 || len(part.images) > 3+frameQueue+imageQueue+4 {
		t.Fatalf("%d images, Result says %d: %v", len(part.images), result.Frames, err)
	}
	rest, _, err := runSection(t, o, part.pairs[len(part.pairs)-1]+1, 0, 0)
	if err != nil || len(part.images)+len(rest.images) != len(uneven)-1 {
		t.Errorf("%d and %d images: %v", len(part.images), len(rest.images), err)
	}
}
