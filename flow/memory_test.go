package flow

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMemory(t *testing.T) {
	m := open(t, "fake")
	if got := m.Memory(100, 20, 0); got != 1000+10*2000+2000*2000/2 {
		t.Errorf("Memory(100, 20, 0) = %d", got)
	}
	if got := m.Memory(100, 20, 3) - m.Memory(100, 20, 0); got != 3*7*2000 {
		t.Errorf("three frames kept take %d bytes more", got)
	}
	if got := open(t, "endless").Memory(100, 20, 0); got != 0 {
		t.Errorf("a network without coefficients predicts %d bytes", got)
	}
}

func TestMemoryAdvice(t *testing.T) {
	memory := func(width, height int) int64 { return Memory{Base: 1 << 30, PerPixel: 1000}.Bytes(width, height, 0) }
	if err := fits(1920, 1080, 0, 4<<30, memory); err != nil {
		t.Errorf("3.2 GB into 4 GiB: %v", err)
	}
	var e *MemoryError
	if err := fits(1920, 1080, 0, 2<<30, memory); !errors.As(err, &e) {
		t.Fatalf("3.2 GB into 2 GiB: %v", err)
	}
	// sqrt(2^30 / (1000 * 1920 * 1080)) = 0.7196
	if e.Scale != 0.71 {
		t.Errorf("the advice is --scale %v, want 0.71", e.Scale)
	}
	if err := fits(1920, 1080, 0, 1<<29, memory); !errors.As(err, &e) || e.Scale != 0 {
		t.Errorf("no scale fits, and the error is %v", err)
	}
}

func TestAvailableMemory(t *testing.T) {
	if n, err := AvailableMemory(); err != nil || n <= 0 {
		t.Errorf("AvailableMemory() = %d, %v", n, err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("memory.max", "max\n")
	write("memory.current", "700\n")
	write("memory.stat", "anon 300\ninactive_file 150\nactive_file 7\n")
	if _, ok := cgroupFree(dir); ok {
		t.Error("no limit was read as one")
	}
	write("memory.max", "1000\n")
	if free, ok := cgroupFree(dir); !ok || free != 450 {
		t.Errorf("a limit of 1000 leaves %d, %v; want 450", free, ok)
	}
}
