package encode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/wwflow/wwflow/internal/libav"
)

// Stretch says how StretchAudio changes the audio of a file.
type Stretch struct {
	Speed       float64       // 0.5 = twice as long; the pitch stays
	From, Until time.Duration // part of the file, in its time stamps; Until 0 = to the end
	WebM        bool          // encode as Opus, the audio codec of WebM, instead of AAC
}

// IsWebM reports whether the output at path is a WebM file, which holds Opus audio only.
func (o *Options) IsWebM(path string) bool {
	_, muxer, err := chooseContainer(path, o)
	return err == nil && muxer == "webm"
}

// StretchAudio writes the audio streams of a file, played at another speed, to an MP4 file. From becomes time 0: audio that begins
// later is preceded by silence, and gaps are filled with it, so that it fits pictures that are stretched in the same way. It reports
// whether the file has audio.
func StretchAudio(ctx context.Context, input, output string, s Stretch) (found bool, err error) {
	in, err := libav.Open(ctx, input)
	if err != nil {
		return false, fmt.Errorf("cannot read the audio of %s: %w", input, err)
	}
	defer in.Close()
	w := &stretcher{Stretch: s, input: input}
	defer w.close()
	if w.mux, err = astiav.AllocOutputFormatContext(nil, "mp4", ""); err != nil {
		return false, err
	}
	for _, stream := range in.Streams() {
		if stream.CodecParameters().MediaType() == astiav.MediaTypeAudio {
			if err := w.add(stream); err != nil {
				return false, fmt.Errorf("the audio of %s cannot be stretched: %w", input, err)
			}
		}
	}
	if w.mux.NbStreams() == 0 {
		return false, nil
	}
	if err := w.write(ctx, output); err != nil {
		return false, fmt.Errorf("the audio of %s cannot be stretched: %w", input, err)
	}
	return true, nil
}

// stretcher encodes the streams of a file.
type stretcher struct {
	Stretch
	input  string
	mux    *astiav.FormatContext
	voices []*voice
}

// voice is one stream.
type voice struct {
	graph   *libav.Graph
	frame   *astiav.Frame // what the graph returned last
	packet  *astiav.Packet
	encoder *astiav.CodecContext
	out     *astiav.Stream
	at      float64 // time of frame in seconds; infinite = the stream has ended
}

// add opens the filters and the encoder of a stream. A stream without audio in the part is left out.
func (w *stretcher) add(in *astiav.Stream) (err error) {
	v := &voice{frame: astiav.AllocFrame(), packet: astiav.AllocPacket()}
	w.voices = append(w.voices, v)
	if v.graph, err = libav.NewAudioGraph(w.filters(in.Index())); err != nil {
		return err
	}
	if err := v.next(); err != nil || math.IsInf(v.at, 1) {
		return err
	}
	codec := "aac"
	if w.WebM {
		codec = "libopus"
	}
	encoder := astiav.FindEncoderByName(codec)
	if encoder == nil {
		return fmt.Errorf("this build of FFmpeg has no encoder %s", codec)
	}
	v.encoder = astiav.AllocCodecContext(encoder)
	v.encoder.SetSampleFormat(v.frame.SampleFormat())
	v.encoder.SetSampleRate(v.frame.SampleRate())
	v.encoder.SetChannelLayout(v.frame.ChannelLayout())
	v.encoder.SetTimeBase(astiav.NewRational(1, v.frame.SampleRate()))
	v.encoder.SetFlags(v.encoder.Flags().Add(astiav.CodecContextFlagGlobalHeader))
	if err := v.encoder.Open(encoder, nil); err != nil {
		return err
	}
	if v.out = w.mux.NewStream(nil); v.out == nil {
		return errors.New("out of memory")
	}
	v.out.SetTimeBase(v.encoder.TimeBase())
	return errors.Join(v.out.CodecParameters().FromCodecContext(v.encoder), libav.CopyLabels(v.out, in))
}

// filters describes how a stream is read, cut and stretched.
func (w *stretcher) filters(index int) string {
	from := w.From.Seconds()
	list := []string{fmt.Sprintf("amovie=filename=%s:si=%d", libav.FilterPath(w.input), index)}
	cut := fmt.Sprintf("atrim=start=%f", from)
	if w.Until > 0 {
		cut += fmt.Sprintf(":end=%f", w.Until.Seconds())
	}
	list = append(list, cut, fmt.Sprintf("asetpts=PTS-(%f)/TB", from), "aresample=async=1:first_pts=0")
	list = append(list, tempo(w.Speed)...)
	if w.WebM {
		list = append(list, "aresample=48000", "aformat=sample_fmts=flt:sample_rates=48000", "asetnsamples=n=960:p=0")
	} else {
		list = append(list, "aformat=sample_fmts=fltp", "asetnsamples=n=1024:p=0")
	}
	return strings.Join(list, ",")
}

// tempo returns filters atempo for a speed. Each of them is good for factors from a half to two.
func tempo(speed float64) (list []string) {
	n := max(1, int(math.Ceil(math.Abs(math.Log2(speed))-1e-9)))
	for range n {
		list = append(list, fmt.Sprintf("atempo=%.9f", math.Pow(speed, 1/float64(n))))
	}
	return list
}

// next fetches the next frame of the graph.
func (v *voice) next() error {
	v.frame.Unref()
	switch err := v.graph.Pull(v.frame); {
	case err == io.EOF:
		v.at = math.Inf(1)
		return nil
	case err != nil:
		return err
	}
	v.at = float64(v.frame.Pts()) / float64(v.frame.SampleRate())
	return nil
}

// write encodes all streams, the one that is behind first.
func (w *stretcher) write(ctx context.Context, output string) (err error) {
	file, err := os.Create(output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	out, err := astiav.AllocIOContext(1<<16, true, nil, file.Seek, file.Write)
	if err != nil {
		return err
	}
	defer out.Free()
	w.mux.SetPb(out)
	if err := w.mux.WriteHeader(nil); err != nil {
		return err
	}
	for {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		var first *voice
		for _, v := range w.voices {
			if !math.IsInf(v.at, 1) && (first == nil || v.at < first.at) {
				first = v
			}
		}
		if first == nil {
			return w.mux.WriteTrailer()
		}
		if err := first.encode(w.mux, first.frame); err != nil {
			return err
		}
		if err := first.next(); err != nil {
			return err
		}
		if math.IsInf(first.at, 1) {
			if err := first.encode(w.mux, nil); err != nil {
				return err
			}
		}
	}
}

// encode encodes a frame, nil = the end.
func (v *voice) encode(mux *astiav.FormatContext, f *astiav.Frame) error {
	if err := v.encoder.SendFrame(f); err != nil {
		return err
	}
	for {
		switch err := v.encoder.ReceivePacket(v.packet); {
		case errors.Is(err, astiav.ErrEagain), errors.Is(err, astiav.ErrEof):
			return nil
		case err != nil:
			return err
		}
		v.packet.RescaleTs(v.encoder.TimeBase(), v.out.TimeBase())
		v.packet.SetStreamIndex(v.out.Index())
		if err := mux.WriteInterleavedFrame(v.packet); err != nil {
			return err
		}
	}
}

func (w *stretcher) close() {
	for _, v := range w.voices {
		_ = v.graph.Close()
		v.frame.Free()
		v.packet.Free()
		if v.encoder != nil {
			v.encoder.Free()
		}
	}
	if w.mux != nil {
		w.mux.Free()
	}
}
