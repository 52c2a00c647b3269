package encode_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/wwflow/wwflow/encode"
)

// TestStretchAudio slows down a tone that begins late and has a pause. Its pitch stays, and all its times are multiplied. The name has the
// characters that mean something in the description of a filter graph.
func TestStretchAudio(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, `a'b:c,[d];\e.mkv`)
	ffmpeg(t, "-f", "lavfi", "-i", "sine=440:d=3", "-f", "lavfi", "-i", "sine=660:d=3", "-filter_complex",
		"[0]aselect='between(t,0.5,1)+between(t,2,3)'[a]", "-map", "[a]", "-map", "1", "-c:a", "pcm_s16le", in)
	for _, c := range []struct {
		speed       float64
		from, until time.Duration
		webm        bool
		begin       float64 // of the tone, in seconds
		end         float64
	}{
		{0.25, 0, 0, false, 2, 12},
		{2, 0, 0, false, 0.25, 1.5},
		{0.5, 200 * time.Millisecond, 2500 * time.Millisecond, true, 0.6, 4.6},
	} {
		out := filepath.Join(dir, "out.mp4")
		found, err := encode.StretchAudio(t.Context(), in, out, encode.Stretch{Speed: c.speed, From: c.from, Until: c.until, WebM: c.webm})
		if err != nil || !found {
			t.Fatalf("speed %v: found %v, %v", c.speed, found, err)
		}
		begin, end, _ := tone(t, out, 0)
		if math.Abs(begin-c.begin) > 0.12 || math.Abs(end-c.end) > 0.12 { // the filter overlaps pieces of a 24th of a second
			t.Errorf("speed %v: the tone is from %.2f s to %.2f s, want %.2f s to %.2f s", c.speed, begin, end, c.begin, c.end)
		}
		if _, _, pitch := tone(t, out, 1); math.Abs(pitch/660-1) > 0.01 {
			t.Errorf("speed %v: the tone has %.1f Hz, want 660", c.speed, pitch)
		}
	}
}

func TestStretchWithoutAudio(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in.mkv")
	ffmpeg(t, "-f", "lavfi", "-i", "testsrc=s=64x48:d=1", in)
	if found, err := encode.StretchAudio(t.Context(), in, filepath.Join(dir, "out.mp4"), encode.Stretch{Speed: 0.5}); found || err != nil {
		t.Errorf("found %v, %v", found, err)
	}
}

// tone returns where a stream is loud, in seconds, and the frequency of its middle half.
func tone(t *testing.T, path string, stream int) (begin, end, pitch float64) {
	t.Helper()
	const rate = 48000
	data := ffmpeg(t, "-i", path, "-map", "0:"+string(rune('0'+stream)), "-ac", "1", "-ar", "48000", "-f", "f32le", "-")
	samples := make([]float32, len(data)/4)
	if err := binary.Read(bytes.NewReader(data), binary.LittleEndian, samples); err != nil {
		t.Fatal(err)
	}
	first, last, crossings := -1, 0, 0
	for i, v := range samples {
		if v > 0.05 || v < -0.05 {
			if first < 0 {
				first = i
			}
			last = i
		}
		if i > len(samples)/4 && i < len(samples)*3/4 && (v < 0) != (samples[i-1] < 0) {
			crossings++
		}
	}
	return float64(first) / rate, float64(last) / rate, float64(crossings) / float64(len(samples)) * rate
}

func ffmpeg(t *testing.T, arguments ...string) []byte {
	t.Helper()
	command := exec.Command("ffmpeg", append([]string{"-v", "error", "-y"}, arguments...)...)
	var complaint bytes.Buffer
	command.Stderr = &complaint
	out, err := command.Output()
	if err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, complaint.String())
	}
	return out
}
