package viewer

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wwflow/wwflow/decode"
	"github.com/wwflow/wwflow/frame"
	"github.com/wwflow/wwflow/pairing"
	"github.com/wwflow/wwflow/stats"
)

// curve is how much moves in each field of a result. It grows while it is computed.
type curve struct {
	Pairs []stats.Pair `json:"pairs"` // in the order of their frames
	Cuts  []int        `json:"cuts"`  // numbers of the frames before a cut, as far as the video was read
	Done  bool         `json:"done"`  // nothing will be added, unless more is estimated
}

// curves computes curves beside the requests, one field at a time.
type curves struct {
	busy atomic.Int64 // requests in progress, which go first
	last atomic.Int64 // time of the last answer with a frame or field, in nanoseconds

	mu      sync.Mutex
	results map[*result]*points
	cuts    map[*item]*cuts
}

// points are the measured fields of a result.
type points struct {
	mu      sync.Mutex
	values  map[int]stats.Pair
	running bool
}

// cuts are the scene cuts of a video.
type cuts struct {
	mu   sync.Mutex
	list []int
	done bool
}

// curve returns what is known of the curve of a result of an item, and computes what has been added since.
func (v *Viewer) curve(i *item, r *result) curve {
	c := &v.curves
	c.mu.Lock()
	if c.results == nil {
		c.results, c.cuts = map[*result]*points{}, map[*item]*cuts{}
	}
	p, k := c.results[r], c.cuts[i]
	if p == nil {
		p = &points{values: map[int]stats.Pair{}}
		c.results[r] = p
	}
	if k == nil {
		k = &cuts{done: i.frames == nil}
		c.cuts[i] = k
		if i.frames != nil {
			v.tasks.Go(func() { v.findCuts(i.input, k) })
		}
	}
	c.mu.Unlock()
	if r.fields != nil {
		v.update(r, p)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	out := p.curve()
	out.Cuts, out.Done = append([]int{}, k.list...), out.Done && k.done
	return out
}

// update measures, in the background, the fields that need not be estimated and were not measured yet.
func (v *Viewer) update(r *result, p *points) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return
	}
	var missing []int
	for _, n := range r.fields.ready() {
		if _, known := p.values[n]; !known {
			missing = append(missing, n)
		}
	}
	if len(missing) == 0 {
		return
	}
	p.running = true
	v.tasks.Go(func() {
		v.measure(r, p, spread(missing))
		p.mu.Lock()
		p.running = false
		p.mu.Unlock()
	})
}

// measure measures fields, as far as no request is in progress.
func (v *Viewer) measure(r *result, p *points, numbers []int) {
	for _, n := range numbers {
		if !v.idle() {
			return
		}
		pair := stats.Pair{} // an unreadable file moves nothing
		if packet, err := r.fields.packet(v.ctx, n, 1); err == nil {
			pair = stats.Measure(packet.field(), false)
		}
		pair.Frame = n
		p.mu.Lock()
		p.values[n] = pair
		p.mu.Unlock()
	}
}

func (p *points) curve() curve {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := curve{Pairs: []stats.Pair{}, Done: !p.running}
	for _, pair := range p.values {
		c.Pairs = append(c.Pairs, pair)
	}
	slices.SortFunc(c.Pairs, func(a, b stats.Pair) int { return a.Frame - b.Frame })
	return c
}

// findCuts reads a video once and finds its hard cuts.
func (v *Viewer) findCuts(path string, k *cuts) {
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.done = true
	}()
	if v.roots.check(path) != nil {
		return
	}
	r, err := decode.Open(v.ctx, path, decode.Options{Threads: 1})
	if err != nil {
		return // the page learns of it from its own requests
	}
	defer r.Close()
	var last *frame.Frame
	for v.idle() {
		f, err := r.Read()
		if errors.Is(err, io.EOF) || err != nil {
			return
		}
		if last != nil && pairing.CutScore(&frame.Pair{First: last, Second: f}) > pairing.CutThreshold {
			k.mu.Lock()
			k.list = append(k.list, last.Index)
			k.mu.Unlock()
		}
		last = f
	}
}

// quiet is how long no request has been answered before something is computed beside the requests.
const quiet = 250 * time.Millisecond

// idle waits until no request is in progress and none was a moment ago: frames that are scrubbed or played go first. It
// returns false when the viewer is closed.
func (v *Viewer) idle() bool {
	for v.curves.busy.Load() > 0 || time.Since(time.Unix(0, v.curves.last.Load())) < quiet {
		if !sleep(v.ctx, 20*time.Millisecond) {
			return false
		}
	}
	return v.ctx.Err() == nil
}

func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// spread returns the numbers in the order of their reversed index: the first, the middle one, the quarters, and so on. So the
// shape of a curve shows early.
func spread(numbers []int) []int {
	var list []int
	width := bits.Len(uint(max(0, len(numbers)-1)))
	for i := range 1 << width {
		if at := int(bits.Reverse(uint(i)) >> (bits.UintSize - width)); at < len(numbers) {
			list = append(list, numbers[at])
		}
	}
	return list
}
