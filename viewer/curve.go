package viewer

import (
	"context"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// curve is how much moves in each field of a result. It grows while it is computed.
type curve struct {
	Numbers []int     `json:"numbers"` // of the fields, increasing
	Mean    []float64 `json:"mean"`    // length of their flow in pixels
	P99     []float64 `json:"p99"`
	Done    bool      `json:"done"` // nothing will be added
}

// curves computes curves beside the requests, one field at a time.
type curves struct {
	busy atomic.Int64 // requests in progress, which go first

	mu   sync.Mutex
	all  map[*result]*points
	turn sync.Mutex // held by the curve that is being computed
}

type points struct {
	mu     sync.Mutex
	values map[int]header
	done   bool
}

// curve returns what is known of the curve of a result, and starts to compute the rest.
func (v *Viewer) curve(r *result) curve {
	c := &v.curves
	c.mu.Lock()
	if c.all == nil {
		c.all = map[*result]*points{}
	}
	p := c.all[r]
	if p == nil {
		p = &points{values: map[int]header{}}
		c.all[r] = p
		if r.fields != nil {
			v.tasks.Go(func() { v.compute(r, p) })
		}
	}
	c.mu.Unlock()
	return p.curve()
}

// note adds a field that was read for another reason.
func (v *Viewer) note(r *result, h header) {
	v.curves.mu.Lock()
	p := v.curves.all[r]
	v.curves.mu.Unlock()
	if p != nil {
		p.add(h)
	}
}

func (p *points) add(h header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[h.Number] = h
}

func (p *points) curve() curve {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := curve{Numbers: []int{}, Mean: []float64{}, P99: []float64{}, Done: p.done}
	for n := range p.values {
		c.Numbers = append(c.Numbers, n)
	}
	slices.Sort(c.Numbers)
	for _, n := range c.Numbers {
		c.Mean = append(c.Mean, p.values[n].Mean)
		c.P99 = append(c.P99, p.values[n].P99)
	}
	return c
}

// compute reads the fields that need not be estimated, in an order that shows the shape of the curve early.
func (v *Viewer) compute(r *result, p *points) {
	v.curves.turn.Lock()
	defer v.curves.turn.Unlock()
	for _, n := range spread(r.fields.ready()) {
		if !v.idle() {
			return
		}
		if packet, err := r.fields.packet(v.ctx, n); err == nil { // an unreadable file leaves a gap
			p.add(packet.header)
		}
	}
	p.mu.Lock()
	p.done = true
	p.mu.Unlock()
}

// idle waits until no request is in progress. It returns false when the viewer is closed.
func (v *Viewer) idle() bool {
	for v.curves.busy.Load() > 0 {
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

// spread returns the numbers in the order of their reversed index: the first, the middle one, the quarters, and so on.
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
