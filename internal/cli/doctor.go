package cli

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/cpu"

	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/internal/avinfo"
	"github.com/wwflow/wwflow/internal/ortlib"
	"github.com/wwflow/wwflow/internal/procinfo"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "show the libraries, the devices and the network that this machine has",
		Description: "Each device is tested with a small graph, and the network is loaded. The exit code is 5 if the network\n" +
			"cannot run on the device that --device selects.\n\n" +
			"With --model DIR the folder is explained: the inputs and outputs of its graphs, and the flow that they give for a\n" +
			"small texture that moves. On a GPU the operators are named that its provider lacks, so that the CPU runs them.\n" +
			"docs/networks.md describes such folders.",
		Flags: append([]cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "print one JSON object"},
		}, networkFlags()...),
		Action: doctor,
	}
}

// doctorReport is what doctor prints.
type doctorReport struct {
	Version string           `json:"version"`
	Go      string           `json:"go"`
	Cores   int              `json:"cores"`
	SIMD    string           `json:"simd,omitempty"`             // the widest instructions for float32 that the network uses; "" = not known
	Memory  int64            `json:"memory_available,omitempty"` // bytes
	FFmpeg  string           `json:"ffmpeg"`
	AV      []avinfo.Library `json:"ffmpeg_libraries"`
	Runtime *runtimeReport   `json:"onnxruntime,omitempty"`
	Devices []deviceReport   `json:"devices,omitempty"`
	Network *networkReport   `json:"network,omitempty"`
	Cache   string           `json:"cache_folder,omitempty"`
	Error   string           `json:"error,omitempty"` // why the network cannot run
}

type runtimeReport struct {
	Version string `json:"version"`
	Path    string `json:"path"`
}

type deviceReport struct {
	Device  string `json:"device"`
	Works   bool   `json:"works"`
	Missing string `json:"missing,omitempty"` // a sentence

	Libraries []string `json:"missing_libraries,omitempty"`
}

type networkReport struct {
	Card   flow.Card `json:"card"`
	From   string    `json:"from"`
	Device string    `json:"device,omitempty"` // where it is loaded

	Precision   flow.Precision    `json:"precision,omitempty"`
	Examination *flow.Examination `json:"examination,omitempty"`  // with --model
	SkippedGPU  string            `json:"skipped_gpu,omitempty"`  // why --device auto did not use the GPU
	Seconds     float64           `json:"load_seconds,omitempty"` // 0 where it was not loaded
}

func doctor(c *cli.Context) error {
	if c.Args().Present() {
		return usagef("doctor takes no arguments")
	}
	found, err := examine(c)
	if err != nil {
		found.Error = err.Error()
	}
	if c.Bool("json") {
		if printed := printJSON(found); printed != nil {
			return printed
		}
		return err
	}
	if _, printed := fmt.Print(found.text()); printed != nil {
		return outputError(printed)
	}
	return err
}

// examine reports everything even where something is missing. The error is why the network cannot run.
func examine(c *cli.Context) (*doctorReport, error) {
	found := &doctorReport{
		Version: Version(), Go: fmt.Sprintf("%s %s/%s", runtime.Version(), runtime.GOOS, runtime.GOARCH), Cores: runtime.NumCPU(),
		FFmpeg: avinfo.Release(), AV: avinfo.Libraries(),
	}
	found.SIMD = simd()
	found.Memory, _ = procinfo.AvailableMemory() // 0 is left out
	found.Cache, _ = ortlib.CacheDir()
	dir, library := c.String("model"), c.String("ort")
	card, failed := flow.ReadCard(dir)
	if failed == nil {
		found.Network = &networkReport{Card: card, From: dir}
		if dir == "" {
			found.Network.From = "built in"
		}
	}
	ort, err := flow.Runtime(library)
	if err != nil {
		return found, errors.Join(failed, err)
	}
	found.Runtime = &runtimeReport{ort.Version, ort.Path}
	for _, kind := range flow.Kinds {
		d := deviceReport{Device: string(kind), Works: true}
		var unusable *flow.DeviceError
		if err := flow.Probe(library, flow.Device{Kind: kind}); errors.As(err, &unusable) {
			d.Works, d.Missing, d.Libraries = false, unusable.Missing, unusable.Libraries
		} else if err != nil {
			d.Works, d.Missing = false, err.Error()
		}
		found.Devices = append(found.Devices, d)
	}
	if failed != nil {
		return found, failed
	}
	begin := time.Now()
	model, err := openModel(c)
	if err != nil {
		return found, err
	}
	defer model.Close()
	found.Network.Device, found.Network.Seconds = model.Device().String(), time.Since(begin).Seconds()
	found.Network.Precision = model.Precision()
	if skipped := model.SkippedGPU(); skipped != nil {
		found.Network.SkippedGPU = skipped.Error()
	}
	if dir == "" {
		return found, nil
	}
	o := networkOptions(c)
	o.Device = model.Device().String()
	examined, err := flow.Examine(c.Context, o)
	found.Network.Examination = &examined
	return found, err
}

// simd returns the widest float32 instructions of this machine, of those that ONNX Runtime tells apart.
func simd() string {
	switch {
	case runtime.GOARCH != "amd64":
		return ""
	case cpu.X86.HasAVX512F:
		return "AVX-512"
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return "AVX2"
	}
	return "SSE"
}

// text is the report for people.
func (f *doctorReport) text() string {
	var s strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&s, "%-13s"+format+"\n", append([]any{name}, args...)...)
	}
	line("wwflow", "%s, built with %s", f.Version, f.Go)
	machine := count(f.Cores, "core")
	switch f.SIMD {
	case "":
	case "SSE":
		machine += " without AVX2 (the network is slow on them)"
	default:
		machine += " with " + f.SIMD
	}
	if f.Memory > 0 {
		machine += fmt.Sprintf(", %.1f GiB of memory free", float64(f.Memory)/(1<<30))
	}
	line("machine", "%s", machine)
	libraries := make([]string, len(f.AV))
	for i, l := range f.AV {
		libraries[i] = l.Name + " " + l.Version
	}
	line("FFmpeg", "%s: %s", f.FFmpeg, strings.Join(libraries, ", "))
	if f.Runtime == nil {
		line("ONNX Runtime", "not usable")
	} else {
		line("ONNX Runtime", "%s: %s", f.Runtime.Version, f.Runtime.Path)
	}
	for _, d := range f.Devices {
		state := "works"
		if !d.Works {
			// one reason per line
			state = "no: " + strings.ReplaceAll(d.Missing, "; ", ";\n"+strings.Repeat(" ", 13+9+4))
		}
		line("", "%-9s%s", d.Device, state)
	}
	if n := f.Network; n == nil {
		line("network", "not usable")
	} else {
		line("network", "%s %s, %s: %.2f million parameters, licence %s", n.Card.Name, n.Card.Version, n.From, float64(n.Card.Parameters)/1e6, n.Card.Licence)
		t := n.Card.Training
		if t.Steps > 0 {
			line("", "trained for %d steps (%d samples) at commit %s", t.Steps, t.Samples, t.Commit)
		}
		for _, text := range endpointErrors(n.Card) {
			line("", "%s", text)
		}
		if n.Device != "" {
			line("", "loaded on %s as %s in %.1f s", n.Device, n.Precision, n.Seconds)
		}
		for _, text := range examinationLines(n.Examination) {
			line("", "%s", text)
		}
		if n.SkippedGPU != "" {
			line("", "not on the GPU: %s", n.SkippedGPU)
		}
	}
	line("cache folder", "%s", f.Cache)
	return s.String()
}

// examinationLines explain a network's folder.
func examinationLines(e *flow.Examination) (lines []string) {
	if e == nil {
		return nil
	}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, g := range e.Graphs {
		add("%s", g.File)
		for _, s := range g.Inputs {
			add("  takes %s", s)
		}
		for _, s := range g.Outputs {
			add("  gives %s", s)
		}
	}
	if !e.Confidence {
		add("no log_scale, so no confidence: --both computes one")
	}
	if e.Width > 0 {
		add("it takes images of %dx%d only: frames are resized to that size, and their flow back", e.Width, e.Height)
	}
	if !e.Tested {
		return lines
	}
	add("test: a texture of %dx%d that moves by (%g, %g) pixels has the median flow (%.2f, %.2f)", e.TestWidth, e.TestHeight, e.TrueU, e.TrueV, e.U, e.V)
	if !e.Correct() {
		add("this is far off. Unless the network is untrained, compare input.range, input.channels, input.layout and output.layout of model.json with the code that")
		add("the graph comes from; the flow is in pixels of the first image, to the right and downwards")
	}
	if len(e.OnCPU) > 0 {
		add("the provider of the device lacks operators, which the CPU runs instead: %s", strings.Join(e.OnCPU, ", "))
		add("each of them copies between device and CPU: export the graph with other operators, or compare with --device cpu")
	}
	return lines
}

// endpointErrors has a line for each group of pairs that the card summarises: the mean error of the network and of the
// methods it is compared with. Errors on single data sets are in the card only.
func endpointErrors(card flow.Card) []string {
	var lines []string
	for _, group := range []string{"synthetic", "real"} {
		own, others := "", []string{}
		for _, e := range card.Errors {
			switch {
			case e.Data != group:
			case e.Method == card.Name:
				own = fmt.Sprintf("mean endpoint error on %s: %.2f pixels", count(e.Pairs, e.Data+" pair"), e.EPE)
			default:
				others = append(others, fmt.Sprintf("%s %.2f", e.Method, e.EPE))
			}
		}
		if own != "" {
			lines = append(lines, fmt.Sprintf("%s (%s)", own, strings.Join(others, ", ")))
		}
	}
	return lines
}
