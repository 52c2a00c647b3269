//go:build asan

package flow

import (
	"context"
	"os"
	"runtime"
	"testing"
	"time"
)

// TestLeaks opens networks and runs them many times. The address sanitizer then reports C memory that nothing points to. One run
// would not do: its last pointers stay in memory that Go has freed but not yet used again.
func TestLeaks(t *testing.T) {
	if err := loadRuntime(""); err != nil {
		t.Fatal(err)
	}
	encoder, err := os.ReadFile("testdata/fake/encoder.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		m, err := Open(Options{ModelDir: "testdata/fake", Device: "cpu", Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		e := NewEstimator(m)
		frames := video(10)
		for i := range frames[1:] {
			if _, err := e.Flow(context.Background(), frames[i], frames[i+1]); err != nil {
				t.Fatal(err)
			}
			e.ForgetBefore(i + 1)
		}
		if _, err := m.Flow(context.Background(), frames[0], pattern(5, 5, 1)); err == nil {
			t.Error("frames of two sizes have a flow")
		}
		if _, err := openGraph("damaged", encoder[:900], Device{Kind: CPU}, m.device.settings(1, FP32, "")); err == nil {
			t.Error("a damaged graph was opened")
		}
		e.Close()
		m.Close()
	}
	m := open(t, "endless")
	a, b := encode(t, m, pattern(16, 16, 1)), encode(t, m, pattern(16, 16, 2))
	for range 20 {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		if _, err := m.Estimate(ctx, a, b); err == nil {
			t.Error("an endless run ended")
		}
		cancel()
	}
	runtime.GC()
}
