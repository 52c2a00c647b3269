package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/pipeline"
)

const textRun = `INPUT is a video file, a folder of images, a pattern of image names such as f%03d.png, a pipe, or - for standard input.

For N frames the output has N-1 images (N-K with --step K). Image i shows the flow from frame i to frame
i+1 and has frame i's presentation time, so the input's frame times are kept, constant or variable. With
--backward it shows the flow from frame i+1 back to frame i and has the later frame's time; the first frame
has none. Audio and subtitles are copied, except from pipes.

A damaged frame is skipped. The flow of a pair with damaged frames between its frames is unknown.

Colours are those of the Middlebury wheel: hue is direction (right is red, down yellow, left cyan, up violet),
saturation is length, white is no motion, black is unknown. One scale holds for the whole video:
  --max-flow PIXELS  flow of that length is fully saturated, longer flow is darker
  --max-flow auto    chosen from eight sample pairs spread over the video, shrunk to 448 pixels: the 99.8th
                     percentile of the confident flow, ignoring the largest pair, rounded up, and at least
                     1 pixel, so that a static scene stays white. For pipes, which can be read only once,
                     the first eight pairs are used. --detail does not change it.`

func runCommand() *cli.Command {
	return &cli.Command{
		Name:        "run",
		Usage:       "make the flow video of a video",
		ArgsUsage:   "INPUT",
		Description: textRun + "\n\n" + textResume + "\n\n" + textExitCodes,
		Action:      run,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("output video (.mp4 .m4v .mov .mkv .webm), a folder/ for PNG images, or - for standard output", "INPUT-STYLE.mp4 beside the input"),
			&cli.StringFlag{Name: "container", Usage: "container of -o -, or of a name without a known extension: " + strings.Join(encode.Containers(), " "), DefaultText: "by the extension; Matroska for -"},
			forceFlag(),
			&cli.StringFlag{Name: "flo", Usage: "also write `DIR`/%06d.flo, numbered by frame from 0"},
			&cli.StringSliceFlag{Name: "export", Usage: "also write the flow as `FORMAT DIR`: " + textExports},
			boundFlag(),
			forFlag(),
			&cli.StringFlag{Name: "stats", Usage: "also write the motion statistics of each pair to `FILE`: .csv, .json or .jsonl; see wwflow stats"},
			quietFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print everything as JSON lines on standard output"},
		}, []cli.Flag{
			resumeFlag(),
			partFlag("compute only the K-th of N shares of the frames, into the folder -o DIR, for wwflow join: `K/N`; auto in a Slurm job array, auto/N in a Kubernetes Indexed Job"),
			segmentFlag("frames in a segment of --resume or --part"),
		}, videoFlags(), networkFlags()),
	}
}

// videoFlags are the flags of the commands that go through a whole video.
func videoFlags() []cli.Flag {
	return []cli.Flag{
		styleFlag(),
		maxFlowFlag(),
		legendFlag(),
		&cli.BoolFlag{Name: "gray", Usage: "show the frame in grey in the styles overlay and arrows"},
		&cli.BoolFlag{Name: "backward", Usage: "flow from the later frame of a pair to the earlier one"},
		stepFlag("flow from frame i to frame i+`K`"),
		bothFlag(),
		text(cli.StringFlag{Name: "consistency", Usage: "implies --both: a pixel with the flow F is visible where the flow B back has |F+B|² < `R,A`: R (|F|²+|B|²) + A square pixels", DefaultText: "0.01,0.5"}, parseThresholds),
		&cli.BoolFlag{Name: "drop-occluded", Usage: "implies --both: make the flow of occluded pixels unknown, in the images and in flow files"},
		&cli.BoolFlag{Name: "cuts", Usage: "find hard scene cuts and make their flow unknown, painted black"},
		number(cli.Float64Flag{Name: "min-confidence", Usage: "make flow of a lower confidence unknown, in the images and in flow files: 0 to 1, where 0.5 is an expected error of 1 pixel", DefaultText: "0, keep all"},
			func(v float64) bool { return v >= 0 && v <= 1 }, "0 to 1"),
		timeFlag("start", "begin at this `TIME` of the input: seconds, 1:30, or 500ms", true),
		timeFlag("duration", "read this `TIME` of the input", false),
		integer(cli.IntFlag{Name: "frames", Usage: "read at most `N` frames", DefaultText: "all"}, 1, unlimited),
		rateFlag(),
		scaleFlag("resize the frames by this factor first"),
		codecFlag(),
		crfFlag(),
		hwaccelFlag(),
		&cli.StringSliceFlag{Name: "encoder-opt", Usage: "`KEY=VALUE` for the encoder; may be repeated"},
	}
}

func run(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("run takes one input, not %d", c.NArg())
	}
	o, err := videoOptions(c, c.Args().First())
	if err != nil {
		return err
	}
	if err := checkSegment(c, inSegments(c)); err != nil {
		return err
	}
	p := newProgress(c.Bool("quiet"), c.Bool("json"))
	o.Events = p.events()
	var result pipeline.Result
	if inSegments(c) {
		result, err = runInSegments(c, o, p)
	} else {
		result, err = pipeline.Run(c.Context, o)
	}
	p.stop()
	switch {
	case errors.Is(err, pipeline.ErrStopped):
		sayKept(c, result)
	case result.Frames > 0:
		p.finish(result)
	}
	return err
}
