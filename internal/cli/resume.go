package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/encode"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/parts"
	"github.com/wwflow/wwflow/pipeline"
)

const textKept = `With --resume the work is done in segments, each a minute of work at most, which lie in OUTPUT.parts until the output is
complete. After a kill, a crash, Ctrl-C or a full disk the same command continues after the last complete segment. SIGINT,
SIGTERM, SIGHUP and SIGUSR1 finish the current frame and close the segment; a second signal ends at once. A changed
input, option or network is refused and named; --force begins again.`

const textResume = textKept + `

With --part K/N the K-th of N equal shares of the frames is computed into the folder -o DIR, and continued in the same way.
The parts may run on several machines at once. wwflow join makes one video of them.`

func resumeFlag() cli.Flag {
	return &cli.BoolFlag{Name: "resume", Usage: "keep what is done in OUTPUT.parts, and continue an earlier run of the same command"}
}

func segmentFlag(usage string) cli.Flag {
	return integer(cli.IntFlag{Name: "segment", Usage: usage, DefaultText: "a minute of work, at most 500"}, 1, unlimited)
}

// checkSegment refuses --segment where nothing is kept in segments.
func checkSegment(c *cli.Context, kept bool) error {
	if c.IsSet("segment") && !kept {
		return withHint(usagef("--segment is for work that is kept in segments"), "--resume")
	}
	return nil
}

func partFlag(usage string) cli.Flag {
	return text(cli.StringFlag{Name: "part", Usage: usage}, parts.ParsePart)
}

// inSegments reports whether run or retime keeps segments.
func inSegments(c *cli.Context) bool { return c.Bool("resume") || c.String("part") != "" }

// segmentOptions are the options for work in segments.
func segmentOptions(c *cli.Context, o pipeline.Options, continued func(parts.Continued)) parts.Options {
	return parts.Options{Video: o, Segment: c.Int("segment"), Stop: c.Context.Done(), Version: Version(), Continued: continued}
}

// untilSecondSignal calls work, which a signal stops in order. A second one ends the program.
func untilSecondSignal(c *cli.Context, o parts.Options, work func(context.Context, parts.Options) (pipeline.Result, error)) (pipeline.Result, error) {
	defer announceStop(c)()
	return work(context.WithoutCancel(c.Context), o)
}

// sayKept says what a stopped run leaves.
func sayKept(c *cli.Context, r pipeline.Result) {
	if !c.Bool("quiet") && !c.Bool("json") {
		fmt.Fprintf(os.Stderr, "stopped: %s done; the same command continues\n", counted(r.Frames, "frame is", "frames are"))
	}
}

// announceStop says what the first signal does, unless that is to be quiet. Its result ends the wait for the signal.
func announceStop(c *cli.Context) func() bool {
	if c.Bool("quiet") {
		return func() bool { return false }
	}
	return context.AfterFunc(c.Context, func() { fmt.Fprintln(os.Stderr, "finishing the current frame; a second signal ends at once") })
}

// runInSegments is run with --resume or --part.
func runInSegments(c *cli.Context, o pipeline.Options, p progress) (pipeline.Result, error) {
	r := segmentOptions(c, o, p.continued)
	if c.String("part") == "" {
		return untilSecondSignal(c, r, parts.Resume)
	}
	if c.String("o") == "" {
		return pipeline.Result{}, withHint(usagef("--part needs a folder for the parts"), "-o DIR")
	}
	if extension := strings.ToLower(filepath.Ext(c.String("o"))); slices.Contains(encode.Containers(), extension) && !pathname.IsFolder(c.String("o")) {
		return pipeline.Result{}, withHint(usagef("--part writes a folder, and %s is named like a file", c.String("o")), "-o DIR, and wwflow join DIR -o "+c.String("o"))
	}
	r.Part, _ = parts.ParsePart(c.String("part"))
	r.Dir = strings.TrimSuffix(c.String("o"), "/")
	// The container of the parts is fixed. That of the joined video chooses the codec.
	r.Video.Output, r.Video.Encode.Container = filepath.Join(r.Dir, "video.mkv"), ""
	if container := c.String("container"); container != "" {
		r.Video.Output = filepath.Join(r.Dir, "video."+strings.TrimPrefix(container, "."))
	}
	return untilSecondSignal(c, r, parts.Compute)
}

func joinCommand() *cli.Command {
	return &cli.Command{
		Name:      "join",
		Usage:     "make one video of the parts that run --part has computed",
		ArgsUsage: "DIR",
		Description: `DIR is the folder of the parts. They are checked: all are there and complete, and come from one input, with one set of
options and one network. The video is not encoded again. Audio and subtitles are copied from the input. DIR stays.

` + textExitCodes,
		Action: join,
		Flags: []cli.Flag{
			outputFlag("output video (.mp4 .m4v .mov .mkv .webm); needed", ""),
			&cli.StringFlag{Name: "input", Usage: "the input of the parts, for its audio and subtitles", DefaultText: "where it was"},
			forceFlag(),
			quietFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object a line"},
		},
	}
}

func join(c *cli.Context) error {
	switch {
	case c.NArg() != 1:
		return usagef("join takes one folder of parts, not %d", c.NArg())
	case c.String("o") == "":
		return withHint(usagef("join needs a name for the video"), "-o out.mp4")
	}
	j, err := parts.Join(c.Context, parts.JoinOptions{Dir: strings.TrimSuffix(c.Args().First(), "/"), Output: c.String("o"), Input: c.String("input"), Force: c.Bool("force")})
	switch {
	case err != nil:
		return err
	case c.Bool("json"):
		return printJSON(j)
	case c.Bool("quiet"):
		return nil
	}
	fmt.Fprintf(os.Stderr, "%s: %s of flow from %s\n", j.Output, count(j.Frames, "frame"), count(j.Parts, "part"))
	for _, n := range j.Notices {
		fmt.Fprintln(os.Stderr, "note: "+n)
	}
	return nil
}

// continuedText says what is left of an earlier run.
func continuedText(c parts.Continued) string {
	s := fmt.Sprintf("continuing: %s done before", count(c.Done, "frame"))
	if c.Of > 0 {
		s = fmt.Sprintf("continuing: %d of %s done before", c.Done, count(c.Of, "frame"))
	}
	for _, problem := range c.Problems {
		s += "\nnote: computed again: " + problem
	}
	return s
}

// partsHint is what to try after an error of package parts; empty for others.
func partsHint(err error) string {
	switch {
	case errors.Is(err, parts.ErrChanged):
		return "the options and the input of before, another output, or --force to begin again"
	case errors.Is(err, parts.ErrIncomplete):
		return "wwflow run INPUT -o DIR --part K/N for each of these parts"
	case errors.Is(err, parts.ErrUnequal):
		return "wwflow run INPUT -o DIR --part K/N --force for the parts that differ"
	}
	return ""
}
