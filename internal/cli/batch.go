package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/batch"
	"github.com/wwflow/wwflow/flowfile"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

const textBatch = `An INPUT is a video file; a folder, which is searched for video files; or a list: a text file (.txt) with one path a
line, where lines that begin with # are ignored, or JSON Lines (.jsonl). Relative paths in a list are relative to it.

The output of in/a.mp4 is DIR/a-flow.mp4. The outputs of a folder, and of the relative paths in a list, keep their
folders under DIR. A line of JSON has the "input" and may have: "output" (relative to DIR), "max_flow" (pixels, 0 for
auto), "start" and "duration" (seconds), "frames".

All inputs, outputs and options are checked before the first video. The network is opened once. A video that fails is
recorded, and the batch goes on.

DIR/wwflow-batch.jsonl records what happened to each video, one JSON object a line. The same command, started again,
does only what is missing. Videos that failed are skipped, unless --retry-failed is given. If an input, an output or
the options have changed since a video was done, the command is refused and names the difference; --force does these
videos again. A second process on DIR is refused. With --part the shares of a batch can work on one DIR; the journal's
name then has the part, and all processes must use the same N.

A video that was stopped is done again from its beginning. With --resume it continues: the segments of each video, each a
minute of work at most, lie in OUTPUT.parts until the output is complete, as with wwflow run --resume. The first signal
finishes the current frame and closes the segment, a second one ends at once. If the input, the options or the network of a
video have changed since it was begun, the command is refused and names the difference; --force begins the video again.

--stats FILE has a row for each video: its motion, or why it failed. The journal keeps the numbers, so the table is
complete after any number of stops. With --part its name has the part, such as table-2-of-8.csv; the same command
without --part, after all parts, writes the table of all videos.`

func batchCommand() *cli.Command {
	return &cli.Command{
		Name:        "batch",
		Usage:       "make the flow videos of many videos; continue after a stop",
		ArgsUsage:   "INPUT...",
		Description: textBatch + "\n\n" + textExitCodes,
		Action:      runBatch,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("output `DIR`, created if it does not exist; needed", ""),
			&cli.BoolFlag{Name: "force", Usage: "replace existing outputs, and do changed and failed videos again"},
			&cli.BoolFlag{Name: "retry-failed", Usage: "also do the videos that failed before"},
			&cli.BoolFlag{Name: "keep-going", Usage: "record inputs that cannot be read as failed, instead of refusing the batch"},
			&cli.BoolFlag{Name: "resume", Usage: "make each video in segments, and continue within a video that was stopped"},
			segmentFlag("frames in a segment of --resume"),
			partFlag("do only the K-th of N shares of the videos, equal by length: `K/N`; auto in a Slurm job array, auto/N in a Kubernetes Indexed Job"),
			&cli.StringSliceFlag{Name: "export", Usage: "also write the flow as `FORMAT` into a folder beside each output, such as a-flow-exr: " + textExports},
			boundFlag(),
			&cli.StringFlag{Name: "stats", Usage: "also write the motion statistics of each video to `FILE`: .csv, .json or .jsonl; see wwflow stats"},
			forFlag(),
			quietFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print everything as JSON lines on standard output"},
		}, batchVideoFlags(), networkFlags()),
	}
}

// batchVideoFlags are videoFlags without those for image sequences.
func batchVideoFlags() []cli.Flag {
	return slices.DeleteFunc(videoFlags(), func(f cli.Flag) bool { return slices.Contains(f.Names(), "rate") })
}

func runBatch(c *cli.Context) error {
	o, err := batchOptions(c)
	if err != nil {
		return err
	}
	p := newBatchProgress(c.Bool("quiet"), c.Bool("json"))
	o.Events = p.events()
	if o.Resume {
		defer announceStop(c)()
	}
	result, err := batch.Run(c.Context, o)
	if result.Videos > 0 { // otherwise the batch was refused
		p.finish(result)
	}
	return err
}

func batchOptions(c *cli.Context) (o batch.Options, err error) {
	switch {
	case !c.Args().Present():
		return o, usagef("batch takes video files, folders or lists")
	case c.String("o") == "":
		return o, withHint(usagef("batch needs a folder for its outputs"), "-o DIR")
	}
	if err := checkSegment(c, c.Bool("resume")); err != nil {
		return o, err
	}
	base, err := commonOptions(c)
	if err != nil {
		return o, err
	}
	for _, name := range c.StringSlice("export") {
		if !canExport(name) {
			return o, usagef("--export takes one of the formats %s, not %q", joinOr(pipeline.ExportFormats()), name)
		}
		base.Exports = append(base.Exports, pipeline.Export{Format: flowfile.Format(name), Bound: c.Float64("bound")})
	}
	if err := setTarget(c, base.Exports); err != nil {
		return o, err
	}
	o = batch.Options{Dir: strings.TrimSuffix(c.String("o"), "/"), Network: networkOptions(c), RetryFailed: c.Bool("retry-failed"),
		KeepGoing: c.Bool("keep-going"), Stats: c.String("stats"), Force: c.Bool("force"), ExitCode: exitCode,
		Resume: c.Bool("resume"), Segment: c.Int("segment"), Version: Version()}
	if part := c.String("part"); part != "" {
		o.Part, _ = parts.ParsePart(part)
	}
	o.Videos, err = batch.Collect(c.Args().Slice(), batch.Source{Dir: o.Dir, Base: base,
		Name: func(input string) string { return outputName(input, base.Paint.Style) }})
	return o, err
}
