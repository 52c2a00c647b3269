package pipeline

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/internal/errkind"
	"github.com/wwflow/wwflow/internal/pathname"
	"github.com/wwflow/wwflow/internal/procinfo"
)

// Measurement is where the time of a run goes.
type Measurement struct {
	Input         string        `json:"input"`
	Width         int           `json:"width"`
	Height        int           `json:"height"`
	Images        int           `json:"images"`
	Network       string        `json:"network"`
	Device        string        `json:"device"` // or several, with commas
	Precision     string        `json:"precision"`
	NetworkWidth  int           `json:"network_width"` // of the size at which the network sees the frames, pixels
	NetworkHeight int           `json:"network_height"`
	Stages        []StageTiming `json:"stages"`
	PerSecond     float64       `json:"frames_per_second"` // from the first image to the last: loading does not count
	NetworkAlone  float64       `json:"network_alone_frames_per_second"`
	Bottleneck    string        `json:"bottleneck"`
	Notices       []string      `json:"notices,omitempty"`     // what Run would report besides
	PeakMemory    int64         `json:"peak_memory,omitempty"` // bytes of the process, without the GPU's; 0 where the system does not tell
}

// StageTiming is the work of one stage.
type StageTiming struct {
	Name          string        `json:"name"`
	Milliseconds  float64       `json:"ms_per_frame"`             // of one worker
	Workers       int           `json:"workers"`                  // devices for the network, else 1
	Share         float64       `json:"share"`                    // of the run's time in which it worked, 0 to 1; mean over the workers
	QueueLength   float64       `json:"queue_length,omitempty"`   // average number of frames in front of it
	QueueCapacity int           `json:"queue_capacity,omitempty"` // of that queue
	Parts         []StageTiming `json:"parts,omitempty"`          // of the network's time: encoding a frame, decoding a pair
}

// Bench does what Run does and measures it. Paint.MaxFlow should be set: choosing the scale is not part of what is
// measured. At least three frames are needed.
func Bench(ctx context.Context, o Options) (Measurement, error) {
	var notices []string
	o.Events = Events{Started: func(p Plan) { notices = append(notices, p.Notices...) }}
	r, err := open(ctx, o, Options.checkOutput)
	if err != nil {
		return Measurement{}, err
	}
	defer r.close()
	r.watch = &stopwatch{}
	result, err := r.video()
	if err != nil {
		return Measurement{}, err
	}
	if result.Frames < 2 {
		return Measurement{}, errkind.Mark(ErrInput, fmt.Errorf("%s: %w to measure: it gave a single image of flow", pathname.Input(o.Input), ErrTooShort))
	}
	m := r.measurement()
	m.Notices = append(notices, result.Notices...)
	m.NetworkAlone, err = networksAlone(r.group.ctx, r.networks, r.watch.kept)
	return m, err
}

// measurement is what the stopwatch has seen.
func (r *run) measurement() Measurement {
	w := r.watch
	total := w.end.Sub(w.begin).Seconds()
	m := Measurement{
		Input: r.info.Path, Width: r.info.Width, Height: r.info.Height, Images: w.images,
		Network: r.networks.Name(), Device: r.networks.Devices(), Precision: r.networks.Precision(),
		PerSecond: float64(w.images-1) / w.end.Sub(w.first).Seconds(),
	}
	m.NetworkWidth, m.NetworkHeight = r.networks.InputSize(r.info.Width, r.info.Height)
	m.PeakMemory, _ = procinfo.PeakMemory() // 0 where the system does not tell
	largest := 0.0
	for i, name := range stageNames {
		t := StageTiming{Name: name, Workers: 1, QueueLength: w.queues[i].area / total, QueueCapacity: w.queues[i].capacity}
		if i == stageNetwork {
			t.Workers = len(r.networks)
			t.Parts = r.networkParts(total)
		}
		t.fill(w.busy[i], w.images, total)
		m.Stages = append(m.Stages, t)
		if t.Share > largest {
			largest, m.Bottleneck = t.Share, name
		}
	}
	return m
}

func (r *run) networkParts(total float64) []StageTiming {
	var encode, decode time.Duration
	for _, n := range r.networks {
		stats := n.estimator.Stats()
		encode, decode = encode+stats.EncodeTime, decode+stats.DecodeTime
	}
	parts := []StageTiming{{Name: "encoder", Workers: len(r.networks)}, {Name: "decoder", Workers: len(r.networks)}}
	parts[0].fill(encode, r.watch.images, total)
	parts[1].fill(decode, r.watch.images, total)
	return parts
}

func (t *StageTiming) fill(busy time.Duration, images int, total float64) {
	t.Milliseconds, t.Share = 1000*busy.Seconds()/float64(images), busy.Seconds()/total/float64(t.Workers)
}

// networksAlone is how many pairs a second the networks estimate with nothing beside them, each frame encoded once.
func networksAlone(ctx context.Context, networks Networks, frames []*frame.Frame) (perSecond float64, err error) {
	var g errgroup.Group
	rates := make([]float64, len(networks))
	for i, n := range networks {
		g.Go(func() (err error) {
			rates[i], err = networkAlone(ctx, n, frames)
			return err
		})
	}
	err = g.Wait()
	for _, r := range rates {
		perSecond += r
	}
	return perSecond, err
}

// networkAlone goes through the frames again and again, until all had their turn and a second has passed.
func networkAlone(ctx context.Context, n *Network, frames []*frame.Frame) (float64, error) {
	e := n.estimator
	e.Keep() // features that the run left behind would cost nothing
	if _, err := e.Flow(ctx, frames[0], frames[0]); err != nil {
		return 0, err
	}
	begin := time.Now()
	for i := 0; ; i++ {
		if spent := time.Since(begin).Seconds(); i >= len(frames)-1 && spent > 1 {
			return float64(i) / spent, nil
		}
		second := frames[(i+1)%len(frames)]
		if _, err := e.Flow(ctx, frames[i%len(frames)], second); err != nil {
			return 0, err
		}
		e.Keep(second)
	}
}
