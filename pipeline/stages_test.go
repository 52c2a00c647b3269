package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
)

// fakeSource is a source of n frames. The time stamp of a frame is the square of its number.
type fakeSource struct {
	n, made int
	fail    error // instead of the end
	alive   *atomic.Int64
	took    time.Duration
}

func (c *fakeSource) Read() (*frame.Frame, error) {
	time.Sleep(c.took)
	if c.made == c.n {
		if c.fail != nil {
			return nil, c.fail
		}
		return nil, io.EOF
	}
	f := frame.New(2, 2)
	f.Index, f.PTS = c.made, int64(c.made*c.made)
	c.made++
	if c.alive != nil {
		c.alive.Add(1)
	}
	return f, nil
}

// fakeSink is a sink that records what happens to it.
type fakeSink struct {
	times             []int64
	committed, closed bool
	fail              error
	failAt            int
	took              time.Duration
}

func (r *fakeSink) Write(f Image) error {
	time.Sleep(r.took)
	if r.fail != nil && len(r.times) == r.failAt {
		return r.fail
	}
	r.times = append(r.times, f.PTS)
	return nil
}
func (r *fakeSink) Commit() error { r.committed = true; return nil }
func (r *fakeSink) Close() error  { r.closed = true; return nil }

// testStages gives every pair a field of zero motion and paints an image with its first frame's time stamp.
func testStages(t *testing.T, step int, out *fakeSink) *stages {
	pairs, err := pairing.New(step)
	if err != nil {
		t.Fatal(err)
	}
	return &stages{
		pairs: pairs,
		networks: []estimateFunc{func(_ context.Context, p *frame.Pair) (*field.Field, error) {
			f := field.New(p.First.Width, p.First.Height)
			f.Pair = p
			return f, nil
		}},
		export: func(*field.Field) error { return nil },
		paint: func(f *field.Field) (*frame.Frame, error) {
			picture := frame.New(f.Width, f.Height)
			picture.PTS = f.Pair.First.PTS
			return picture, nil
		},
		create:  func(*frame.Frame) (Sink, error) { return out, nil },
		written: func(*frame.Frame) {},
	}
}

func TestStages(t *testing.T) {
	for _, c := range []struct {
		frames, step int
		want         []int64
	}{
		{0, 1, nil},
		{1, 1, nil},
		{2, 1, []int64{0}},
		{6, 1, []int64{0, 1, 4, 9, 16}},
		{6, 4, []int64{0, 1}},
	} {
		t.Run(fmt.Sprintf("%d frames, step %d", c.frames, c.step), func(t *testing.T) {
			g := newGroup(t.Context())
			out := &fakeSink{}
			if err := testStages(t, c.step, out).run(g, &fakeSource{n: c.frames}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out.times, c.want) {
				t.Errorf("images at %v, want %v", out.times, c.want)
			}
			if some := len(c.want) > 0; out.committed != some || out.closed != some {
				t.Errorf("committed %v, closed %v; there were images: %v", out.committed, out.closed, some)
			}
		})
	}
}

// TestStagesFail lets each stage fail in turn: the run must end with that error, without a goroutine left
// (synctest waits for all of them) and without a commit.
func TestStagesFail(t *testing.T) {
	broken := errors.New("broken")
	for name, spoil := range map[string]func(*stages, *fakeSource, *fakeSink){
		"read": func(_ *stages, in *fakeSource, _ *fakeSink) { in.fail = broken },
		"estimate": func(s *stages, _ *fakeSource, _ *fakeSink) {
			s.networks[0] = func(context.Context, *frame.Pair) (*field.Field, error) { return nil, broken }
		},
		"export": func(s *stages, _ *fakeSource, _ *fakeSink) { s.export = func(*field.Field) error { return broken } },
		"paint": func(s *stages, _ *fakeSource, _ *fakeSink) {
			s.paint = func(*field.Field) (*frame.Frame, error) { return nil, broken }
		},
		"create": func(s *stages, _ *fakeSource, _ *fakeSink) {
			s.create = func(*frame.Frame) (Sink, error) { return nil, broken }
		},
		"write": func(_ *stages, _ *fakeSource, out *fakeSink) { out.fail, out.failAt = broken, 3 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := newGroup(t.Context())
				in, out := &fakeSource{n: 50}, &fakeSink{}
				s := testStages(t, 1, out)
				spoil(s, in, out)
				if err := s.run(g, in); !errors.Is(err, broken) {
					t.Errorf("the run ended with %v", err)
				}
				if out.committed || len(out.times) > 0 && !out.closed {
					t.Errorf("committed %v, closed %v after %d images", out.committed, out.closed, len(out.times))
				}
			})
		})
	}
}

// TestStagesCancelled cancels in the middle, as Ctrl-C does.
func TestStagesCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, stop := context.WithCancel(t.Context())
		g := newGroup(outer)
		out := &fakeSink{took: time.Second}
		time.AfterFunc(5500*time.Millisecond, stop)
		if err := testStages(t, 1, out).run(g, &fakeSource{n: 1 << 30}); !errors.Is(err, context.Canceled) {
			t.Errorf("the run ended with %v", err)
		}
		if out.committed || !out.closed || len(out.times) > 6 {
			t.Errorf("committed %v, closed %v after %d images", out.committed, out.closed, len(out.times))
		}
	})
}

// TestFramesInMemoryAreBounded: with a slow sink, at most a dozen frames are in the pipeline.
func TestFramesInMemoryAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t.Context())
		var alive atomic.Int64
		peak := int64(0)
		s := testStages(t, 1, &fakeSink{took: time.Second})
		s.written = func(*frame.Frame) { peak = max(peak, alive.Add(-1)) }
		if err := s.run(g, &fakeSource{n: 500, alive: &alive}); err != nil {
			t.Fatal(err)
		}
		if peak > 12 {
			t.Errorf("%d frames were in memory at once", peak)
		}
	})
}

// TestStagesOverlap: three stages of one second each take one second per frame, not three.
func TestStagesOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t.Context())
		s := testStages(t, 1, &fakeSink{took: time.Second})
		estimate := s.networks[0]
		s.networks[0] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			time.Sleep(time.Second)
			return estimate(ctx, p)
		}
		begin := time.Now()
		if err := s.run(g, &fakeSource{n: 100, took: time.Second}); err != nil {
			t.Fatal(err)
		}
		if spent := time.Since(begin); spent > 105*time.Second {
			t.Errorf("100 frames took %v of virtual time", spent)
		}
	})
}

// several gives the stages that many devices. Each takes a second for a pair, and one of them a quarter more.
func several(s *stages, devices int) {
	estimate := s.networks[0]
	s.networks = nil
	for i := range devices {
		s.networks = append(s.networks, func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			time.Sleep(time.Second)
			if i == 1 {
				time.Sleep(time.Second / 4)
			}
			return estimate(ctx, p)
		})
	}
}

// TestSeveralDevicesKeepTheOrder: any number of devices and frames gives the images of one device in the same order.
func TestSeveralDevicesKeepTheOrder(t *testing.T) {
	for _, devices := range []int{2, 3, 5} {
		for _, frames := range []int{0, 1, 2, segmentPairs, segmentPairs + 1, segmentPairs + 2, 3*segmentPairs + 4, 100} {
			for _, step := range []int{1, 3} {
				synctest.Test(t, func(t *testing.T) {
					g := newGroup(t.Context())
					out := &fakeSink{}
					s := testStages(t, step, out)
					several(s, devices)
					if err := s.run(g, &fakeSource{n: frames}); err != nil {
						t.Fatal(err)
					}
					var want []int64
					for i := range max(0, frames-step) {
						want = append(want, int64(i*i))
					}
					if !slices.Equal(out.times, want) || out.committed != (len(want) > 0) {
						t.Errorf("%d devices, %d frames, step %d: images at %v, committed %v", devices, frames, step, out.times, out.committed)
					}
				})
			}
		}
	}
}

// TestSeveralDevicesShareTheWork: three devices, one of which is a little slower, are 2.8 times as fast as one;
// each pair is estimated once, and no more frames are in the pipeline than the segments hold.
func TestSeveralDevicesShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGroup(t.Context())
		var alive, estimated atomic.Int64
		peak := int64(0)
		s := testStages(t, 1, &fakeSink{})
		estimate := s.networks[0]
		s.networks[0] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			estimated.Add(1)
			return estimate(ctx, p)
		}
		several(s, 3)
		s.written = func(*frame.Frame) { peak = max(peak, alive.Add(-1)) }
		begin := time.Now()
		const frames = 1001
		if err := s.run(g, &fakeSource{n: frames, alive: &alive}); err != nil {
			t.Fatal(err)
		}
		if spent := time.Since(begin).Seconds(); spent > 1.1*(frames-1)/2.8 {
			t.Errorf("%d pairs took %v s of virtual time", frames-1, spent)
		}
		if n := estimated.Load(); n != frames-1 {
			t.Errorf("%d pairs were estimated of %d", n, frames-1)
		}
		if room := int64((len(s.networks)+1)*segmentPairs + 12); peak > room {
			t.Errorf("%d frames were in memory at once, capacity %d", peak, room)
		}
	})
}

// TestSeveralDevicesFail: one device fails, or all are cancelled. Nothing hangs and nothing is committed.
func TestSeveralDevicesFail(t *testing.T) {
	broken := errors.New("broken")
	for name, bad := range map[string][]int{"first": {0}, "last": {2}, "all": {0, 1, 2}, "none, cancelled": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer, stop := context.WithCancel(t.Context())
				defer stop()
				g := newGroup(outer)
				out := &fakeSink{}
				s := testStages(t, 1, out)
				several(s, 3)
				for _, i := range bad {
					done := 0
					estimate := s.networks[i]
					s.networks[i] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
						if done++; done > 11 {
							return nil, broken
						}
						return estimate(ctx, p)
					}
				}
				want := broken
				if bad == nil {
					want = context.Canceled
					time.AfterFunc(20500*time.Millisecond, stop)
				}
				if err := s.run(g, &fakeSource{n: 1 << 30}); !errors.Is(err, want) {
					t.Errorf("the run ended with %v", err)
				}
				if out.committed || !out.closed {
					t.Errorf("committed %v, closed %v after %d images", out.committed, out.closed, len(out.times))
				}
			})
		})
	}
}

func TestReplay(t *testing.T) {
	for _, frames := range []int{0, 1, 3, 40} {
		r := &replay{source: &fakeSource{n: frames}}
		pairs := r.prefetch(2)
		if want := min(samplePairs, max(0, frames-2)); len(pairs) != want {
			t.Errorf("%d frames: %d sample pairs, want %d", frames, len(pairs), want)
		}
		for i := range frames {
			if f, err := r.Read(); err != nil || f.Index != i {
				t.Fatalf("after prefetch frame %d is %v, %v", i, f, err)
			}
		}
		if _, err := r.Read(); err != io.EOF {
			t.Errorf("the end is %v", err)
		}
	}
}

// TestChooseScale: lengths of a field that was estimated at a quarter of the size count four times.
func TestChooseScale(t *testing.T) {
	uniform := func(_ context.Context, p *frame.Pair) (*field.Field, error) {
		f := field.New(p.First.Width, p.First.Height)
		for i := range f.Vectors {
			f.Vectors[i] = 3
		}
		return f, nil
	}
	big := shrink(frame.New(4*sampleSide, sampleSide))
	if big.Width != sampleSide || big.Height != sampleSide/4 {
		t.Fatalf("shrunk to %dx%d", big.Width, big.Height)
	}
	got, err := chooseScale(t.Context(), []*frame.Pair{{First: big, Second: big}}, 4*sampleSide, uniform)
	if err != nil || got != 20 { // 3 * sqrt 2 * 4 = 17, rounded up
		t.Errorf("scale %v, %v", got, err)
	}
}
