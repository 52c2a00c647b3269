package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/atomicfile"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/viewer"
)

const textView = `wwflow view FILE prints the size of a flow file, how many of its pixels are unknown and how far things move, and writes an
image of it in the colours of wwflow run.

Everything else is shown in a browser: a folder of flow files, a flow video with --input, an output folder of run or
batch, several of one kind, which are compared, and a video, whose flow is estimated while you look at it. The address is
printed; nobody else on this machine or network knows it. Ctrl-C ends it. With -o page.html a page is written that
needs no program and no network.

Examples:
  wwflow view a.flo                            statistics and a-flow.png
  wwflow view a.flo --serve                    in the browser
  wwflow view in.mp4 --open                    estimate what is shown
  wwflow view flow/ --input in.mp4             flow files and their video
  wwflow view ours/ theirs/ --input in.mp4 --truth gt/
  wwflow view flows/ --input videos/           outputs of batch and the folder of its videos
  wwflow view flow/ --input in.mp4 --frames 20 -o page.html`

func viewCommand() *cli.Command {
	return &cli.Command{
		Name:        "view",
		Usage:       "look at flow: in a browser, or as statistics and an image of one flow file",
		ArgsUsage:   "PATH...",
		Description: textView + "\n\n" + textFormats,
		Action:      view,
		Flags: slices.Concat([]cli.Flag{
			outputFlag("the image of a flow file, a .png; or a .html page in one file", "INPUT-flow.png beside the flow file"),
			maxFlowFlag(),
			legendFlag(),
			forceFlag(),
			&cli.BoolFlag{Name: "json", Usage: "print the statistics of a flow file as JSON"},
			&cli.StringFlag{Name: "input", Usage: "`VIDEO`, image or folder of images that the flow belongs to; for an output folder of batch, the folder of its videos"},
			&cli.StringFlag{Name: "truth", Usage: "ground truth: a flow `FILE` or a folder of flow files"},
			&cli.BoolFlag{Name: "estimate", Usage: "also offer the network's flow of --input"},
			&cli.BoolFlag{Name: "serve", Usage: "show a flow file in the browser too"},
			&cli.BoolFlag{Name: "open", Usage: "open the browser"},
			text(cli.StringFlag{Name: "listen", Value: "127.0.0.1:0", Usage: "`ADDRESS:PORT` of the server; 0 is a free port. Others can reach an address that is not 127.0.0.1"}, parseListen),
			integer(cli.IntFlag{Name: "frames", Usage: "number of frames in a page, from the first", DefaultText: "all"}, 1, unlimited),
			number(cli.Float64Flag{Name: "cache-size", Value: 4, Usage: "`GiB` of disk for estimated flow, in ~/.cache/wwflow/view"}, func(v float64) bool { return v >= 0 && v <= 1<<20 }, "0 or more"),
		}, networkFlags()),
	}
}

func parseListen(s string) (string, error) {
	if _, _, err := net.SplitHostPort(s); err != nil {
		return "", usagef("--listen is an address and a port such as 127.0.0.1:8080, not %q", s)
	}
	return s, nil
}

// viewFlags are the flags that only the browser uses.
var viewFlags = []string{"serve", "open", "listen", "input", "truth", "estimate"}

func view(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef("name what to look at: wwflow view a.flo, or wwflow view in.mp4")
	}
	page := strings.EqualFold(filepath.Ext(c.String("o")), ".html")
	inBrowser := c.NArg() > 1 || !isFlowFile(c.Args().First()) || slices.ContainsFunc(viewFlags, c.IsSet)
	switch {
	case page:
		return viewPage(c)
	case !inBrowser:
		return viewPicture(c)
	case c.String("o") != "":
		return usagef("-o is a .html page, or the .png of one flow file, not %q", c.String("o"))
	}
	return viewServe(c)
}

// isFlowFile reports whether view prints statistics for a path. A path that does not exist is judged by its extension.
func isFlowFile(path string) bool { return !pathname.IsFolder(path) && checkFormat(path) == nil }

// openViewer finds what the arguments name.
func openViewer(c *cli.Context) (*viewer.Viewer, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	network := networkOptions(c)
	s := viewer.Sources{
		Paths: c.Args().Slice(), Input: c.String("input"), Truth: c.String("truth"), Estimate: c.Bool("estimate"),
		Open:     func() (*flow.Model, error) { return openModel(c) },
		Network:  fmt.Sprintf("%s %s %s %s %v", Version(), network.ModelDir, network.Device, network.Precision, network.Detail),
		CacheDir: filepath.Join(cache, "wwflow", "view"), CacheBytes: int64(c.Float64("cache-size") * (1 << 30)),
	}
	v, err := viewer.New(c.Context, s)
	switch {
	case errors.Is(err, viewer.ErrNothing):
		err = withHint(err, "a flow file, a folder of flow files, a video, or an output folder of wwflow run or batch")
	case errors.Is(err, viewer.ErrMixed):
		err = withHint(err, "wwflow view flow/ --input in.mp4")
	case errors.Is(err, fs.ErrNotExist):
		err = withHint(err, "another name: there is no such file or folder")
	}
	return v, inputError(err)
}

// viewServe shows the arguments in a browser until the program is interrupted.
func viewServe(c *cli.Context) error {
	v, err := openViewer(c)
	if err != nil {
		return err
	}
	defer v.Close()
	server, err := v.Listen(c.String("listen"))
	if err != nil {
		return withHint(err, "another port with --listen 127.0.0.1:0")
	}
	fmt.Fprintln(os.Stderr, "Ctrl-C ends it. The page is at")
	fmt.Println(server.URL)
	if !server.Loopback() {
		fmt.Fprintln(os.Stderr, "Whoever has this address and reaches this machine can look at these videos. The connection is not encrypted.")
	}
	if c.Bool("open") {
		openBrowser(c.Context, server.URL)
	}
	if err := server.Serve(c.Context); err != nil {
		return err
	}
	return nil // Ctrl-C is how it ends
}

// openBrowser starts the user's browser. Where there is none, the printed address is left.
func openBrowser(ctx context.Context, url string) {
	if err := exec.CommandContext(ctx, "xdg-open", url).Start(); err != nil {
		fmt.Fprintf(os.Stderr, "the browser does not start (%v): open the address yourself\n", err)
	}
}

// viewPage writes a page in one file.
func viewPage(c *cli.Context) error {
	output := c.String("o")
	for _, path := range append(c.Args().Slice(), c.String("input"), c.String("truth")) {
		if path == "" {
			continue
		}
		if err := checkOutput(output, path, c.Bool("force")); err != nil {
			return err
		}
	}
	if err := checkFolder(output); err != nil {
		return err
	}
	v, err := openViewer(c)
	if err != nil {
		return err
	}
	defer v.Close()
	meter := newMeter(false, "frame")
	defer meter.stop()
	counted := &counter{}
	err = atomicfile.WriteTo(output, func(w io.Writer) error {
		counted.w = w
		return v.WritePage(c.Context, counted, c.Int("frames"), meter.update)
	})
	switch {
	case errors.Is(err, viewer.ErrPage):
		return withHint(usagef("%w", err), "fewer frames: --frames 10")
	case err != nil && (counted.failed || counted.n > 0):
		return outputError(err)
	case err != nil:
		return inputError(err)
	}
	meter.stop()
	fmt.Fprintf(os.Stderr, "%s: %.1f MB\n", output, float64(counted.n)/1e6)
	return nil
}

// counter counts the bytes that pass through it.
type counter struct {
	w      io.Writer
	n      int64
	failed bool
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	c.failed = c.failed || err != nil
	return n, err
}
