package encode_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/testutil"
)

// TestErrors checks errors of Create, and that Check returns those that do not depend on the frames.
func TestErrors(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, path string
		change     func(o *encode.Options)
		want       error
	}{
		{"no extension", "a", nil, nil},
		{"unknown extension", "a.xyz", nil, encode.ErrUnknown},
		{"unsupported extension", "a.avi", nil, encode.ErrUnknown},
		{"unknown container", "a.mp4", func(o *encode.Options) { o.Container = "xyz" }, encode.ErrUnknown},
		{"empty path", "", nil, nil},
		{"images with a quality", "a%03d.png", func(o *encode.Options) { o.CRF = new(3) }, encode.ErrUnknown},
		{"one image", "a.png", nil, nil},
		{"a device", "/dev/null", func(o *encode.Options) { o.Force = true }, nil},
		{"no such folder", "none/a.mp4", nil, fs.ErrNotExist},
		{"unknown codec", "a.mp4", func(o *encode.Options) { o.Codec = "h263" }, encode.ErrUnknown},
		{"bad pair", "a.mp4", func(o *encode.Options) { o.Codec = "prores" }, encode.ErrCodecContainer},
		{"bad pair", "a.webm", func(o *encode.Options) { o.Codec = "h264" }, encode.ErrCodecContainer},
		{"unknown option", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"presett": "fast"} }, encode.ErrOption},
		{"bad option", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"preset": "quick"} }, encode.ErrOption},
		{"bad value", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"aq-mode": "eleven"} }, encode.ErrOption},
		{"unknown option inside", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"x264-params": "reff=1"} }, nil},
		{"unknown option inside", "a.mp4", func(o *encode.Options) {
			o.Codec, o.EncoderOptions = "av1", map[string]string{"svtav1-params": "foo=1"}
		}, nil},
		{"crf without one", "a.mov", func(o *encode.Options) { o.Codec, o.CRF = "prores", new(5) }, encode.ErrOption},
		{"CRF of h264", "a.mp4", func(o *encode.Options) { o.CRF = new(52) }, encode.ErrOption},
		{"CRF of h265", "a.mp4", func(o *encode.Options) { o.Codec, o.CRF = "h265", new(999) }, encode.ErrOption},
		{"CRF of vp9", "a.webm", func(o *encode.Options) { o.CRF = new(64) }, encode.ErrOption},
		{"CRF of av1", "a.mkv", func(o *encode.Options) { o.Codec, o.CRF = "av1", new(64) }, encode.ErrOption},
		{"CRF as an option", "a.mp4", func(o *encode.Options) { o.EncoderOptions = map[string]string{"crf": "51.5"} }, encode.ErrOption},
		{"size", "a.mp4", func(o *encode.Options) { o.Width = 0 }, nil},
		{"huge", "a.mp4", func(o *encode.Options) { o.Width = 1 << 20 }, nil},
		{"time base", "a.mp4", func(o *encode.Options) { o.TimeBase.Den = 0 }, nil},
		{"no audio file", "a.mp4", func(o *encode.Options) { o.CopyFrom = filepath.Join(dir, "none.mp4") }, nil},
	} {
		o := options(96, 64)
		if c.change != nil {
			c.change(&o)
		}
		path := c.path
		if path != "" && !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		w, err := encode.Create(background, path, o)
		if err == nil || w != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
			continue
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than one line: %q", c.name, err)
		}
		t.Log(err)
		// What does not depend on the frames.
		if early := encode.Check(path, o); c.want != nil && !errors.Is(c.want, fs.ErrNotExist) && !errors.Is(early, c.want) {
			t.Errorf("%s: Check returns %v, want %v", c.name, early, c.want)
		}
	}
	o := encode.Options{EncoderOptions: map[string]string{"x264-params": "reff=1"}}
	if err := encode.Check(filepath.Join(dir, "a.mp4"), o); !errors.Is(err, encode.ErrOption) {
		t.Errorf("unknown option inside x264-params: Check returns %v", err)
	}
	if err := encode.Check(filepath.Join(dir, "fine.mp4"), encode.Options{}); err != nil {
		t.Errorf("Check of a valid output: %v", err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestFullDisk checks that a full disk gives a clear error and leaves nothing behind.
func TestFullDisk(t *testing.T) {
	if os.Getuid() != 0 {
		testutil.Skip(t, "mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		testutil.Skip(t, "cannot mount a small file system: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	for _, name := range []string{"a.mp4", "a.mkv", "pictures/"} {
		o := options(640, 480)
		if !strings.HasSuffix(name, "/") {
			o.CRF = new(0)
		}
		path := dir + "/" + name
		w, err := encode.Create(background, path, o)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(times) && err == nil; i++ {
			f := moving(640, 480, i)
			for j := range f.Pix {
				f.Pix[j] ^= byte(j * j >> 4) // noise cannot be compressed
			}
			err = w.Write(f)
		}
		if err == nil {
			err = w.Commit()
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "disk is full") {
			t.Errorf("%s: %v", name, err)
		}
		w.Close()
		if left := names(t, dir); len(left) != 0 {
			t.Errorf("%s: left behind: %v", name, left)
		}
	}
}

// TestReadOnly checks that Check and Create report a read-only file system and what to do.
func TestReadOnly(t *testing.T) {
	if os.Getuid() != 0 {
		testutil.Skip(t, "mounting a small file system needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_RDONLY, "size=64k"); err != nil {
		testutil.Skip(t, "cannot mount a small file system: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	for _, name := range []string{"a.mp4", "pictures/"} {
		o := options(96, 64)
		_, create := encode.Create(background, dir+"/"+name, o)
		for _, err := range []error{create, encode.Check(dir+"/"+name, o)} {
			if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "the file system is read-only") {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
