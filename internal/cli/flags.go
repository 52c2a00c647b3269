package cli

import (
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/consistency"
	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pipeline"
	"github.com/wwflow/wwflow/visualize"
)

// Each flag that several commands have is defined here once, with its range. cli checks the range before the command
// runs.

// integer is an int flag with a range.
func integer(f cli.IntFlag, low, high int) cli.Flag {
	f.Action = func(_ *cli.Context, v int) error {
		if v < low || v > high {
			return usagef("--%s %d is out of range: it is %s", f.Name, v, intRange(low, high))
		}
		return nil
	}
	return &f
}

func intRange(low, high int) string {
	if high == unlimited {
		return fmt.Sprintf("%d or more", low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// unlimited is the upper end of a range without one.
const unlimited = int(^uint(0) >> 1)

// number is a float flag that accepts what valid accepts.
func number(f cli.Float64Flag, valid func(float64) bool, allowed string) cli.Flag {
	f.Action = func(_ *cli.Context, v float64) error {
		if !valid(v) {
			return usagef("--%s %v is out of range: it is %s", f.Name, v, allowed)
		}
		return nil
	}
	return &f
}

// text is a string flag whose value parse accepts.
func text[T any](f cli.StringFlag, parse func(string) (T, error)) cli.Flag {
	f.Action = func(_ *cli.Context, v string) error {
		_, err := parse(v)
		return err
	}
	return &f
}

func outputFlag(usage, defaultText string) cli.Flag {
	return &cli.StringFlag{Name: "o", Aliases: []string{"output"}, Usage: usage, DefaultText: defaultText}
}

func forceFlag() cli.Flag {
	return &cli.BoolFlag{Name: "force", Usage: "replace an existing output"}
}

func quietFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quiet", Usage: "print nothing but errors"}
}

func legendFlag() cli.Flag {
	return &cli.BoolFlag{Name: "legend", Usage: "draw the colour wheel and its scale into a corner"}
}

// textExports names the formats of --export.
const textExports = "flo, flo5, kitti (16-bit PNG), exr, npy, pfm; npz (NumPy) or h5 (HDF5), one file for the video; npy16, exr16, npz16 or h5-16 (the same in float16); jpg (8-bit images of x and y), mask (PNG: occluded and outside pixels) or stmap (EXR that warps a frame onto its neighbour); may be repeated"

func boundFlag() cli.Flag {
	return number(cli.Float64Flag{Name: "bound", Value: 20, Usage: "for --export jpg: flow of -`PIXELS` is black and of +PIXELS white, as in denseflow; unknown flow is as no motion"},
		func(v float64) bool { return v > 0 && v <= 1e6 }, "above 0")
}

func forFlag() cli.Flag {
	return text(cli.StringFlag{Name: "for", Usage: "for --export exr: write the motion to the next and to the previous frame with the channels of this `PROGRAM`: " + joinOr(flowfile.Targets()), DefaultText: "flow files that wwflow reads"}, parseTarget)
}

func parseTarget(s string) (flowfile.Target, error) {
	t, err := flowfile.ParseTarget(s)
	if err != nil {
		return "", usagef("--for: %w", err)
	}
	return t, nil
}

// setTarget applies --for to the exports.
func setTarget(c *cli.Context, exports []pipeline.Export) error {
	target := flowfile.Target(c.String("for"))
	if target == "" {
		return nil
	}
	found := false
	for i := range exports {
		if exports[i].Format == flowfile.EXR {
			exports[i].For, found = target, true
		}
	}
	if !found {
		return withHint(usagef("--for %s is for --export exr", target), "--export exr DIR --for "+string(target))
	}
	return nil
}

func scaleFlag(usage string) cli.Flag {
	return number(cli.Float64Flag{Name: "scale", Value: 1, Usage: usage}, func(v float64) bool { return v > 0 && v <= 16 }, "above 0 and at most 16")
}

func stepFlag(usage string) cli.Flag {
	return integer(cli.IntFlag{Name: "step", Value: 1, Usage: usage}, 1, unlimited)
}

func bothFlag() cli.Flag {
	return &cli.BoolFlag{Name: "both", Usage: "estimate the flow in both directions, which tells the pixels that are hidden in the other frame; implied by --style occlusion, --export mask, --consistency and --drop-occluded"}
}

// parseThresholds reads the thresholds of the consistency check, R,A.
func parseThresholds(s string) (t consistency.Thresholds, err error) {
	relative, absolute, ok := strings.Cut(s, ",")
	t.Relative, err = strconv.ParseFloat(relative, 64)
	if err == nil {
		t.Absolute, err = strconv.ParseFloat(absolute, 64)
	}
	if valid := func(x float64) bool { return x >= 0 && x <= 1e6 }; !ok || err != nil || !valid(t.Relative) || !valid(t.Absolute) || t == (consistency.Thresholds{}) {
		return t, usagef("--consistency takes two numbers that are not negative, one of them above 0, such as 0.01,0.5; not %q", s)
	}
	return t, nil
}

func threadsFlag() cli.Flag {
	return integer(cli.IntFlag{Name: "threads", Usage: "CPU threads, at most the number of cores", DefaultText: "all cores"}, 0, max(runtime.NumCPU(), 1))
}

func maxFlowFlag() cli.Flag {
	return text(cli.StringFlag{Name: "max-flow", Value: "auto", Usage: "auto, or the length in pixels that is painted in full colour"}, parseMaxFlow)
}

// parseMaxFlow returns a length in pixels, 0 for auto.
func parseMaxFlow(s string) (float64, error) {
	if s == "auto" {
		return 0, nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || !(v > 0) || v > 1e6 {
		return 0, usagef("--max-flow is auto or a positive number of pixels, not %q", s)
	}
	return v, nil
}

func styleFlag() cli.Flag {
	return text(cli.StringFlag{Name: "style", Value: string(visualize.Flow), Usage: joinOr(visualize.Styles())}, parseStyle)
}

func parseStyle(s string) (visualize.Style, error) {
	style, err := visualize.ParseStyle(s)
	if err != nil {
		return "", usagef("%w", err)
	}
	return style, nil
}

// hwaccels are the values of --hwaccel, the default first.
var hwaccels = []string{"none", "auto", "cuda", "vaapi"}

func hwaccelFlag() cli.Flag {
	return text(cli.StringFlag{Name: "hwaccel", Value: hwaccels[0], Usage: "decode the video, and encode it unless --codec is given, with: none (software); cuda (NVDEC, NVENC) or vaapi, an error if unavailable; auto, which reports why it falls back"},
		func(s string) (string, error) {
			if !slices.Contains(hwaccels, s) {
				return "", usagef("--hwaccel is one of %s, not %q", strings.Join(hwaccels, ", "), s)
			}
			return s, nil
		})
}

func timeFlag(name, usage string, zero bool) cli.Flag {
	return text(cli.StringFlag{Name: name, Usage: usage}, func(s string) (time.Duration, error) {
		d, err := parseTime(s)
		if err != nil || d == 0 && !zero {
			return 0, usagef("--%s is a time such as 12.5, 1:30 or 500ms, not %q", name, s)
		}
		return d, nil
	})
}

// parseTime reads seconds (12.5), minutes or hours (1:30, 0:01:30) or a Go duration (500ms); "" is 0.
func parseTime(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return d, nil
	}
	total := 0.0
	for part := range strings.SplitSeq(s, ":") {
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || !(x >= 0) || x > 1e9 {
			return 0, fmt.Errorf("%q is an invalid time", s)
		}
		total = 60*total + x
	}
	if total > 1e9 {
		return 0, fmt.Errorf("%q is too long", s)
	}
	return time.Duration(total * float64(time.Second)), nil
}

func rateFlag() cli.Flag {
	return text(cli.StringFlag{Name: "rate", Usage: "frame rate of an image sequence: `N` or N/D", DefaultText: "25"}, parseRate)
}

// parseRate reads 25, 29.97 or 30000/1001; "" is zero, unknown.
func parseRate(s string) (frame.Rational, error) {
	if s == "" {
		return frame.Rational{}, nil
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok || r.Sign() <= 0 || !r.Num().IsInt64() || !r.Denom().IsInt64() || r.Num().Int64() > 1e6 || r.Denom().Int64() > 1e6 {
		return frame.Rational{}, usagef("--rate is a number such as 25 or 30000/1001, not %q", s)
	}
	return frame.Rational{Num: int(r.Num().Int64()), Den: int(r.Denom().Int64())}, nil
}

func crfFlag() cli.Flag {
	return integer(cli.IntFlag{Name: "crf", Value: -1, Usage: "constant quality of the codec (NVENC: cq, VA-API: qp); lower is better", DefaultText: "the codec's"}, 0, unlimited)
}

func codecFlag() cli.Flag {
	return &cli.StringFlag{Name: "codec", Usage: strings.Join(encode.Codecs(), ", "), DefaultText: "h264; vp9 in WebM"}
}

// keyValues reads the values of --encoder-opt.
func keyValues(list []string) (map[string]string, error) {
	m := map[string]string{}
	for _, s := range list {
		key, value, ok := strings.Cut(s, "=")
		if !ok || key == "" {
			return nil, usagef("--encoder-opt takes KEY=VALUE, not %q", s)
		}
		m[key] = value
	}
	return m, nil
}

// networkFlags are the flags that choose the network and where it runs. networkOptions reads them.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "device", Value: "auto", Usage: "auto, cpu, cuda[:N], tensorrt[:N] or webgpu; run, bench and info also take several: cuda:0,cuda:1. An unavailable device is an error"},
		&cli.StringFlag{Name: "precision", Value: string(flow.AutoPrecision), Usage: "number format of the network: auto (fp16 on an NVIDIA GPU if the network has it), fp32 or fp16"},
		&cli.StringFlag{Name: "model", Usage: "folder of another network (encoder.onnx, decoder.onnx, model.json)", DefaultText: "the built-in network", EnvVars: []string{"WWFLOW_MODEL"}},
		&cli.StringFlag{Name: "ort", Usage: "ONNX Runtime to use: libonnxruntime.so or its folder", EnvVars: []string{"WWFLOW_ORT"}},
		threadsFlag(),
		detailFlag(),
	}
}

// detailFlag is the factor between a frame's size and the size at which the network sees it.
func detailFlag() cli.Flag {
	return number(cli.Float64Flag{Name: "detail", Value: 1, Usage: "size at which the network sees the frames, as a multiple of theirs: 2 for small frames, 0.5 to save time and memory. The flow keeps the frames' size and its unit, their pixels"},
		func(v float64) bool { return v >= flow.MinDetail && v <= flow.MaxDetail }, fmt.Sprintf("%v to %v", flow.MinDetail, flow.MaxDetail))
}

func networkOptions(c *cli.Context) flow.Options {
	return flow.Options{ModelDir: c.String("model"), Device: c.String("device"), Precision: c.String("precision"), Runtime: c.String("ort"), Threads: c.Int("threads"), Detail: c.Float64("detail")}
}

// openModel opens the network for a command that works on one pair at a time.
func openModel(c *cli.Context) (*flow.Model, error) { return openModelIn(c, c.String("model")) }

// openModelIn opens the network in a folder, "" = the built-in one.
func openModelIn(c *cli.Context, dir string) (*flow.Model, error) {
	o := networkOptions(c)
	o.ModelDir = dir
	if strings.Contains(o.Device, ",") {
		return nil, usagef("--device %s: %s works on one device; run and bench take several", o.Device, c.Command.Name)
	}
	if _, err := flow.ParseDevice(o.Device); err != nil {
		return nil, usagef("%w", err)
	}
	if _, err := flow.ParsePrecision(o.Precision); err != nil {
		return nil, usagef("%w", err)
	}
	return flow.Open(o)
}

// formatList names the flow file formats and their extensions.
func formatList() string {
	var list []string
	for _, f := range flowfile.Formats() {
		list = append(list, fmt.Sprintf("%s (%s)", f, f.Extension()))
	}
	return strings.Join(list, ", ")
}

// joinOr writes a, b or c.
func joinOr[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
