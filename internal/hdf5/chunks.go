package hdf5

// #include "binding.h"
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/wwflow/wwflow/internal/half"
)

// The HDF5 numbers of the supported filters.
const (
	filterDeflate    = 1
	filterShuffle    = 2
	filterFletcher32 = 3
)

// maxChunks limits the number of chunks of a dataset. libhdf5 searches for each; h5py makes 1,000 for a 4K flow field.
const maxChunks = 1 << 17

// layout describes how a dataset is stored. A contiguous dataset counts as one chunk.
type layout struct {
	shape, size, grid []int    // of the dataset, of one chunk, of the dataset counted in chunks
	filters           []int    // in the order of application
	skipped           []uint32 // per chunk: bit i is set if filter i was not applied
	bytes             int      // per number
	order             binary.ByteOrder
}

// describe converts the description that libhdf5 gave. It returns an error for what cannot be decoded.
func (c *layout) describe(s *C.ww_set, name string, limit int) error {
	switch {
	case s.rank < 1 || s.rank > C.WW_MAX_RANK:
		return fmt.Errorf("%w: its dataset %q has %d dimensions", ErrFormat, name, s.rank)
	case s.bytes == 0:
		return fmt.Errorf("%w: its dataset %q does not hold 16-bit, 32-bit or 64-bit floating-point numbers", ErrFormat, name)
	case s.layout == C.WW_OTHER:
		return fmt.Errorf("%w: its dataset %q is neither contiguous nor chunked", ErrFormat, name)
	}
	c.bytes, c.order = int(s.bytes), binary.LittleEndian
	if s.big_endian != 0 {
		c.order = binary.BigEndian
	}
	elements, room := 1, limit // room is for one chunk: it is decoded as a whole, even if it extends beyond the dataset
	for d, n := range s.dims[:s.rank] {
		if n == 0 {
			return fmt.Errorf("%w: its dataset %q is empty", ErrFormat, name)
		}
		if uint64(n) > uint64(limit/elements) {
			return fmt.Errorf("%w: its dataset %q has more than %d numbers", ErrTooLarge, name, limit)
		}
		elements *= int(n)
		size := n
		if s.layout == C.WW_CHUNKED {
			size = s.chunk[d]
		}
		if size == 0 || uint64(size) > uint64(room) {
			return fmt.Errorf("%w: its dataset %q has chunks of more than %d numbers", ErrTooLarge, name, limit)
		}
		room /= int(size)
		c.shape, c.size = append(c.shape, int(n)), append(c.size, int(size))
		c.grid = append(c.grid, (int(n)+int(size)-1)/int(size))
	}
	if c.count() > maxChunks {
		return fmt.Errorf("%w: its dataset %q has %d chunks, more than %d", ErrTooLarge, name, c.count(), maxChunks)
	}
	if s.filters < 0 {
		return fmt.Errorf("%w: its dataset %q has more than %d filters", ErrFormat, name, C.WW_MAX_FILTERS)
	}
	if s.layout == C.WW_CHUNKED {
		for _, f := range s.filter[:s.filters] {
			if f != filterDeflate && f != filterShuffle && f != filterFletcher32 {
				return fmt.Errorf("%w: its dataset %q uses filter %d; gzip, shuffle and Fletcher32 are supported", ErrFormat, name, f)
			}
			if slices.Contains(c.filters, int(f)) {
				return fmt.Errorf("%w: its dataset %q uses filter %d twice", ErrFormat, name, f)
			}
			c.filters = append(c.filters, int(f))
		}
	}
	c.skipped = make([]uint32, c.count())
	return nil
}

func product(n []int) int {
	p := 1
	for _, v := range n {
		p *= v
	}
	return p
}

func (c *layout) count() int { return product(c.grid) }

// start returns the index of the first number of chunk i.
func (c *layout) start(i int) [4]int {
	var at [4]int
	for d := len(c.grid) - 1; d >= 0; d-- {
		at[d] = i % c.grid[d] * c.size[d]
		i /= c.grid[d]
	}
	return at
}

func (c *layout) offset(i int) [4]C.hsize_t {
	var at [4]C.hsize_t
	for d, v := range c.start(i) {
		at[d] = C.hsize_t(v)
	}
	return at
}

// decode reverses the filters of every chunk and copies its numbers into an Array.
func (p *stored) decode() (*Array, error) {
	a := &Array{Shape: p.shape, Data: make([]float32, product(p.shape))}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, raw := range p.raw {
		group.Go(func() error {
			b := buffers.get(product(p.size)*p.bytes + 4*len(p.filters))
			defer buffers.put(b)
			plain, err := p.unfilter(raw, p.skipped[i], *b)
			if err != nil {
				return fmt.Errorf("%w: chunk %d of %d: %w", ErrFormat, i+1, len(p.raw), err)
			}
			p.raw[i] = nil
			p.scatter(i, plain, a.Data)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return a, nil
}

// unfilter reverses the filters of the chunk b. It may use room as its result.
func (c *layout) unfilter(b []byte, skipped uint32, room []byte) ([]byte, error) {
	size := product(c.size) * c.bytes
	for i, f := range c.filters {
		if f == filterFletcher32 && skipped&(1<<i) == 0 {
			size += checksumSize
		}
	}
	for i := len(c.filters) - 1; i >= 0; i-- {
		if skipped&(1<<i) != 0 {
			continue
		}
		switch c.filters[i] {
		case filterDeflate:
			out := room[:size]
			if err := inflate(b, out); err != nil {
				return nil, err
			}
			b = out
		case filterShuffle:
			b = unshuffle(b, c.bytes)
		case filterFletcher32:
			size -= checksumSize
			n := len(b) - checksumSize
			if n < 0 || fletcher32(b[:n]) != binary.LittleEndian.Uint32(b[n:]) {
				return nil, errors.New("its checksum is wrong")
			}
			b = b[:n]
		}
	}
	if len(b) != size {
		return nil, fmt.Errorf("it holds %d bytes instead of %d", len(b), size)
	}
	return b, nil
}

// checksumSize is the number of bytes that Fletcher32 appends.
const checksumSize = 4

// fletcher32 returns HDF5's checksum of big-endian 16-bit words. An odd last byte is padded with 0.
func fletcher32(b []byte) uint32 {
	var low, high uint32
	fold := func() {
		low, high = low&0xffff+low>>16, high&0xffff+high>>16
	}
	for i := 0; i < len(b); i += 2 {
		if i%720 == 0 {
			fold()
		}
		word := uint32(b[i]) << 8
		if i+1 < len(b) {
			word |= uint32(b[i+1])
		}
		low += word
		high += low
	}
	fold()
	fold()
	return high<<16 | low
}

// unshuffle reverses the shuffle filter, which stores the first bytes of all numbers, then all second bytes and so on.
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

// scatter copies the part of chunk i that lies in the dataset. Its inner loop runs along the last dimension but one,
// because h5py often makes chunks whose last dimension is 1.
func (c *layout) scatter(i int, b []byte, out []float32) {
	// Leading ones give all shapes four dimensions.
	shape, size, start := [4]int{1, 1, 1, 1}, [4]int{1, 1, 1, 1}, [4]int{}
	rank := len(c.shape)
	at := c.start(i)
	copy(shape[4-rank:], c.shape)
	copy(size[4-rank:], c.size)
	copy(start[4-rank:], at[:rank])
	var inside [4]int // size of the part in the dataset
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

// line copies n numbers from b, stride bytes apart, to out, step numbers apart.
func (c *layout) line(out []float32, step int, b []byte, stride, n int) {
	switch {
	case c.bytes == 2:
		for k := range n {
			out[k*step] = half.From(c.order.Uint16(b[k*stride:]))
		}
	case c.bytes == 8:
		for k := range n {
			out[k*step] = float32(math.Float64frombits(c.order.Uint64(b[k*stride:])))
		}
	case c.order == binary.LittleEndian: // a case of its own for speed: all of Spring is stored like this
		for k := range n {
			out[k*step] = math.Float32frombits(binary.LittleEndian.Uint32(b[k*stride:]))
		}
	default:
		for k := range n {
			out[k*step] = math.Float32frombits(c.order.Uint32(b[k*stride:]))
		}
	}
}

// pool recycles byte slices.
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
