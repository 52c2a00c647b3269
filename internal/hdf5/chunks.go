package hdf5

// #include "binding.h"
import "C"

import (
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/internal/half"
)

// The numbers of HDF5's filters that are undone here.
const (
	deflate = 1
	shuffle = 2
)

// chunks is how a dataset is cut up.
type chunks struct {
	shape, size, grid []int    // of the dataset, of one chunk, of the dataset in chunks
	filters           []int    // in the order in which they were applied
	skipped           []uint32 // per chunk: bit i is set where filter i was not applied
	bytes             int      // of a number
}

// newChunks is nil where libhdf5 must decode the dataset.
func newChunks(s *C.ww_set, shape []int) *chunks {
	if s.chunked == 0 || s.plain == 0 || s.filters < 0 {
		return nil
	}
	c := &chunks{shape: shape, bytes: int(s.bytes)}
	for i, n := range s.chunk[:s.rank] {
		if n == 0 || uint64(n) > uint64(shape[i]) {
			return nil
		}
		c.size = append(c.size, int(n))
		c.grid = append(c.grid, (shape[i]+int(n)-1)/int(n))
	}
	for _, f := range s.filter[:s.filters] {
		c.filters = append(c.filters, int(f))
		if f != deflate && f != shuffle {
			return nil
		}
	}
	c.skipped = make([]uint32, c.count())
	return c
}

func product(n []int) int {
	p := 1
	for _, v := range n {
		p *= v
	}
	return p
}

func (c *chunks) count() int { return product(c.grid) }

// start is the first element of chunk i.
func (c *chunks) start(i int) [4]int {
	var at [4]int
	for d := len(c.grid) - 1; d >= 0; d-- {
		at[d] = i % c.grid[d] * c.size[d]
		i /= c.grid[d]
	}
	return at
}

func (c *chunks) offset(i int) [4]C.hsize_t {
	var at [4]C.hsize_t
	for d, v := range c.start(i) {
		at[d] = C.hsize_t(v)
	}
	return at
}

// decode undoes the filters of every chunk and puts its numbers where they belong.
func (c *chunks) decode(raw [][]byte, out []float32) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	want := product(c.size) * c.bytes
	for i := range raw {
		group.Go(func() error {
			b := buffers.get(want)
			defer buffers.put(b)
			plain, err := c.undo(raw[i], c.skipped[i], *b)
			if err != nil {
				return fmt.Errorf("%w: chunk %d of %d: %w", ErrFormat, i+1, len(raw), err)
			}
			raw[i] = nil
			c.place(i, plain, out)
			return nil
		})
	}
	return group.Wait()
}

func (c *chunks) undo(b []byte, skipped uint32, buffer []byte) ([]byte, error) {
	for i := len(c.filters) - 1; i >= 0; i-- {
		if skipped&(1<<i) != 0 {
			continue
		}
		switch c.filters[i] {
		case deflate:
			if err := inflate(b, buffer); err != nil {
				return nil, err
			}
			b = buffer
		case shuffle:
			b = unshuffle(b, c.bytes)
		}
	}
	if len(b) != len(buffer) {
		return nil, fmt.Errorf("it holds %d bytes instead of %d", len(b), len(buffer))
	}
	return b, nil
}

// unshuffle brings the bytes of each number together again: all first bytes come first, then all second ones.
func unshuffle(b []byte, size int) []byte {
	n := len(b) / size
	out := make([]byte, len(b))
	for k := range size {
		for i, v := range b[k*n : (k+1)*n] {
			out[i*size+k] = v
		}
	}
	copy(out[n*size:], b[n*size:])
	return out
}

// place copies the part of chunk i that lies in the dataset. The chunk is seen as lines along the dimension
// before the last: h5py likes chunks that are one number wide.
func (c *chunks) place(i int, b []byte, out []float32) {
	// With ones put before them, all shapes have the same number of dimensions.
	shape, size, start := [4]int{1, 1, 1, 1}, [4]int{1, 1, 1, 1}, [4]int{}
	rank := len(c.shape)
	at := c.start(i)
	copy(shape[4-rank:], c.shape)
	copy(size[4-rank:], c.size)
	copy(start[4-rank:], at[:rank])
	var inside [4]int // how much of the chunk lies in the dataset
	for d := range inside {
		inside[d] = min(size[d], shape[d]-start[d])
	}
	for p := range inside[0] {
		for q := range inside[1] {
			from := (p*size[1] + q) * size[2] * size[3] * c.bytes
			to := (((start[0]+p)*shape[1]+start[1]+q)*shape[2]+start[2])*shape[3] + start[3]
			for r := range inside[3] {
				c.line(out[to+r:], shape[3], b[from+r*c.bytes:], size[3]*c.bytes, inside[2])
			}
		}
	}
}

// line copies n numbers to every step-th place of out from every stride-th byte of b.
func (c *chunks) line(out []float32, step int, b []byte, stride, n int) {
	if c.bytes == 2 {
		for k := range n {
			out[k*step] = half.From(binary.LittleEndian.Uint16(b[k*stride:]))
		}
		return
	}
	for k := range n {
		out[k*step] = math.Float32frombits(binary.LittleEndian.Uint32(b[k*stride:]))
	}
}

// pool lends byte slices of one length to several goroutines.
type pool struct{ sync.Pool }

var buffers pool

func (p *pool) get(n int) *[]byte {
	if b, ok := p.Get().(*[]byte); ok && cap(*b) >= n {
		*b = (*b)[:n]
		return b
	}
	b := make([]byte, n)
	return &b
}

func (p *pool) put(b *[]byte) { p.Put(b) }
