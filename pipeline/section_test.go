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

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
)

// collector is a sink that keeps the images.
type collector struct {
	images []*frame.Frame
	pairs  []int
	stopAt int // number of images after which stop is closed; 0 = never
	stop   chan struct{}
}

func (c *collector) Write(image Image) error {
	c.images, c.pairs = append(c.images, image.Frame), append(c.pairs, image.Pair)
	if len(c.images) == c.stopAt {
		close(c.stop)
	}
	return nil
}
func (c *collector) Commit() error { return nil }
func (c *collector) Close() error  { return nil }

func runSection(t *testing.T, o Options, first, end, stopAt int) (*collector, Result, error) {
	t.Helper()
	return collect(stopAt, Section{First: first, End: end}, func(s Section) (Result, error) { return RunSection(t.Context(), o, s) })
}

// collect gives the images of a section to a collector.
func collect(stopAt int, s Section, run func(Section) (Result, error)) (*collector, Result, error) {
	c := &collector{stop: make(chan struct{}), stopAt: stopAt}
	s.Stop, s.Begin = c.stop, func(Opened) error { return nil }
	s.Create = func(context.Context) (Sink, error) { return c, nil }
	result, err := run(s)
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

// TestRetimeSections cuts a video with damaged frames, at its end too, into sections: together they have the images of the whole,
// and each image is in the section of the frame that it follows.
func TestRetimeSections(t *testing.T) {
	folder := t.TempDir()
	o := Options{Input: folder, Network: fakeNetwork(1)}
	for _, r := range []Retiming{{Speed: frame.Rational{Num: 2, Den: 7}}, {FrameRate: frame.Rational{Num: 30, Den: 1}}, {Speed: frame.Rational{Num: 5, Den: 2}}} {
		var frames []*frame.Frame
		for i := range 12 {
			frames = append(frames, texture(32, 24, i))
		}
		writeImages(t, folder, frames...)
		o.Networks = openFake(t, 1)
		section := func(first, end int) *collector {
			c, _, err := collect(0, Section{First: first, End: end}, func(s Section) (Result, error) { return RetimeSection(t.Context(), o, r, s) })
			if err != nil && !errors.Is(err, decode.ErrNoFrames) {
				t.Fatalf("%d to %d: %v", first, end, err)
			}
			return c
		}
		for _, damaged := range [][]int{{}, {4, 7, 8}, {0, 10, 11}} {
			for _, i := range damaged {
				if err := os.Truncate(filepath.Join(folder, fmt.Sprintf("%d.png", i)), 40); err != nil {
					t.Fatal(err)
				}
			}
			whole := section(0, 0)
			for _, borders := range [][]int{{7}, {4}, {5, 8, 9, 10, 11}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}} {
				var images []*frame.Frame
				first := 0
				for _, end := range append(slices.Clone(borders), 12) {
					part := section(first, end)
					for i, pair := range part.pairs {
						if pair < first || pair >= end {
							t.Errorf("%d to %d: image %d is of pair %d", first, end, i, pair)
						}
					}
					images = append(images, part.images...)
					first = end
				}
				if !slices.EqualFunc(images, whole.images, func(a, b *frame.Frame) bool {
					return a.Index == b.Index && a.PTS == b.PTS && bytes.Equal(a.Pix, b.Pix)
				}) {
					t.Errorf("%v, damaged %v, borders %v: %d images differ from the %d of the whole", r.Describe(), damaged, borders, len(images), len(whole.images))
				}
			}
		}
	}
}
