package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/libav/libavtest"
	"github.com/wwflow/wwflow/internal/testutil"
	"github.com/wwflow/wwflow/visualize"
)

// TestRun compares every image of a lossless output with the exact flow, painted with the one scale of the plan. The
// images have the times of their frames, at a variable frame rate, and the input's pixel aspect ratio.
func TestRun(t *testing.T) {
	for _, c := range []struct {
		step     int
		backward bool
		maxFlow  float64
	}{{1, false, 9000}, {3, false, 9000}, {3, true, 9000}, {1, false, 0}} {
		t.Run(fmt.Sprintf("step %d, backward %v, scale %v", c.step, c.backward, c.maxFlow), func(t *testing.T) {
			var plans []Plan
			in, o, result, err := runVideo(t, t.Context(), func(o *Options) {
				o.Step, o.Backward, o.Paint.MaxFlow = c.step, c.backward, c.maxFlow
				o.Events.Started = func(p Plan) { plans = append(plans, p) }
				o.Exports = []Export{{Format: flowfile.Flo, Dir: filepath.Join(filepath.Dir(o.Output), "flo")}}
			})
			if err != nil {
				t.Fatal(err)
			}
			n := len(in) - c.step
			if result.Frames != n || result.Read != len(in) || result.Damaged != 0 {
				t.Errorf("the result is %+v, want %d images from %d frames", result, n, len(in))
			}
			if len(plans) != 1 || c.maxFlow > 0 && plans[0].MaxFlow != c.maxFlow {
				t.Fatalf("the plans are %+v, want one with scale %v", plans, c.maxFlow)
			}
			images, info := readVideo(t, o.Output)
			if len(images) != n {
				t.Fatalf("%d images of %d frames", len(images), len(in))
			}
			if want := (frame.Rational{Num: 4, Den: 3}); info.SampleAspect != want {
				t.Errorf("pixel aspect ratio %s, want %s", info.SampleAspect, want)
			}
			for i, image := range images {
				from, to := in[i], in[i+c.step]
				if c.backward {
					from, to = to, from
				}
				want := expected(from, to)
				if image.Time() != from.Time() {
					t.Errorf("image %d is at %v, its frame at %v", i, image.Time(), from.Time())
				}
				painter, err := visualize.New(visualize.Options{MaxFlow: plans[0].MaxFlow}) // a new one, so that it has no history
				if err != nil {
					t.Fatal(err)
				}
				if painted, err := painter.Paint(want); err != nil || !bytes.Equal(painted.Pix, image.Pix) {
					t.Errorf("image %d does not show the flow from frame %d to frame %d at scale %v (%v)", i, from.Index, to.Index, plans[0].MaxFlow, err)
				}
				got, err := flowfile.Read(filepath.Join(o.Exports[0].Dir, fmt.Sprintf("%06d.flo", from.Index)))
				if err != nil || !slices.Equal(got.Vectors, want.Vectors) {
					t.Errorf("the flow file of frame %d has other vectors (%v)", from.Index, err)
				}
			}
			if got := testutil.List(t, o.Exports[0].Dir); len(got) != n {
				t.Errorf("the flow files are %v, want %d", got, n)
			}
		})
	}
}

// TestRunKeepsConstantRate compares the times of the output with those of the sample clip.
func TestRunKeepsConstantRate(t *testing.T) {
	output := filepath.Join(t.TempDir(), "out.mp4")
	o := lossless()
	o.Codec = "h264"
	result, err := Run(t.Context(), Options{Input: clip, Output: output, Encode: o, Network: fakeNetwork(1), Decode: decode.Options{Scale: 0.1}})
	if err != nil || result.Frames != 29 || result.Read != 30 {
		t.Fatalf("%+v, %v", result, err)
	}
	in, _ := readVideo(t, clip)
	images, _ := readVideo(t, output)
	if len(images) != 29 {
		t.Fatalf("%d images", len(images))
	}
	for i, image := range images {
		if image.Time() != in[i].Time() {
			t.Errorf("image %d is at %v, its frame at %v", i, image.Time(), in[i].Time())
		}
	}
}

// TestRunCopiesAudioAndSubtitles compares the packets of the other streams.
func TestRunCopiesAudioAndSubtitles(t *testing.T) {
	folder := t.TempDir()
	text, in, out := filepath.Join(folder, "a.srt"), filepath.Join(folder, "in.mkv"), filepath.Join(folder, "out.mkv")
	if err := os.WriteFile(text, []byte("1\n00:00:00,100 --> 00:00:00,700\nHello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=1", "-f", "lavfi", "-i", "sine=duration=1", "-i", text,
		"-c:v", "ffv1", "-c:a", "aac", "-c:s", "srt", in)
	if _, err := Run(t.Context(), Options{Input: in, Output: out, Encode: lossless(), Network: fakeNetwork(1)}); err != nil {
		t.Fatal(err)
	}
	for _, stream := range []string{"0:a:0", "0:s:0"} {
		packets := func(path string) string {
			return string(libavtest.FFmpeg(t, "-i", path, "-map", stream, "-c", "copy", "-f", "framemd5", "-"))
		}
		if got, want := packets(out), packets(in); got != want {
			t.Errorf("stream %s is\n%s\nwant\n%s", stream, got, want)
		}
	}
}

// TestRunIsDeterministic repeats a run, and shares it among several devices: the videos and the flow files are the same,
// byte for byte.
// No pair is estimated twice, and only the frames at the borders of segments may be encoded twice.
func TestRunIsDeterministic(t *testing.T) {
	var first []string
	for _, devices := range []int{1, 1, 2, 3} {
		networks := openFake(t, devices)
		in, o, _, err := runVideo(t, t.Context(), func(o *Options) {
			o.Networks = networks
			o.Exports = []Export{{Format: flowfile.Flo, Dir: filepath.Join(filepath.Dir(o.Output), "flo")}}
		})
		if err != nil {
			t.Fatal(err)
		}
		output := []string{contents(t, o.Output)}
		for _, name := range testutil.List(t, o.Exports[0].Dir) {
			output = append(output, contents(t, filepath.Join(o.Exports[0].Dir, name)))
		}
		if first == nil {
			first = output
		}
		if !slices.Equal(output, first) {
			t.Errorf("the files of %d devices differ from those of the first run", devices)
		}
		encoded, decoded := 0, 0
		for _, n := range networks {
			encoded, decoded = encoded+n.estimator.Stats().Encoded, decoded+n.estimator.Stats().Decoded
		}
		pairs := len(in) - 1
		if decoded != pairs {
			t.Errorf("%d devices estimated %d pairs, want %d", devices, decoded, pairs)
		}
		twice := (pairs - 1) / 8 // borders between segments
		if devices == 1 {
			twice = 0
		}
		if encoded < len(in) || encoded > len(in)+twice {
			t.Errorf("%d devices encoded %d frames, want %d and at most %d twice", devices, encoded, len(in), twice)
		}
	}
}

// TestRunEncodesEachFrameOnce counts the frames that go through the encoder, at several steps and in both directions.
// Networks that are passed in stay open, and keep no features of a video that has ended.
func TestRunEncodesEachFrameOnce(t *testing.T) {
	networks := openFake(t, 1)
	var before flow.Stats
	for _, step := range []int{1, 3} {
		for _, backward := range []bool{false, true} {
			in, _, _, err := runVideo(t, t.Context(), func(o *Options) { o.Networks, o.Step, o.Backward = networks, step, backward })
			if err != nil {
				t.Fatal(err)
			}
			stats := networks[0].estimator.Stats()
			if n := stats.Encoded - before.Encoded; n != len(in) {
				t.Errorf("step %d, backward %v: %d of %d frames were encoded", step, backward, n, len(in))
			}
			if n := stats.Decoded - before.Decoded; n != len(in)-step {
				t.Errorf("step %d, backward %v: %d pairs were decoded, want %d", step, backward, n, len(in)-step)
			}
			if n := networks[0].estimator.Kept(); n != 0 {
				t.Errorf("step %d, backward %v: features of %d frames are held after the run", step, backward, n)
			}
			before = stats
		}
	}
	if _, err := networks[0].model.Flow(t.Context(), texture(8, 8, 0), texture(8, 8, 1)); err != nil {
		t.Errorf("a network that was passed in: %v", err)
	}
}

// TestRunClosesItsNetworks checks that a run closes the networks that it opened.
func TestRunClosesItsNetworks(t *testing.T) {
	r, err := open(t.Context(), Options{Input: clip, Network: fakeNetwork(2), Decode: decode.Options{Scale: 0.1}}, func(Options) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	for _, n := range r.networks {
		if _, err := n.model.Flow(t.Context(), texture(8, 8, 0), texture(8, 8, 1)); !errors.Is(err, flow.ErrClosed) {
			t.Errorf("a network of a run that has ended: %v", err)
		}
	}
}

// TestRunIsAtomic cancels a run in the middle. The output has its name only after the last image, and nothing is left of
// an output that was not finished.
func TestRunIsAtomic(t *testing.T) {
	for _, name := range []string{"out.mkv", "images/"} {
		for _, stopAt := range []int{0, 4} { // 0: run to the end
			ctx, cancel := context.WithCancel(t.Context())
			_, o, result, err := runVideo(t, ctx, func(o *Options) {
				o.Output = filepath.Join(filepath.Dir(o.Output), name)
				if name == "images/" {
					o.Output += "/"
					o.Encode.Codec = ""
				}
				o.Events.Written = func(done, total int) {
					if _, err := os.Stat(o.Output); err == nil {
						t.Errorf("%s exists after %d of %d images", name, done, total)
					}
					if done == stopAt {
						cancel()
					}
				}
			})
			cancel()
			want := []string{"in.mkv"}
			if stopAt == 0 {
				want = append([]string{filepath.Base(name)}, want...)
				slices.Sort(want)
			}
			if got := testutil.List(t, filepath.Dir(o.Input)); !slices.Equal(got, want) {
				t.Errorf("%s, cancelled after %d images: the folder has %v, want %v", name, stopAt, got, want)
			}
			if canceled := errors.Is(err, context.Canceled); canceled != (stopAt > 0) || (err == nil) != (result.Frames > 0) {
				t.Errorf("%s, cancelled after %d images: %+v, %v", name, stopAt, result, err)
			}
		}
	}
}

// TestRunRefusesOutputs checks that an output is refused before any work: the network does not even exist.
func TestRunRefusesOutputs(t *testing.T) {
	folder := t.TempDir()
	name := func(s string) string { return filepath.Join(folder, s) }
	writeVideo(t, name("in.mkv"), 16, 16, uneven)
	if err := os.WriteFile(name("old.mkv"), []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.Symlink("in.mkv", name("soft.mkv")), os.Link(name("in.mkv"), name("hard.mkv")), os.Symlink("none", name("dangling.mkv"))); err != nil {
		t.Fatal(err)
	}
	before := contents(t, name("in.mkv"))
	o := Options{Input: name("in.mkv"), Encode: lossless(), Network: flow.Options{ModelDir: name("no network")}}
	for output, want := range map[string]error{"in.mkv": ErrSame, "soft.mkv": ErrSame, "hard.mkv": ErrSame, "old.mkv": encode.ErrExists, "dangling.mkv": encode.ErrExists} {
		for _, force := range []bool{false, true} {
			o.Output, o.Encode.Force = name(output), force
			if force && want != ErrSame {
				want = flow.ErrNetwork // the output is accepted
			}
			if _, err := Run(t.Context(), o); !errors.Is(err, want) {
				t.Errorf("output %s, force %v: %v, want %v", output, force, err, want)
			}
		}
	}
	if contents(t, name("in.mkv")) != before || contents(t, name("old.mkv")) != "old" {
		t.Error("a file that was refused has changed")
	}
	o.Output, o.Encode.Force, o.Network = name("old.mkv"), true, fakeNetwork(1)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if images, _ := readVideo(t, name("old.mkv")); len(images) != len(uneven)-1 {
		t.Errorf("the replaced output has %d images", len(images))
	}
}

// TestRunCountsDamagedFrames overwrites one frame of sixteen.
func TestRunCountsDamagedFrames(t *testing.T) {
	in := filepath.Join(t.TempDir(), "in.mkv")
	libavtest.FFmpeg(t, "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10", "-frames:v", "16", "-c:v", "mjpeg", in)
	packet := libavtest.Probe(t, in, "packet", "v:0", "-show_entries", "packet=pos,size")[8]
	pos, _ := packet.Int("pos")
	size, _ := packet.Int("size")
	data := []byte(contents(t, in))
	for i := int64(16); i < size; i++ { // behind the header of the block
		data[pos+i] = byte(i * 167)
	}
	if err := os.WriteFile(in, data, 0o666); err != nil {
		t.Fatal(err)
	}
	result, err := Run(t.Context(), Options{Input: in, Output: in + ".mkv", Encode: lossless(), Network: fakeNetwork(1)})
	if err != nil || result.Damaged != 1 || result.Read != 15 {
		t.Errorf("%+v, %v; want 15 frames and 1 damaged one", result, err)
	}
}

// TestRunKeepsFlowBeforeSizeChange checks that a change of resolution ends the output instead of losing it.
func TestRunKeepsFlowBeforeSizeChange(t *testing.T) {
	folder := t.TempDir()
	writeImages(t, folder, texture(32, 24, 0), texture(32, 24, 1), texture(32, 24, 2), texture(24, 32, 3))
	output := filepath.Join(t.TempDir(), "out.mkv")
	result, err := Run(t.Context(), Options{Input: folder, Output: output, Encode: lossless(), Network: fakeNetwork(1)})
	var size *decode.SizeError
	if !errors.As(err, &size) || !errors.Is(err, ErrInput) || result.Frames != 2 {
		t.Errorf("%+v, %v", result, err)
	}
	if images, _ := readVideo(t, output); len(images) != 2 {
		t.Errorf("%d images before the change", len(images))
	}
}

// TestRunMarksCuts checks that the flow across a cut, and no other flow, is black.
func TestRunMarksCuts(t *testing.T) {
	folder := t.TempDir()
	dark, bright := frame.New(64, 48), frame.New(64, 48)
	for i := range bright.Pix {
		bright.Pix[i] = byte(128 + i/3%64*2)
		dark.Pix[i] = byte(60 - i/3%64/2)
	}
	writeImages(t, folder, dark, dark, dark, bright, bright)
	output := filepath.Join(t.TempDir(), "out.mkv")
	result, err := Run(t.Context(), Options{Input: folder, Output: output, Encode: lossless(), Network: fakeNetwork(1), Cuts: true})
	if err != nil || result.Cuts != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	images, _ := readVideo(t, output)
	for i, image := range images {
		if black := slices.Max(image.Pix) == 0; black != (i == 2) {
			t.Errorf("image %d is black: %v", i, black)
		}
	}
}

func writeImages(t *testing.T, folder string, images ...*frame.Frame) {
	t.Helper()
	for i, image := range images {
		var b bytes.Buffer
		if err := png.Encode(&b, image.Image()); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%d.png", i)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEstimated uses the networks of a run for another one before the first has written its last image.
func TestEstimated(t *testing.T) {
	folder := t.TempDir()
	writeVideo(t, filepath.Join(folder, "in.mkv"), 64, 48, uneven)
	networks, err := OpenNetworks(fakeNetwork(2))
	if err != nil {
		t.Fatal(err)
	}
	defer networks.Close()
	o := Options{Input: filepath.Join(folder, "in.mkv"), Output: filepath.Join(folder, "b.mkv"), Encode: lossless(), Networks: networks}
	o.Paint.MaxFlow = 9000
	second := make(chan error)
	first := o
	first.Output = filepath.Join(folder, "a.mkv")
	first.Events.Estimated = func() {
		go func() {
			_, err := Run(t.Context(), o)
			second <- err
		}()
	}
	first.Events.Written = func(done, total int) {
		if done < total {
			return
		}
		select {
		case err := <-second:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(20 * time.Second):
			t.Error("the last image is written, and the networks are not free")
		}
	}
	if _, err := Run(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if contents(t, first.Output) != contents(t, o.Output) {
		t.Error("the outputs differ")
	}
}
