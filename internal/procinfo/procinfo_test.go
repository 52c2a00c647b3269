package procinfo

import (
	"math"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMemory uses 64 MiB and frees them: the peak stays, the resident memory falls.
func TestMemory(t *testing.T) {
	const size = 64 << 20
	read := func(f func() (int64, error)) int64 {
		t.Helper()
		n, err := f()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := read(ResidentMemory)
	available := read(AvailableMemory)
	block, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < size; i += 4096 {
		block[i] = 1
	}
	during := read(ResidentMemory)
	if during-before < size*9/10 {
		t.Errorf("the resident memory grew by %d bytes, want about %d", during-before, size)
	}
	if err := syscall.Munmap(block); err != nil {
		t.Fatal(err)
	}
	if after := read(ResidentMemory); after > during-size/2 {
		t.Errorf("the resident memory fell from %d to %d bytes, want %d less", during, after, size)
	}
	// The kernel updates these counters in batches, so they may differ by some pages.
	if peak := read(PeakMemory); peak < during-(4<<20) {
		t.Errorf("the peak is %d bytes, and %d were resident", peak, during)
	}
	if available < size/2 || available > 1<<50 {
		t.Errorf("%d bytes are available", available)
	}
}

func TestCgroupAvailable(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if n := cgroupAvailable(folder); n != math.MaxInt64 {
		t.Errorf("without cgroup files %d bytes are available", n)
	}
	write("memory.max", "max\n")
	write("memory.current", "700\n")
	write("memory.stat", "anon 300\ninactive_file 150\nactive_file 7\n")
	if n := cgroupAvailable(folder); n != math.MaxInt64 {
		t.Errorf("without a limit %d bytes are available", n)
	}
	write("memory.max", "1000\n")
	if n := cgroupAvailable(folder); n != 450 {
		t.Errorf("%d bytes are available, want 1000-700+150", n)
	}
	write("memory.current", "1200\n")
	if n := cgroupAvailable(folder); n != 0 {
		t.Errorf("%d bytes are available above the limit", n)
	}
}

func TestFindErrors(t *testing.T) {
	if _, err := readSize("/proc/self/status", "VmNone"); err == nil {
		t.Error("a line that does not exist was found")
	}
	if _, err := readSize(filepath.Join(t.TempDir(), "none"), "VmHWM"); err == nil {
		t.Error("a file that does not exist was read")
	}
}
