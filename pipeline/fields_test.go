package pipeline

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/wwflow/wwflow/field"
)

// TestFields compares every field with the exact flow.
func TestFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.mkv")
	in := writeVideo(t, path, 64, 48, uneven)
	n := 0
	for f, err := range Fields(t.Context(), path, Options{Network: fakeNetwork(2)}) {
		if err != nil {
			t.Fatal(err)
		}
		if f.Pair.First.Index != n || f.Pair.Second.Index != n+1 || f.Pair.First.Time() != in[n].Time() {
			t.Errorf("field %d belongs to frames %d and %d, at %v", n, f.Pair.First.Index, f.Pair.Second.Index, f.Pair.First.Time())
		}
		if !slices.Equal(f.Vectors, expected(in[n], in[n+1]).Vectors) {
			t.Errorf("field %d has other vectors", n)
		}
		n++
	}
	if n != len(in)-1 {
		t.Errorf("%d fields of %d frames", n, len(in))
	}
}

// TestFieldsMinConfidence checks that flow with a lower confidence, and no other flow, becomes unknown.
func TestFieldsMinConfidence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.mkv")
	in := writeVideo(t, path, 64, 48, uneven[:3])
	i := 0
	for f, err := range Fields(t.Context(), path, Options{Network: fakeNetwork(1), MinConfidence: 0.5}) {
		if err != nil {
			t.Fatal(err)
		}
		want, unknown := expected(in[i], in[i+1]), 0
		for k, c := range f.Confidence {
			u, v := f.Vectors[2*k], f.Vectors[2*k+1]
			if !field.Known(u, v) {
				unknown++
			}
			if field.Known(u, v) != (c >= 0.5) || c >= 0.5 && (u != want.Vectors[2*k] || v != want.Vectors[2*k+1]) {
				t.Fatalf("field %d: a vector with confidence %v is (%v, %v)", i, c, u, v)
			}
		}
		if unknown == 0 || unknown == len(f.Confidence) {
			t.Errorf("field %d: %d of %d vectors are unknown", i, unknown, len(f.Confidence))
		}
		i++
	}
}

// TestFieldsStop leaves the loop early, several times. No goroutine may be left, and the networks keep nothing. Goexit
// ends the loop as a panic does.
func TestFieldsStop(t *testing.T) {
	networks := openFake(t, 2)
	path := filepath.Join(t.TempDir(), "in.mkv")
	writeVideo(t, path, 64, 48, uneven)
	before := runtime.NumGoroutine()
	for i := range 4 {
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for _, err := range Fields(context.Background(), path, Options{Networks: networks}) {
				if err != nil {
					t.Error(err)
				}
				if i%2 == 1 {
					runtime.Goexit()
				}
				break
			}
		}()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("the loop does not end")
		}
	}
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 100 {
			t.Fatalf("%d goroutines, %d before the loops", runtime.NumGoroutine(), before)
		}
		time.Sleep(20 * time.Millisecond)
	}
	for _, n := range networks {
		if kept := n.estimator.Kept(); kept != 0 {
			t.Errorf("features of %d frames are held after the loop", kept)
		}
	}
}

// TestFieldsErrors checks that an error is the last value, and comes alone.
func TestFieldsErrors(t *testing.T) {
	folder := t.TempDir()
	path, short := filepath.Join(folder, "in.mkv"), filepath.Join(folder, "short.mkv")
	writeVideo(t, path, 64, 48, uneven)
	writeVideo(t, short, 64, 48, uneven[:1])
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, c := range []struct {
		input  string
		each   func(*field.Field)
		fields int // at least
		want   error
	}{
		{filepath.Join(folder, "none.mkv"), nil, 0, fs.ErrNotExist},
		{short, nil, 0, ErrTooShort},
		{path, func(*field.Field) { cancel() }, 1, context.Canceled},
	} {
		n := 0
		var last error
		for f, err := range Fields(ctx, c.input, Options{Network: fakeNetwork(1)}) {
			if last != nil || (f == nil) != (err != nil) {
				t.Errorf("%s: after %v: %v, %v", c.input, last, f, err)
			}
			if last = err; err == nil {
				n++
				c.each(f)
			}
		}
		if !errors.Is(last, c.want) || n < c.fields {
			t.Errorf("%s: %d fields, then %v; want %v", c.input, n, last, c.want)
		}
	}
}
