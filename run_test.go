package main

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

// camera is a source of n frames whose times are the squares of their numbers.
type camera struct {
	n, made int
	fail    error // instead of the end
	alive   *atomic.Int64
	took    time.Duration
}

func (c *camera) Read() (*frame.Frame, error) {
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

// recorder is a sink that remembers.
type recorder struct {
	times             []int64
	committed, closed bool
	fail              error
	failAt            int
	took              time.Duration
}

func (r *recorder) Write(f *frame.Frame) error {
	time.Sleep(r.took)
	if r.fail != nil && len(r.times) == r.failAt {
		return r.fail
	}
	r.times = append(r.times, f.PTS)
	return nil
}
func (r *recorder) Commit() error { r.committed = true; return nil }
func (r *recorder) Close() error  { r.closed = true; return nil }

// testLine gives every pair a still field and paints it as a picture of its first frame's time.
func testLine(t *testing.T, step int, out *recorder) *line {
	pairs, err := pairing.New(step)
	if err != nil {
		t.Fatal(err)
	}
	return &line{
		pairs: pairs,
		networks: []estimator{func(_ context.Context, p *frame.Pair) (*field.Field, error) {
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
		create: func(*frame.Frame) (sink, error) { return out, nil },
		done:   func(*frame.Frame) {},
	}
}

func TestWalk(t *testing.T) {
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
			ctx, cancel := context.WithCancelCause(t.Context())
			out := &recorder{}
			if err := testLine(t, c.step, out).walk(ctx, cancel, &camera{n: c.frames}); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(out.times, c.want) {
				t.Errorf("pictures at %v, want %v", out.times, c.want)
			}
			if some := len(c.want) > 0; out.committed != some || out.closed != some {
				t.Errorf("committed %v, closed %v; there were pictures: %v", out.committed, out.closed, some)
			}
		})
	}
}

// TestWalkFails lets each stage fail in turn: the walk must end with that error, without a goroutine left
// (synctest waits for all of them) and without a commit.
func TestWalkFails(t *testing.T) {
	broken := errors.New("broken")
	for name, spoil := range map[string]func(*line, *camera, *recorder){
		"read": func(_ *line, in *camera, _ *recorder) { in.fail = broken },
		"estimate": func(l *line, _ *camera, _ *recorder) {
			l.networks[0] = func(context.Context, *frame.Pair) (*field.Field, error) { return nil, broken }
		},
		"export": func(l *line, _ *camera, _ *recorder) { l.export = func(*field.Field) error { return broken } },
		"paint": func(l *line, _ *camera, _ *recorder) {
			l.paint = func(*field.Field) (*frame.Frame, error) { return nil, broken }
		},
		"create": func(l *line, _ *camera, _ *recorder) {
			l.create = func(*frame.Frame) (sink, error) { return nil, broken }
		},
		"write": func(_ *line, _ *camera, out *recorder) { out.fail, out.failAt = broken, 3 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				in, out := &camera{n: 50}, &recorder{}
				l := testLine(t, 1, out)
				spoil(l, in, out)
				if err := l.walk(ctx, cancel, in); !errors.Is(err, broken) {
					t.Errorf("the walk ended with %v", err)
				}
				if out.committed || len(out.times) > 0 && !out.closed {
					t.Errorf("committed %v, closed %v after %d pictures", out.committed, out.closed, len(out.times))
				}
			})
		})
	}
}

// TestWalkInterrupted cancels in the middle, as Ctrl-C does.
func TestWalkInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer, stop := context.WithCancel(t.Context())
		ctx, cancel := context.WithCancelCause(outer)
		out := &recorder{took: time.Second}
		time.AfterFunc(5500*time.Millisecond, stop)
		if err := testLine(t, 1, out).walk(ctx, cancel, &camera{n: 1 << 30}); !errors.Is(err, context.Canceled) {
			t.Errorf("the walk ended with %v", err)
		}
		if out.committed || !out.closed || len(out.times) > 6 {
			t.Errorf("committed %v, closed %v after %d pictures", out.committed, out.closed, len(out.times))
		}
	})
}

// TestWalkIsBounded: however slow the sink, no more than a handful of frames are on their way.
func TestWalkIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var alive atomic.Int64
		most := int64(0)
		l := testLine(t, 1, &recorder{took: time.Second})
		l.done = func(*frame.Frame) { most = max(most, alive.Add(-1)) }
		if err := l.walk(ctx, cancel, &camera{n: 500, alive: &alive}); err != nil {
			t.Fatal(err)
		}
		if most > 12 {
			t.Errorf("%d frames were alive at once", most)
		}
	})
}

// TestWalkOverlaps: three stages of a second each take one second a frame together, not three.
func TestWalkOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		l := testLine(t, 1, &recorder{took: time.Second})
		estimate := l.networks[0]
		l.networks[0] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			time.Sleep(time.Second)
			return estimate(ctx, p)
		}
		begin := time.Now()
		if err := l.walk(ctx, cancel, &camera{n: 100, took: time.Second}); err != nil {
			t.Fatal(err)
		}
		if spent := time.Since(begin); spent > 105*time.Second {
			t.Errorf("100 frames took %v of virtual time", spent)
		}
	})
}

// several puts devices networks into the line; each takes a second for a pair, and one of them a quarter more.
func several(l *line, devices int) {
	estimate := l.networks[0]
	l.networks = nil
	for i := range devices {
		l.networks = append(l.networks, func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			time.Sleep(time.Second)
			if i == 1 {
				time.Sleep(time.Second / 4)
			}
			return estimate(ctx, p)
		})
	}
}

// TestWalkOnSeveralDevices: whatever the number of devices and of frames, the pictures are one device's, in its order.
func TestWalkOnSeveralDevices(t *testing.T) {
	for _, devices := range []int{2, 3, 5} {
		for _, frames := range []int{0, 1, 2, stretchPairs, stretchPairs + 1, stretchPairs + 2, 3*stretchPairs + 4, 100} {
			for _, step := range []int{1, 3} {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					out := &recorder{}
					l := testLine(t, step, out)
					several(l, devices)
					if err := l.walk(ctx, cancel, &camera{n: frames}); err != nil {
						t.Fatal(err)
					}
					var want []int64
					for i := range max(0, frames-step) {
						want = append(want, int64(i*i))
					}
					if !slices.Equal(out.times, want) || out.committed != (len(want) > 0) {
						t.Errorf("%d devices, %d frames, step %d: pictures at %v, committed %v", devices, frames, step, out.times, out.committed)
					}
				})
			}
		}
	}
}

// TestSeveralDevicesShareTheWork: three devices, one of which is a little slower, are 2.8 times as fast as one;
// each pair is estimated once, and no more frames are on their way than the stretches hold.
func TestSeveralDevicesShareTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var alive, estimated atomic.Int64
		most := int64(0)
		l := testLine(t, 1, &recorder{})
		estimate := l.networks[0]
		l.networks[0] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
			estimated.Add(1)
			return estimate(ctx, p)
		}
		several(l, 3)
		l.done = func(*frame.Frame) { most = max(most, alive.Add(-1)) }
		begin := time.Now()
		const frames = 1001
		if err := l.walk(ctx, cancel, &camera{n: frames, alive: &alive}); err != nil {
			t.Fatal(err)
		}
		if spent := time.Since(begin).Seconds(); spent > 1.1*(frames-1)/2.8 {
			t.Errorf("%d pairs took %v s of virtual time", frames-1, spent)
		}
		if n := estimated.Load(); n != frames-1 {
			t.Errorf("%d pairs were estimated of %d", n, frames-1)
		}
		if room := int64((len(l.networks)+1)*stretchPairs + 12); most > room {
			t.Errorf("%d frames were alive at once, and there is room for %d", most, room)
		}
	})
}

// TestSeveralDevicesFail: one device fails, or all of them are interrupted; nothing hangs and nothing is committed.
func TestSeveralDevicesFail(t *testing.T) {
	broken := errors.New("broken")
	for name, bad := range map[string][]int{"first": {0}, "last": {2}, "all": {0, 1, 2}, "none, but interrupted": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outer, stop := context.WithCancel(t.Context())
				defer stop()
				ctx, cancel := context.WithCancelCause(outer)
				out := &recorder{}
				l := testLine(t, 1, out)
				several(l, 3)
				for _, i := range bad {
					done := 0
					estimate := l.networks[i]
					l.networks[i] = func(ctx context.Context, p *frame.Pair) (*field.Field, error) {
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
				if err := l.walk(ctx, cancel, &camera{n: 1 << 30}); !errors.Is(err, want) {
					t.Errorf("the walk ended with %v", err)
				}
				if out.committed || !out.closed {
					t.Errorf("committed %v, closed %v after %d pictures", out.committed, out.closed, len(out.times))
				}
			})
		})
	}
}

func TestReplay(t *testing.T) {
	for _, frames := range []int{0, 1, 3, 40} {
		r := &replay{source: &camera{n: frames}}
		pairs, err := r.peek(2)
		if err != nil {
			t.Fatal(err)
		}
		if want := min(looks, max(0, frames-2)); len(pairs) != want {
			t.Errorf("%d frames: %d pairs to look at, want %d", frames, len(pairs), want)
		}
		for i := range frames {
			if f, err := r.Read(); err != nil || f.Index != i {
				t.Fatalf("after the peek frame %d is %v, %v", i, f, err)
			}
		}
		if _, err := r.Read(); err != io.EOF {
			t.Errorf("the end is %v", err)
		}
	}
}

// TestFindScale: a field that was estimated at a quarter of the size counts four times.
func TestFindScale(t *testing.T) {
	uniform := func(_ context.Context, p *frame.Pair) (*field.Field, error) {
		f := field.New(p.First.Width, p.First.Height)
		for i := range f.Vectors {
			f.Vectors[i] = 3
		}
		return f, nil
	}
	big := shrink(frame.New(4*lookWidth, lookWidth))
	if big.Width != lookWidth || big.Height != lookWidth/4 {
		t.Fatalf("shrunk to %dx%d", big.Width, big.Height)
	}
	got, err := findScale(t.Context(), []*frame.Pair{{First: big, Second: big}}, 4*lookWidth, uniform)
	if err != nil || got != 20 { // 3 * sqrt 2 * 4 = 17, rounded up
		t.Errorf("scale %v, %v", got, err)
	}
}
