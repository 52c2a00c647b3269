package flowfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/frame"
)

// header returns the start of a file that claims a size, up to its first pixel or block.
func header(t *testing.T, format Format, width, height int) []byte {
	t.Helper()
	switch format {
	case Flo:
		b := []byte("PIEH")
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, uint32(width)), uint32(height))
	case PFM:
		return fmt.Appendf(nil, "PF\n%d %d\n-1\n", width, height)
	case NPY:
		text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d, 2), }\n", height, width)
		return append([]byte{0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, byte(len(text)), 0}, text...)
	case EXR:
		return plainImage(&field.Field{Width: width, Height: height}).header()
	case KITTI:
		var b bytes.Buffer
		if err := Encode(&b, field.New(1, 1), KITTI); err != nil {
			t.Fatal(err)
		}
		png := b.Bytes()[:33] // the signature and the header chunk
		binary.BigEndian.PutUint32(png[16:], uint32(width))
		binary.BigEndian.PutUint32(png[20:], uint32(height))
		binary.BigEndian.PutUint32(png[29:], crc32.ChecksumIEEE(png[12:29]))
		return png
	}
	t.Fatalf("no header for %s", format)
	return nil
}

// TestClaimedSize decodes headers without pixels. A size above the limit must be refused before memory is allocated.
// DCI 8K is below the limit; such a file is truncated, and most formats allocate only what arrives.
func TestClaimedSize(t *testing.T) {
	streams := slices.DeleteFunc(Formats(), func(f Format) bool { return f == Flo5 })
	for _, format := range streams {
		for _, c := range []struct {
			width, height int
			want          error
			frugal        bool
		}{
			{frame.MaxPixels/1024 + 1, 1024, ErrTooLarge, true},
			{2, frame.MaxPixels, ErrTooLarge, true},
			{8192, 4320, ErrFormat, format != KITTI}, // the PNG decoder allocates what the header claims
		} {
			b := header(t, format, c.width, c.height)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Decode(bytes.NewReader(b), format)
			runtime.ReadMemStats(&after)
			if !errors.Is(err, c.want) {
				t.Errorf("%s of %dx%d gave %v, want %v", format, c.width, c.height, err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; c.frugal && used > 1<<20 {
				t.Errorf("%s of %dx%d allocated %d bytes", format, c.width, c.height, used)
			}
		}
	}
}

// TestFullDisk writes every format in a process whose files may not exceed 4 KB, which fails like a full disk does.
func TestFullDisk(t *testing.T) {
	const variable = "FLOWFILE_TEST_FOLDER"
	if folder := os.Getenv(variable); folder != "" {
		limit := syscall.Rlimit{Cur: 4096, Max: 4096}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			t.Fatal(err)
		}
		for _, format := range Formats() {
			path := filepath.Join(folder, "a"+format.Extension())
			err := Write(path, noise(64, 64))
			if !errors.Is(err, syscall.EFBIG) || err.Error() != "write "+path+": file too large" {
				t.Errorf("%s gave %v", format, err)
			}
		}
		return
	}
	folder := t.TempDir()
	c := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	c.Env = append(os.Environ(), variable+"="+folder)
	out, err := c.CombinedOutput()
	if err != nil || strings.Contains(string(out), "HDF5") {
		t.Errorf("%v: %s", err, out)
	}
	if left, _ := os.ReadDir(folder); len(left) > 0 {
		t.Errorf("a failed write left %v", left)
	}
}

// noise returns a field that does not compress well.
func noise(width, height int) *field.Field {
	f := field.New(width, height)
	state := uint32(1)
	for i := range f.Vectors {
		state = state*1664525 + 1013904223
		f.Vectors[i] = float32(state>>8)/(1<<15) - 256
	}
	return f
}
