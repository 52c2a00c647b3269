package flow

import (
	"errors"
	"testing"
)

func TestMemory(t *testing.T) {
	m := open(t, "fake")
	if got := m.Memory(100, 20, 0); got != 1000+10*2000+2000*2000/2+bytesPerThread {
		t.Errorf("Memory(100, 20, 0) = %d", got)
	}
	if got := m.Memory(100, 20, 3) - m.Memory(100, 20, 0); got != 3*7*2000 {
		t.Errorf("three frames more take %d bytes", got)
	}
	m.detail = 0.5
	if got := m.Memory(100, 20, 1); got != 1000+17*500+500*500/2+bytesPerThread {
		t.Errorf("at half the size, Memory(100, 20, 1) = %d", got)
	}
	if got := open(t, "endless").Memory(100, 20, 0); got != 0 {
		t.Errorf("a network without figures predicts %d bytes", got)
	}
}

func TestMemoryAdvice(t *testing.T) {
	memory := func(width, height int) int64 { return Memory{Base: 1 << 30, PerPixel: 1000}.Bytes(width, height, 0) }
	if err := checkFit(1920, 1080, 0, 4<<30, memory); err != nil {
		t.Errorf("3.2 GB into 4 GiB: %v", err)
	}
	var e *MemoryError
	if err := checkFit(1920, 1080, 0, 2<<30, memory); !errors.As(err, &e) {
		t.Fatalf("3.2 GB into 2 GiB: %v", err)
	}
	// sqrt(2^30 / (1000 * 1920 * 1080)) = 0.7196
	if e.Scale != 0.71 {
		t.Errorf("the error suggests --scale %v, want 0.71", e.Scale)
	}
	if err := checkFit(1920, 1080, 0, 1<<29, memory); !errors.As(err, &e) || e.Scale != 0 {
		t.Errorf("no scale fits: %v", err)
	}
}
