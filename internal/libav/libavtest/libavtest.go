// Package libavtest is what the tests of decode and encode share: where the real clips are, and the ffmpeg
// and ffprobe commands, against which both packages are measured.
//
// The leak check over both, C memory included, is
//
//	go test -asan ./decode ./encode
package libavtest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/frame"
)

// missing skips a test for want of something, and fails it where everything must be there.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal("missing: " + what)
	}
	t.Skip("skipped for want of " + what)
}

// Videos is the folder of real clips, ../shared/data/videos from the repository's root.
func Videos(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "data", "videos")
	if _, err := os.Stat(dir); err != nil {
		missing(t, "../shared/data/videos")
	}
	return dir
}

// Clip is one of the real clips.
func Clip(t testing.TB, name string) string {
	t.Helper()
	return filepath.Join(Videos(t), name)
}

// FFmpeg runs the ffmpeg command and returns what it writes to standard output.
func FFmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	return command(t, "ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...))
}

func command(t testing.TB, name string, args []string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		missing(t, name)
	}
	var out, errs bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes()
}

// Entry is a frame, packet or stream as ffprobe shows it.
type Entry map[string]any

// Probe runs ffprobe: kind is "frame", "packet" or "stream", which the stream ("v:0", "a").
func Probe(t testing.TB, path, kind, which string, args ...string) []Entry {
	t.Helper()
	all := append([]string{"-v", "error", "-of", "json", "-select_streams", which, "-show_" + kind + "s"}, args...)
	var out map[string]json.RawMessage // ffprobe may add other objects
	if err := json.Unmarshal(command(t, "ffprobe", append(all, path)), &out); err != nil {
		t.Fatal(err)
	}
	var list []Entry
	if err := json.Unmarshal(out[kind+"s"], &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// Int is a number that ffprobe writes as a number or in quotes; ok is false where it is absent or "N/A".
func (e Entry) Int(key string) (n int64, ok bool) {
	switch v := e[key].(type) {
	case float64:
		return int64(v), true
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	}
	return 0, false
}

// Text is a value that ffprobe writes as words; "" where it is absent.
func (e Entry) Text(key string) string {
	s, _ := e[key].(string)
	return s
}

// Ratio reads "1/90000" or "10:11".
func Ratio(s string) frame.Rational {
	a, b, _ := strings.Cut(strings.ReplaceAll(s, ":", "/"), "/")
	n, _ := strconv.Atoi(a)
	d, _ := strconv.Atoi(b)
	return frame.Rational{Num: n, Den: d}
}

// Difference is the mean and the largest difference of two byte pictures, and the share of bytes that differ
// by more than 16.
func Difference(a, b []byte) (mean float64, largest int, far float64) {
	var sum, n int
	for i := range a {
		d := int(a[i]) - int(b[i])
		if d < 0 {
			d = -d
		}
		sum += d
		largest = max(largest, d)
		if d > 16 {
			n++
		}
	}
	return float64(sum) / float64(len(a)), largest, float64(n) / float64(len(a))
}
