// Package libavtest has helpers for tests that compare with the ffmpeg and ffprobe commands. It also finds real clips.
//
// To check decode and encode for leaks, C memory included:
//
//	go test -asan ./decode ./encode
package libavtest

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav"
	"github.com/wwflow/wwflow/internal/testutil"
)

// Clip returns the path of a real clip of the test material.
func Clip(t testing.TB, name string) string {
	t.Helper()
	return testutil.Require(t, "videos", name)
}

// FFmpeg runs the ffmpeg command and returns its standard output. The test fails if the command fails.
func FFmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	return command(t, "ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...))
}

// Rotate writes a copy of a video that states a rotation, counterclockwise in degrees. FFmpeg 6 replaced the option.
func Rotate(t testing.TB, in string, degrees int, out string) {
	t.Helper()
	if libav.Line == "5.1" {
		FFmpeg(t, "-i", in, "-c", "copy", "-metadata:s:v:0", "rotate="+strconv.Itoa(degrees), out)
		return
	}
	FFmpeg(t, "-display_rotation", strconv.Itoa(degrees), "-i", in, "-c", "copy", out)
}

func command(t testing.TB, name string, args []string) []byte {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		testutil.Skip(t, "the command %s is missing", name)
	}
	var out, errs bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes()
}

// Entry is a frame, packet or stream in ffprobe's output.
type Entry map[string]any

// Probe runs ffprobe. kind is "frame", "packet" or "stream"; which selects streams, such as "v:0" or "a". The test
// fails if ffprobe shows no such list; the list may be empty.
func Probe(t testing.TB, path, kind, which string, args ...string) []Entry {
	t.Helper()
	all := append([]string{"-v", "error", "-of", "json", "-select_streams", which, "-show_" + kind + "s"}, args...)
	var out map[string]json.RawMessage
	if err := json.Unmarshal(command(t, "ffprobe", append(all, path)), &out); err != nil {
		t.Fatal(err)
	}
	var list []Entry
	if err := json.Unmarshal(out[kind+"s"], &list); err != nil {
		t.Fatalf("ffprobe %s: no list of %ss: %v", path, kind, err)
	}
	return list
}

// Int returns an integer that ffprobe prints as a number or as a string. ok is false if it is absent or "N/A".
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

// Text returns a string value, or "" if it is absent.
func (e Entry) Text(key string) string {
	s, _ := e[key].(string)
	return s
}

// Ratio parses "1/90000" or "10:11".
func Ratio(s string) frame.Rational {
	a, b, _ := strings.Cut(strings.ReplaceAll(s, ":", "/"), "/")
	n, _ := strconv.Atoi(a)
	d, _ := strconv.Atoi(b)
	return frame.Rational{Num: n, Den: d}
}

// Difference returns the mean and the largest absolute difference of two pictures, and the share of bytes that
// differ by more than 16.
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
