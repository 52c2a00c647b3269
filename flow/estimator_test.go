package flow

import (
	"context"
	"errors"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// video returns n small frames, numbered from 0.
func video(n int) []*frame.Frame {
	frames := make([]*frame.Frame, n)
	for i := range frames {
		frames[i] = pattern(9, 7, i)
		frames[i].Index = i
	}
	return frames
}

// openTensors returns the number of features in the network's memory, counting each output of the encoder.
func openTensors(m *Model) int { return m.encoder.session.Tensors() + m.decoder.session.Tensors() }

// TestEstimatorEncodesEachFrameOnce runs a video at several steps, in both directions. N frames are encoded N times, and
// features are freed as soon as no later pair needs them.
func TestEstimatorEncodesEachFrameOnce(t *testing.T) {
	m := open(t, "fake")
	const n = 12
	for _, step := range []int{1, 3} {
		for _, backward := range []bool{false, true} {
			e, frames := NewEstimator(m), video(n)
			for i := range n - step {
				a, b := frames[i], frames[i+step]
				if backward {
					a, b = b, a
				}
				got, err := e.Flow(context.Background(), a, b)
				if err != nil {
					t.Fatal(err)
				}
				if got.Pair.First != a || got.Pair.Second != b {
					t.Fatalf("step %d: the field of pair %d belongs to other frames", step, i)
				}
				compare(t, got, expected(a, b))
				e.ForgetBefore(frames[i].Index + 1)
				if want := min(i+1, step); e.Kept() > step || e.Kept() < want {
					t.Errorf("step %d: features of %d frames are held after pair %d, want %d to %d", step, e.Kept(), i, want, step)
				}
				if n := openTensors(m); n != e.Kept()*len(m.encoder.session.Outputs) {
					t.Errorf("step %d: after pair %d, features of %d frames are held and %d tensors are open", step, i, e.Kept(), n)
				}
			}
			s := e.Stats()
			if s.Encoded != n || s.Decoded != n-step || s.EncodeTime <= 0 || s.DecodeTime <= 0 {
				t.Errorf("step %d, backward %v: %+v, want %d frames encoded and %d pairs decoded", step, backward, s, n, n-step)
			}
			e.Close()
			if n := openTensors(m); n != 0 {
				t.Errorf("step %d: %d tensors are open after Close", step, n)
			}
		}
	}
}

// TestEstimatorKeep frees every frame that is not named, and encodes it again when it comes back.
func TestEstimatorKeep(t *testing.T) {
	e, frames := NewEstimator(open(t, "fake")), video(3)
	defer e.Close()
	flow := func(a, b *frame.Frame) {
		t.Helper()
		if _, err := e.Flow(context.Background(), a, b); err != nil {
			t.Fatal(err)
		}
	}
	flow(frames[0], frames[1])
	flow(frames[1], frames[2])
	e.Keep(frames[2], frames[1])
	if e.Kept() != 2 || e.features[frames[0]] != nil {
		t.Errorf("features of %d frames are held, want those of frames 1 and 2", e.Kept())
	}
	flow(frames[1], frames[2])
	if got := e.Stats().Encoded; got != 3 {
		t.Errorf("%d frames were encoded, want 3", got)
	}
	flow(frames[0], frames[2])
	if got := e.Stats().Encoded; got != 4 {
		t.Errorf("%d frames were encoded, want 4 after frame 0 came back", got)
	}
	(*Estimator)(nil).Close()
}

// TestEstimatorErrors checks that a failed pair is not counted and leaves the Estimator usable.
func TestEstimatorErrors(t *testing.T) {
	e, frames := NewEstimator(open(t, "fake")), video(2)
	defer e.Close()
	if _, err := e.Flow(context.Background(), frames[0], pattern(9, 8, 1)); !errors.Is(err, ErrSize) {
		t.Errorf("frames of two sizes: %v", err)
	}
	if _, err := e.Flow(context.Background(), frames[0], &frame.Frame{}); err == nil {
		t.Error("a frame without pixels was encoded")
	}
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := e.Flow(ctx, frames[0], frames[1]); !errors.Is(err, cause) {
		t.Errorf("a cancelled context: %v", err)
	}
	if s := e.Stats(); s.Encoded != 2 || s.Decoded != 0 {
		t.Errorf("%+v, want 2 frames encoded and no pair decoded", s)
	}
	if _, err := e.Flow(context.Background(), frames[0], frames[1]); err != nil {
		t.Error(err)
	}
}

// TestModelFlow estimates one pair. No features may be left in memory, also not after an error.
func TestModelFlow(t *testing.T) {
	m := open(t, "fake")
	first, second := pattern(9, 7, 1), pattern(9, 7, 2)
	got, err := m.Flow(context.Background(), first, second)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, expected(first, second))
	if _, err := m.Flow(context.Background(), first, pattern(8, 7, 1)); !errors.Is(err, ErrSize) {
		t.Errorf("frames of two sizes: %v", err)
	}
	if n := openTensors(m); n != 0 {
		t.Errorf("%d tensors are open", n)
	}
}
