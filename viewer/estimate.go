package viewer

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/wwflow/wwflow/field"
	"github.com/wwflow/wwflow/flow"
	"github.com/wwflow/wwflow/frame"
)

// network estimates fields for all videos of a viewer, one at a time. It is opened when the first field is asked for.
type network struct {
	open func() (*flow.Model, error)

	mu        sync.Mutex // held during an estimate
	model     *flow.Model
	estimator *flow.Estimator
}

// flow estimates the flow from frame a to frame b. It keeps the features of both, because the next pair asked for is
// usually a neighbour.
func (n *network) flow(ctx context.Context, a, b *frame.Frame) (*field.Field, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err // it was not wanted any more when its turn came
	}
	if n.model == nil {
		model, err := n.open()
		if err != nil {
			return nil, err
		}
		n.model, n.estimator = model, flow.NewEstimator(model)
	}
	err := n.model.CheckMemory(a.Width, a.Height)
	var memory *flow.MemoryError
	if errors.As(err, &memory) {
		memory.Scale = 0 // the frames are shown at their size: it advises --detail instead
	}
	if err != nil {
		return nil, err
	}
	n.estimator.Keep(a, b)
	return n.estimator.Flow(ctx, a, b)
}

// Close frees the network. It waits for an estimate in progress, whose context the caller has cancelled.
func (n *network) Close() error {
	if n == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	_ = n.estimator.Close()
	err := n.model.Close()
	n.model, n.estimator = nil, nil
	return err
}

// estimate is the flow of a video that is estimated when it is asked for, and then kept in the cache.
type estimate struct {
	ctx     context.Context
	frames  *frames
	network *network
	cache   *cache
	key     string // of the video and the network

	mu      sync.Mutex
	running map[int]*task
}

// task is one field that is being estimated, for one request or several.
type task struct {
	waiting int // requests
	cancel  context.CancelFunc
	done    chan struct{}
	packet  *packet
	err     error
}

func (e *estimate) numbers() []int {
	list := make([]int, max(0, e.frames.count()-1))
	for i := range list {
		list[i] = i
	}
	return list
}

// ready returns the fields that need not be estimated.
func (e *estimate) ready() []int { return e.cache.numbers(e.key) }

// packet returns a field. It is estimated if it is not in the cache, and given up if nobody waits for it any more.
func (e *estimate) packet(ctx context.Context, number, cell int) (*packet, error) {
	p, err := e.whole(ctx, number)
	if err != nil || cell == 1 {
		return p, err
	}
	return newPacket(p.field(), number, cell), nil
}

// whole returns the packet with every pixel.
func (e *estimate) whole(ctx context.Context, number int) (*packet, error) {
	if p := e.cache.get(e.key, number); p != nil {
		return p, nil
	}
	t := e.join(number)
	defer e.leave(number, t)
	select {
	case <-t.done:
		return t.packet, t.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (e *estimate) join(number int) *task {
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.running[number]
	if t == nil {
		ctx, cancel := context.WithCancel(e.ctx)
		t = &task{cancel: cancel, done: make(chan struct{})}
		e.running[number] = t
		go func() {
			defer close(t.done)
			t.packet, t.err = e.compute(ctx, number)
		}()
	}
	t.waiting++
	return t
}

func (e *estimate) leave(number int, t *task) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.waiting--; t.waiting == 0 {
		t.cancel()
		delete(e.running, number)
	}
}

func (e *estimate) compute(ctx context.Context, number int) (*packet, error) {
	a, err := e.frames.frame(ctx, number)
	if err != nil {
		return nil, err
	}
	b, err := e.frames.frame(ctx, number+1)
	if err != nil {
		return nil, err
	}
	f, err := e.network.flow(ctx, a, b)
	if err != nil {
		return nil, err
	}
	p := newPacket(f, number, 1)
	if err := e.cache.put(e.key, number, p); err != nil {
		return nil, fmt.Errorf("the cache %s cannot be written: %w", e.cache.dir, err)
	}
	return p, nil
}
